// What local statistics cost a whole network: the global model, the converted one on tlsc's kernels and on its portable
// bodies, run in turns in one process; medians, and the share of our operators in a run's time. Asserts nothing.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convert, InferenceSession, type SessionOptions, Tensor } from '@tlsc/api';

const rounds = Number(process.argv[2] ?? 5);
const sizes = [
  [512, 512],
  [720, 1280],
] as const;
const trainSize = 256;

// Seen from test/dist/bench/. The MPRNet is in the collection beside the repository only.
const carried = fileURLToPath(new URL('../../fixtures/models', import.meta.url));
const collection = fileURLToPath(new URL('../../../../shared/models', import.meta.url));
const networks = [
  { title: 'HINet', model: join(carried, 'hinet_small_one_dim', 'model.onnx') },
  { title: 'NAFNet', model: join(carried, 'nafnet_base_nonsquare', 'model.onnx') },
  { title: 'Restormer', model: join(carried, 'restormer_small_one_dim', 'model.onnx') },
  { title: 'MPRNet', model: join(collection, 'mprnet_torchscript', 'model.onnx') },
].filter(({ model }) => existsSync(model));

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function input(
  session: InferenceSession,
  [height, width]: readonly [number, number],
): Record<string, Tensor> {
  const data = Float32Array.from({ length: 3 * height * width }, (_, i) => ((i * 2654435761) % 1000) / 1000);
  return { [session.inputNames[0] as string]: new Tensor('float32', data, [1, 3, height, width]) };
}

async function timeRun(session: InferenceSession, feeds: Record<string, Tensor>): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}

interface ProfileEvent {
  readonly dur: number;
  readonly name: string;
  readonly args?: { readonly op_name?: string };
}

/** How much of the time in operators a run spends in ours, in percent. */
async function shareOfOurs(model: Uint8Array, size: readonly [number, number]): Promise<number> {
  const session = await InferenceSession.create(model, {
    enableProfiling: true,
    profileFilePrefix: join(tmpdir(), 'tlsc-bench'),
  });
  await session.run(input(session, size));
  const file = session.endProfiling();
  await session.release();
  const events = JSON.parse(readFileSync(file, 'utf8')) as ProfileEvent[];
  rmSync(file);
  const kernels = events.filter(({ name }) => name.endsWith('_kernel_time'));
  const total = (list: readonly ProfileEvent[]) => list.reduce((sum, { dur }) => sum + dur, 0);
  const ours = kernels.filter(({ args }) => /^(Local|ReplicateScale$)/.test(args?.op_name ?? ''));
  return (100 * total(ours)) / total(kernels);
}

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`);
console.log(`train size ${trainSize}, base size ${trainSize * 1.5}; medians of ${rounds} rounds\n`);
for (const { title, model } of networks) {
  const { model: local } = await convert(model, { trainSize });
  for (const size of sizes) {
    const open = (bytes: Uint8Array | string, options: SessionOptions = {}) =>
      InferenceSession.create(bytes, options);
    const sessions = [await open(model), await open(local), await open(local, { operators: 'portable' })];
    const times: number[][] = sessions.map(() => []);
    const feeds = input(sessions[0] as InferenceSession, size);
    for (const session of sessions) await session.run(feeds);
    for (let round = 0; round < rounds; round++) {
      for (const [i, session] of sessions.entries()) times[i]?.push(await timeRun(session, feeds));
    }
    for (const session of sessions) await session.release();
    const [global = 0, native = 0, portable = 0] = times.map(median);
    const share = await shareOfOurs(local, size);
    console.log(
      `${title.padEnd(9)} ${size.join('x').padEnd(9)} global ${global.toFixed(0).padStart(5)} ms, ` +
        `native x ${(native / global).toFixed(2)}, portable x ${(portable / global).toFixed(2)}, ` +
        `our operators ${share.toFixed(1)} % of a native run`,
    );
  }
}
