// All kinds of requests, thousands of them, small and large, damaged, given up, slowly sent: whether memory grows.
import { Agent, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { median } from '../bench/lateness.js';
import { type Answer, post, type Target } from './client.js';
import { residentBytes, startServer } from './processes.js';
import type { Setting } from './setting.js';

const memory = 2e9;

/** As a queue of photos from everywhere: megapixels, and how many of a thousand have so many. */
const sizes = [
  [0.1, 880],
  [0.4, 90],
  [2, 22],
  [8, 6],
  [24, 2],
] as const;

/** The same numbers in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function photoOf(megapixels: number): Promise<Buffer> {
  const width = Math.round(Math.sqrt(megapixels * 1e6 * 1.5));
  const height = Math.round((megapixels * 1e6) / width);
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width, height, channels: 3, background: '#000', noise } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** Sends half of a photo, and goes away; or after the whole of it, before the answer. */
async function giveUp({ address, path, body }: Target, afterAll: boolean): Promise<void> {
  const sent = request(new URL(path, address), {
    method: 'POST',
    headers: { 'content-type': 'image/jpeg', 'content-length': body.byteLength },
  });
  sent.on('error', () => {});
  if (afterAll) sent.end(body);
  else sent.write(body.subarray(0, body.byteLength / 2));
  await setTimeout(30);
  sent.destroy();
}

/** Sends a photo in pieces, with pauses. */
async function sendSlowly({ address, path, body }: Target): Promise<number> {
  const sent = request(new URL(path, address), {
    method: 'POST',
    headers: { 'content-type': 'image/jpeg', 'content-length': body.byteLength },
  });
  const answered = new Promise<number>((resolve) => {
    sent.on('error', () => resolve(0));
    sent.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
  });
  for (let at = 0; at < body.byteLength; at += Math.ceil(body.byteLength / 8)) {
    sent.write(body.subarray(at, at + Math.ceil(body.byteLength / 8)));
    await setTimeout(60);
  }
  sent.end();
  return answered;
}

type Kind = 'photo' | 'damaged' | 'given up' | 'slow';

function kindOf(number: number): Kind {
  if (number < 0.85) return 'photo';
  if (number < 0.9) return 'damaged';
  return number < 0.96 ? 'given up' : 'slow';
}

/** What would be growth, and not the chance of which photos are under way. */
const mostGrowth = 1.3;

export async function measureMixed({ model, name, requests }: Setting): Promise<void> {
  const server = await startServer(model, '--memory', String(memory), '--max-pending', '64');
  const photos = await Promise.all(
    sizes.map(async ([megapixels, share]) => [await photoOf(megapixels), share] as const),
  );
  // The same requests in each fifth, so that these can be compared.
  let [random, begun] = [numbers(1), 0];
  const next = () => random();
  const choose = () => {
    const at = next() * 1000;
    let sum = 0;
    for (const [photo, share] of photos) {
      sum += share;
      if (at < sum) return photo;
    }
    return photos[0]?.[0] as Buffer;
  };
  const agent = new Agent({ keepAlive: true });
  const counts: Record<string, number> = {};
  const resident: number[] = [];
  let done = 0;
  const one = async () => {
    if (begun++ % Math.ceil(requests / 5) === 0) random = numbers(1);
    const kind = kindOf(next());
    const body = choose();
    const target: Target = { address: server.address, path: `/v1/models/${name}/restore`, body };
    const expect = (found: number, ...expected: readonly number[]) => {
      if (!expected.includes(found)) throw new Error(`${kind}: answered ${found}`);
      counts[`${kind} ${found}`] = (counts[`${kind} ${found}`] ?? 0) + 1;
    };
    if (kind === 'given up') await giveUp(target, next() < 0.5);
    else if (kind === 'slow') expect(await sendSlowly(target), 200);
    else {
      const damaged = kind === 'damaged' ? body.subarray(0, body.byteLength * 0.7) : body;
      const { status }: Answer = await post({ ...target, body: damaged }, agent);
      expect(status, kind === 'damaged' ? 422 : 200);
    }
    done++;
    resident.push(await residentBytes(server.process));
  };
  const begin = performance.now();
  const client = async () => {
    while (done < requests) await one();
  };
  await Promise.all(Array.from({ length: 8 }, client));
  const seconds = (performance.now() - begin) / 1000;
  agent.destroy();
  // What was given up may be at work yet.
  await setTimeout(12_000);
  const idle = await residentBytes(server.process);
  await server.end();
  const fifth = (i: number) =>
    median(resident.slice((resident.length * i) / 5, (resident.length * (i + 1)) / 5)) / 1e6;
  const fifths = [0, 1, 2, 3, 4].map(fifth);
  console.log(`${done} mixed requests in ${seconds.toFixed(0)} s: ${JSON.stringify(counts)}`);
  const growth = (fifths[4] as number) / (fifths[1] as number);
  console.log(
    `  resident memory by fifths of the requests, medians: ${fifths.map((value) => value.toFixed(0)).join(', ')} MB; the last is ${growth.toFixed(3)} of the second; idle afterwards ${(idle / 1e6).toFixed(0)} MB`,
  );
  if (requests >= 1000 && growth > mostGrowth) throw new Error('memory grows');
}
