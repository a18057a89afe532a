// Prints by how many MiB the process has grown after much work that leaves nothing behind.
import { createSession } from '../dist/index.js';

const [scenario, given, rounds] = [process.argv[2], JSON.parse(process.argv[3]), Number(process.argv[4])];
const MiB = 2 ** 20;

async function dropSession() {
  await createSession(given).session;
  globalThis.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
}

let shared;
async function runLarge() {
  shared ??= await createSession(given).session;
  const data = new Float32Array(MiB);
  await shared.run([{ name: 'x', type: 'float32', dims: [MiB], data }], [{ name: 'y', location: 'cpu' }])
    .outputs;
}

async function keepWithDevice() {
  shared ??= await createSession(given).session;
  const data = new Float32Array(MiB);
  const input = { name: 'x', type: 'float32', dims: [MiB], data };
  await shared.run([input], [{ name: 'y', location: 'device' }]).outputs;
}

async function failToRun() {
  shared ??= await createSession(given).session;
  const data = new Float32Array(MiB);
  const input = { name: 'x', type: 'float32', dims: [1, MiB], data };
  await shared.run([input], [{ name: 'y', location: 'cpu' }]).outputs.then(
    () => process.exit(1),
    () => {},
  );
}

async function failToLoad() {
  await createSession({ ...given, model: new Uint8Array(MiB) }).session.then(
    () => process.exit(1),
    () => {},
  );
}

const round = {
  'drop sessions': dropSession,
  'run large': runLarge,
  'keep with the device': keepWithDevice,
  'fail to run': failToRun,
  'fail to load': failToLoad,
}[scenario];
for (let i = 0; i < 20; ++i) await round();
const before = process.memoryUsage.rss();
for (let i = 0; i < rounds; ++i) await round();
console.log(Math.round((process.memoryUsage.rss() - before) / MiB));
