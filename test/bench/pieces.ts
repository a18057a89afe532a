// What photos that do not fit take: the peak of a process that restores one, file to file, and its time beside that of the pixels of a photo
// that does fit. Each in a process of its own. Asserts nothing.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toBinary } from '@bufbuild/protobuf';
import { convert, InferenceSession, restoreFile } from '@tlsc/api';
import { ModelProtoSchema } from 'onnx-buf';
import sharp from 'sharp';
import { build, node } from '../fuzz/build.js';
import { nafnet } from './nafnet.js';

// Seen from test/dist/bench/.
const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));

interface Result {
  readonly peak: number;
  readonly seconds: number;
  readonly how: string;
}

/** In the process that is measured. */
async function restoreOne(model: string, photo: string, output: string, memory: number): Promise<Result> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 4 });
  // What the process may take, of which it has some already.
  const left = memory - process.memoryUsage.rss();
  const begun = performance.now();
  const { pieces } = await restoreFile(session, photo, output, { memory: left });
  const seconds = (performance.now() - begun) / 1000;
  const how = pieces
    ? `${pieces.rows}x${pieces.columns} pieces, halo ${pieces.halo.join('x')}, ${pieces.work.toFixed(2)} times the work`
    : 'whole';
  return { peak: process.resourceUsage().maxRSS * 1024, seconds, how };
}

function measure(folder: string, model: string, photo: string, memory: number): Result {
  const output = join(folder, `restored${extname(photo)}`);
  const args = [fileURLToPath(import.meta.url), model, photo, output, String(memory)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Result;
}

async function photoOf(folder: string, height: number, width: number, extension = '.jpg'): Promise<string> {
  const path = join(folder, `${height}x${width}${extension}`);
  await sharp(`${examples}photos/tea-gardens_input.png`)
    .resize(width, height, { fit: 'fill' })
    .jpeg({ quality: 90, force: false })
    .png({ compressionLevel: 1, force: false })
    .tiff({ compression: 'deflate', predictor: 'horizontal', force: false })
    .toFile(path);
  return path;
}

const networks = {
  'UNet-IN, base 96': { make: () => `${examples}models/unet_in.onnx`, trainSize: 64 },
  'UNet-SE, base 96': { make: () => `${examples}models/unet_se.onnx`, trainSize: 64 },
  'NAFNet of width 32, base 384': { make: () => nafnet(32, 4), trainSize: 256 },
} as const;

const small = [1000, 1504] as const;
const cases = [
  { network: 'UNet-IN, base 96', size: [4000, 6000], memories: [1.3e9, 1e9] },
  { network: 'UNet-SE, base 96', size: [4000, 6000], memories: [1.3e9] },
  { network: 'UNet-IN, base 96', size: [8656, 11552], memories: [2e9] },
  { network: 'NAFNet of width 32, base 384', size: [4000, 6000], memories: [4e9] },
] as const;

function show(name: string, pixels: number, memory: number, { peak, seconds, how }: Result): string {
  const [megapixels, most, taken] = [pixels / 1e6, memory / 1e9, peak / 1e9];
  return `${name}: ${megapixels.toFixed(0)} MP in ${most} GB: peak ${taken.toFixed(2)} GB, ${how}, ${seconds.toFixed(0)} s`;
}

async function benchNetworks(folder: string): Promise<void> {
  const models = new Map<string, string>();
  for (const [name, { make, trainSize }] of Object.entries(networks)) {
    const path = join(folder, `${models.size}.onnx`);
    const { model } = await convert(make(), { trainSize });
    writeFileSync(path, model);
    models.set(name, path);
  }
  for (const { network, size, memories } of cases) {
    const model = models.get(network) as string;
    const whole = measure(folder, model, await photoOf(folder, small[0], small[1]), 1e11);
    const perPixel = whole.seconds / (small[0] * small[1]);
    const photo = await photoOf(folder, size[0], size[1]);
    for (const memory of memories) {
      const pixels = size[0] * size[1];
      const result = measure(folder, model, photo, memory);
      const ratio = result.seconds / pixels / perPixel;
      console.log(
        `${show(network, pixels, memory, result)}, ${ratio.toFixed(2)} times the time per pixel of a photo of ${((small[0] * small[1]) / 1e6).toFixed(1)} MP whole`,
      );
    }
  }
}

const large = [12288, 16384] as const;

/** A network that changes nothing, so that photos alone take memory. */
async function benchFormats(folder: string): Promise<void> {
  const model = join(folder, 'identity.onnx');
  const nodes = [node('Neg', 'x', 'negative'), node('Neg', 'negative', 'y')];
  writeFileSync(model, toBinary(ModelProtoSchema, build({ nodes })));
  for (const extension of ['.png', '.jpg', '.tif']) {
    const photo = await photoOf(folder, large[0], large[1], extension);
    const name = `${extension.slice(1)}, ${(statSync(photo).size / 1e6).toFixed(0)} MB`;
    console.log(show(name, large[0] * large[1], 1e9, measure(folder, model, photo, 1e9)));
    rmSync(photo);
  }
}

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-bench-'));
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`);
  try {
    await benchNetworks(folder);
    await benchFormats(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [model, photo, output, memory] = process.argv.slice(2);
if (model && photo && output && memory)
  console.log(JSON.stringify(await restoreOne(model, photo, output, Number(memory))));
else await run();
