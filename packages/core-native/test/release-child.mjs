// Prints the size of the process in MiB after each of a list of steps. Nothing is left to garbage collection: it is never asked for.
import { createSession } from '../dist/index.js';

const [steps, given] = [process.argv[2].split(', '), JSON.parse(process.argv[3])];
const MiB = 2 ** 20;
const inputs = { small: new Float32Array(MiB / 4).fill(1), large: new Float32Array(8 * MiB).fill(1) };

let session;
const outputs = [];
async function run(data) {
  const x = { name: 'x', type: 'float32', dims: [data.length], data };
  const [y] = await session.run([x], [{ name: 'y', location: 'cpu' }]).outputs;
  outputs.push(y);
}
const actions = {
  async load() {
    session = await createSession(given).session;
  },
  small: () => run(inputs.small),
  large: () => run(inputs.large),
  trim: () => session.trim(),
  release: () => session.release(),
};

// ONNX Runtime, once loaded, stays.
await actions.load();
await actions.small();
await actions.release();

const sizes = [process.memoryUsage.rss()];
for (const step of steps) {
  await actions[step]();
  sizes.push(process.memoryUsage.rss());
}
console.log(JSON.stringify(sizes.map((size) => Math.round((size - sizes[0]) / MiB))));
process.exitCode = outputs.every(({ data }) => data[0] === -1 && data.at(-1) === -1) ? 0 : 1;
