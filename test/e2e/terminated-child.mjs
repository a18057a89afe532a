// Terminates workers at any moment of reading photos; prints 'survived'.
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';

const background = { r: 40, g: 90, b: 160 };
const file = await sharp({ create: { width: 4000, height: 3000, channels: 4, background } })
  .png({ compressionLevel: 1 })
  .toBuffer();
const code = `
  const { parentPort, workerData } = require('node:worker_threads');
  import('@tlsc/api').then(async ({ readPhoto }) => {
    parentPort.postMessage('started');
    for (;;) await readPhoto(workerData);
  });`;
for (let i = 0; i < 12; i++) {
  const worker = new Worker(code, { eval: true, workerData: file });
  await once(worker, 'message');
  await setTimeout(20 + 25 * i);
  await worker.terminate();
}
console.log('survived');
