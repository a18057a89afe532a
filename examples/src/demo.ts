// Restores three rainy photos with three trained networks: the same weights, once with the global statistics that they
// were exported with, once with local ones. Prints the figures and writes the pictures. With --report it evaluates them
// on six photos instead.
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  convert,
  InferenceSession,
  type Photo,
  readPhoto,
  restore,
  writeFileAtomic,
  writeModel,
  writePhoto,
} from '@tlsc/api';
import { qualityOfPhotos } from '@tlsc/evaluate';
import { renderComparison } from './comparison.js';
import { report } from './report.js';

const examples = fileURLToPath(new URL('..', import.meta.url));
const output = join(examples, 'output');
const trainSize = 64; // The patches that the three networks were trained on.

const photos = ['oakland-zoo-otters', 'perched-osprey', 'tea-gardens'];
const models = [
  { file: 'unet', title: 'UNet' },
  { file: 'unet_in', title: 'UNet-IN' },
  { file: 'unet_se', title: 'UNet-SE' },
];
/** The model of the comparison pictures: the one whose statistics matter most. */
const shown = 'unet_in';

interface Restored {
  readonly photo: Photo;
  readonly seconds: number;
}

async function restoreTimed(session: InferenceSession, photo: Photo): Promise<Restored> {
  const start = performance.now();
  const restored = await restore(session, photo);
  return { photo: restored, seconds: (performance.now() - start) / 1000 };
}

function quality(photo: Photo, target: Photo): string {
  const { psnr, ssim } = qualityOfPhotos(photo, target);
  return `${psnr.toFixed(2)} / ${ssim.toFixed(4)}`;
}

function printRow(...cells: readonly string[]): void {
  const widths = [20, 9, 15, 15, 15, 8, 8];
  console.log(
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

async function convertModel(
  file: string,
  title: string,
): Promise<{ global: string; local: string | undefined }> {
  const global = join(examples, 'models', `${file}.onnx`);
  const conversion = await convert(global, { trainSize });
  const { report } = conversion;
  if (report.sites.length === 0) {
    console.log(`${title}: no global statistics, nothing to convert (it is the control)`);
    return { global, local: undefined };
  }
  const local = join(output, `${file}.local.onnx`);
  await writeModel(conversion, local);
  const windows = report.sites.map(({ window }) => window.join('x')).join(', ');
  console.log(`${title}: ${report.sites.length} global statistics made local, windows ${windows}`);
  return { global, local };
}

async function comparePhoto(
  name: string,
  input: Photo,
  global: Photo,
  local: Photo,
  target: Photo,
): Promise<void> {
  const caption = (title: string, photo: Photo) =>
    `${title}: ${qualityOfPhotos(photo, target).psnr.toFixed(2)} dB`;
  const picture = await renderComparison([
    { caption: caption('input', input), photo: input },
    { caption: caption('UNet-IN, global statistics', global), photo: global },
    { caption: caption('local statistics, same weights', local), photo: local },
    { caption: 'target', photo: target },
  ]);
  await writeFileAtomic(join(output, `${name}.comparison.png`), picture);
}

async function main(): Promise<void> {
  await mkdir(output, { recursive: true });
  console.log(
    `Converting for training size ${trainSize}x${trainSize}, base size ${trainSize * 1.5}x${trainSize * 1.5}.`,
  );
  const sessions = [];
  for (const { file, title } of models) {
    const { global, local } = await convertModel(file, title);
    sessions.push({
      file,
      title,
      global: await InferenceSession.create(global),
      local: local === undefined ? undefined : await InferenceSession.create(local),
    });
  }

  console.log(
    '\nPSNR in dB / SSIM against the clean photo. Global and local are the same weights on the whole photo;',
  );
  console.log(
    'only where the means and variances are taken differs. Seconds are those of the restoration.\n',
  );
  printRow('photo', 'model', 'input', 'global', 'local', 'global s', 'local s');
  for (const name of photos) {
    const input = await readPhoto(join(examples, 'photos', `${name}_input.png`));
    const target = await readPhoto(join(examples, 'photos', `${name}_target.png`));
    for (const { file, title, global, local } of sessions) {
      const before = await restoreTimed(global, input);
      await writePhoto(before.photo, join(output, `${name}.${file}.global.png`));
      const row = [name, title, quality(input, target), quality(before.photo, target)];
      if (!local) {
        printRow(...row, '-', before.seconds.toFixed(2), '-');
        continue;
      }
      const after = await restoreTimed(local, input);
      await writePhoto(after.photo, join(output, `${name}.${file}.local.png`));
      printRow(...row, quality(after.photo, target), before.seconds.toFixed(2), after.seconds.toFixed(2));
      if (file === shown) await comparePhoto(name, input, before.photo, after.photo, target);
    }
  }
  console.log(
    `\nRestored photos and a comparison picture of each (NAME.comparison.png) are in ${relative(process.cwd(), output)}.`,
  );
}

if (process.argv.includes('--report')) {
  const files = models.map(({ file }) => join(examples, 'models', `${file}.onnx`));
  await report(files, join(examples, 'photos'), trainSize, join(output, 'report'));
} else await main();
