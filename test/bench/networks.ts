// What local statistics cost whole networks of realistic widths: the original in stock onnxruntime-node with its defaults, the converted
// one in a session of ours, and the same file in stock onnxruntime-node, which runs its portable bodies; in turns in one process. Medians,
// what a run adds to memory at its peak, and the share of our operators in a run's time. Asserts nothing.
//
// node networks.js [rounds] [a part of the names]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { convert, InferenceSession, Tensor } from '@tlsc/api';
import { ModelProtoSchema } from 'onnx-buf';
import { InferenceSession as StockSession } from 'onnxruntime-node';
import { widen } from './widen.js';

type Sides = readonly [number, number];

const trainSize = 256;
const small: Sides = [256, 256];
const middle: Sides = [512, 512];
const hd: Sides = [720, 1280];

// Seen from test/dist/bench/. The MPRNet is in the collection beside the repository only.
const carried = fileURLToPath(new URL('../../fixtures/models', import.meta.url));
const collection = fileURLToPath(new URL('../../../../shared/models', import.meta.url));
const networks = [
  {
    title: 'NAFNet, width 32',
    folder: join(carried, 'nafnet_base_nonsquare'),
    times: 4,
    sizes: [small, [360, 640], middle, hd],
  },
  { title: 'NAFNet, width 64', folder: join(carried, 'nafnet_base_nonsquare'), times: 8, sizes: [small] },
  {
    title: 'Restormer, dim 48',
    folder: join(carried, 'restormer_small_one_dim'),
    times: 6,
    sizes: [small, middle],
  },
  { title: 'HINet, wf 32', folder: join(carried, 'hinet_small_one_dim'), times: 8, sizes: [small, middle] },
  { title: 'HINet, wf 64', folder: join(carried, 'hinet_small_one_dim'), times: 16, sizes: [small] },
  { title: 'MPRNet, n_feat 40', folder: join(collection, 'mprnet_torchscript'), times: 5, sizes: [small] },
  {
    title: 'UNet with SE, width 32',
    folder: join(carried, 'unet_se_mean'),
    times: 4,
    sizes: [small, middle],
  },
  {
    title: 'UNet with instance norm, width 32',
    folder: join(carried, 'unet_in'),
    times: 4,
    sizes: [small, middle],
  },
] as const satisfies readonly { title: string; folder: string; times: number; sizes: readonly Sides[] }[];

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** One of the three that are compared, opened. */
interface Runner {
  readonly run: (feeds: Record<string, Tensor>) => Promise<unknown>;
  readonly release: () => Promise<void>;
}

const kinds = ['original', 'ours', 'portable'] as const;
type Kind = (typeof kinds)[number];

/** `path` is of the model that this kind runs. */
async function open(kind: Kind, path: string, intraOpNumThreads: number): Promise<Runner> {
  const options = { intraOpNumThreads, logSeverityLevel: 3 } as const;
  if (kind === 'ours') {
    const session = await InferenceSession.create(path, options);
    return { run: (feeds) => session.run(feeds), release: () => session.release() };
  }
  const stock = await StockSession.create(path, options);
  return { run: (feeds) => stock.run(feeds), release: () => stock.release() };
}

/** Every exported network calls its image so. */
function input([height, width]: Sides): Record<string, Tensor> {
  const data = Float32Array.from({ length: 3 * height * width }, (_, i) => ((i * 2654435761) % 1000) / 1000);
  return { input: new Tensor('float32', data, [1, 3, height, width]) };
}

/** In seconds: of one thread what it worked, of several what passed. */
async function timeRun(runner: Runner, feeds: Record<string, Tensor>, threads: number): Promise<number> {
  const [begun, worked] = [performance.now(), process.cpuUsage()];
  await runner.run(feeds);
  const { user, system } = process.cpuUsage(worked);
  return threads === 1 ? (user + system) / 1e6 : (performance.now() - begun) / 1000;
}

/** In the process that is measured: what a run adds, in bytes. */
async function peakOf(kind: Kind, path: string, size: Sides): Promise<number> {
  const runner = await open(kind, path, 1);
  const feeds = input(size);
  const before = process.memoryUsage.rss();
  await runner.run(feeds);
  return process.resourceUsage().maxRSS * 1024 - before;
}

interface ProfileEvent {
  readonly dur: number;
  readonly name: string;
  readonly args?: { readonly op_name?: string };
}

/** How much of the time in operators a run spends in ours, in percent. */
async function shareOfOurs(path: string, size: Sides): Promise<number> {
  const session = await InferenceSession.create(path, {
    enableProfiling: true,
    profileFilePrefix: join(tmpdir(), 'tlsc-bench'),
    logSeverityLevel: 3,
  });
  await session.run(input(size));
  const file = session.endProfiling();
  await session.release();
  const events = JSON.parse(readFileSync(file, 'utf8')) as ProfileEvent[];
  rmSync(file);
  const kernels = events.filter(({ name }) => name.endsWith('_kernel_time'));
  const total = (list: readonly ProfileEvent[]) => list.reduce((sum, { dur }) => sum + dur, 0);
  const ours = kernels.filter(({ args }) =>
    /^(Local|ReplicateScale$|Channel|Depthwise|.*PointwiseConv)/.test(args?.op_name ?? ''),
  );
  return (100 * total(ours)) / total(kernels);
}

async function compare(
  paths: Readonly<Record<Kind, string>>,
  size: Sides,
  threads: number,
  rounds: number,
): Promise<string> {
  const runners = await Promise.all(kinds.map((kind) => open(kind, paths[kind], threads)));
  const feeds = input(size);
  const times: number[][] = runners.map(() => []);
  for (const runner of runners) await runner.run(feeds);
  for (let round = 0; round < rounds; round++)
    for (const [i, runner] of runners.entries()) times[i]?.push(await timeRun(runner, feeds, threads));
  for (const runner of runners) await runner.release();
  const [original = 0, ours = 0, portable = 0] = times.map(median);
  const what = threads === 1 ? 'one thread, CPU time' : `${threads} threads, wall time`;
  return `${what}: original ${original.toFixed(2)} s, ours ${(original / ours).toFixed(2)} times as fast, the converted file in stock ${(original / portable).toFixed(2)}`;
}

function peaks(paths: Readonly<Record<Kind, string>>, size: Sides): string {
  const shown = kinds.map((kind) => {
    const args = [fileURLToPath(import.meta.url), 'peak', kind, paths[kind], ...size.map(String)];
    const bytes = Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    return `${kind} ${((bytes / size[0] / size[1]) * 1e-3).toFixed(2)}`;
  });
  return `GB per megapixel at the peak: ${shown.join(', ')}`;
}

async function run(rounds: number, only: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-bench-'));
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`);
  console.log(`train size ${trainSize}, base size ${trainSize * 1.5}; medians of ${rounds} rounds`);
  try {
    for (const { title, folder: from, times, sizes } of networks) {
      if (!title.includes(only) || !existsSync(from)) continue;
      const exported = fromBinary(ModelProtoSchema, readFileSync(join(from, 'model.onnx')));
      const original = join(folder, 'original.onnx');
      writeFileSync(original, toBinary(ModelProtoSchema, widen(exported, times)));
      const ours = join(folder, 'local.onnx');
      writeFileSync(ours, (await convert(original, { trainSize })).model);
      const paths = { original, ours, portable: ours };
      for (const size of sizes) {
        console.log(`\n${title}, ${size.join(' x ')}`);
        for (const threads of [1, 2]) console.log(`  ${await compare(paths, size, threads, rounds)}`);
        console.log(
          `  ${peaks(paths, size)}; our operators ${(await shareOfOurs(ours, size)).toFixed(1)} % of a run`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [command, kind, path, height, width] = process.argv.slice(2);
if (command === 'peak') console.log(await peakOf(kind as Kind, path ?? '', [Number(height), Number(width)]));
else await run(Number(command ?? 3), kind ?? '');
