// Nothing but the work: the same photo from bytes to bytes, as many at once as the pool of the server would have, without a server. Prints photos
// per second.
//
// node bare.js <model> <photo> <concurrency> <threads of a session> <seconds>
import { readFile } from 'node:fs/promises';
import { InferenceSession, restoreImage } from '@tlsc/api';

const [model = '', photo = '', concurrency, threads, seconds] = process.argv.slice(2);
const session = await InferenceSession.create(model, { intraOpNumThreads: Number(threads) });
const bytes = await readFile(photo);
await restoreImage(session, bytes, '.jpg');
const begin = performance.now();
const end = begin + Number(seconds) * 1000;
let count = 0;
const loop = async () => {
  while (performance.now() < end) {
    await restoreImage(session, bytes, '.jpg');
    count++;
  }
};
await Promise.all(Array.from({ length: Number(concurrency) }, loop));
console.log((count * 1000) / (performance.now() - begin));
