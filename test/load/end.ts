// A server that is told to end while clients are at it.
import { setTimeout } from 'node:timers/promises';
import { clients, type Target } from './client.js';
import { startServer } from './processes.js';
import type { Setting } from './setting.js';

export async function measureEnd({ model, name, photo }: Setting): Promise<void> {
  const server = await startServer(model);
  const target: Target = { address: server.address, path: `/v1/models/${name}/restore`, body: photo };
  const [first] = await clients(1, 1, target);
  const answering = clients(8, 60_000, target);
  await setTimeout(3000);
  const begin = performance.now();
  const code = await server.end('SIGTERM');
  const took = performance.now() - begin;
  const answers = await answering;
  const photos = answers.filter(({ status, hash }) => status === 200 && hash === first?.hash);
  const unheard = answers.filter(({ isRefused }) => isRefused);
  const refused = answers.filter(({ status }) => status === 503);
  const lost = answers.length - photos.length - unheard.length - refused.length;
  console.log(
    `SIGTERM under 8 clients: ended after ${(took / 1000).toFixed(1)} s with exit code ${code}; ${photos.length} photos, ${refused.length} refused with 503, ${unheard.length} found nobody listening, ${lost} lost`,
  );
  if (lost > 0 || code !== 0) throw new Error(`${lost} requests were lost, exit code ${code}`);
}
