// Takes the memory of a run's input away in the way that the scenario names, reuses it, and prints what became of the run.
import { createSession } from '../dist/index.js';

const [scenario, given] = [process.argv[2], JSON.parse(process.argv[3])];
const side = scenario.startsWith('a small') ? 256 : 1024;
const bytes = side * side * 4;

const makeBuffer = {
  transferred: () => new ArrayBuffer(bytes),
  shrunk: () => new ArrayBuffer(bytes, { maxByteLength: bytes }),
  grown: () => new SharedArrayBuffer(bytes, { maxByteLength: 2 * bytes }),
};
const take = {
  transferred: (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  shrunk: (buffer) => buffer.resize(0),
  grown: (buffer) => buffer.grow(2 * bytes),
};
const way = scenario.split(' ').at(-1);

/** The memory goes back to the system, or to whoever allocates next. */
async function reuse() {
  for (let i = 0; i < 3; ++i) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
    new Float32Array(side * side).fill(Number.NaN);
  }
}

const session = await createSession(given).session;
const buffer = makeBuffer[way]();
const x = new Float32Array(buffer, 0, side * side);
for (let i = 0; i < side; ++i) x[i * (side + 1)] = 1;
const run = session.run(
  [{ name: 'x', type: 'float32', dims: [side, side], data: x }],
  [{ name: 'y', location: 'cpu' }],
);
const ended = run.outputs.then(
  ([{ data }]) => (data.every((value, i) => value === (i % (side + 1) === 0 ? 1 : 0)) ? 'right' : 'wrong'),
  ({ code, message }) => `${code} ${message}`,
);
if (scenario.includes('later')) {
  // A large input is copied in the first turns of the event loop.
  for (let i = 0; i < 20; ++i) await new Promise((resolve) => setImmediate(resolve));
}
take[way](buffer);
await reuse();
console.log(await ended);
