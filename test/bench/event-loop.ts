// How late a 5 ms timer fires beside a 720 × 1280 inference, and on an idle loop in the same process. Asserts no time.
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { convert, InferenceSession, Tensor } from '@tlsc/api';
import { latenessDuring, median } from './lateness.js';

const [height, width] = [720, 1280];
const seconds = Number(process.argv[2] ?? 4);
// Seen from test/dist/bench/.
const modelFile = fileURLToPath(new URL('../../../examples/models/unet_in.onnx', import.meta.url));

function report(label: string, lateness: readonly number[]): void {
  const worst = lateness.at(-1) ?? Number.NaN;
  console.log(
    `${label.padEnd(10)} ${String(lateness.length).padStart(5)} ticks, late by ` +
      `${median(lateness).toFixed(2)} ms (median), ${worst.toFixed(2)} ms (worst)`,
  );
}

const { model } = await convert(modelFile, { trainSize: 64 });
const session = await InferenceSession.create(model);
const input = new Tensor('float32', new Float32Array(3 * height * width).fill(0.5), [1, 3, height, width]);
const feeds = { [session.inputNames[0] as string]: input };
await session.run(feeds);

const runMs: number[] = [];
async function inferForAWhile(): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const begun = performance.now();
    await session.run(feeds);
    runMs.push(performance.now() - begun);
  }
}

const busy = await latenessDuring(inferForAWhile());
const idle = await latenessDuring(new Promise((resolve) => setTimeout(resolve, seconds * 1000)));
await session.release();

const cpu = `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`;
console.log(`${cpu}, Node ${process.version}, ONNX Runtime ${session.runtimeVersion}`);
console.log(
  `unet_in at ${width} × ${height}: ${runMs.length} runs, ${median(runMs).toFixed(0)} ms each (median)`,
);
report('inference', busy);
report('idle', idle);
