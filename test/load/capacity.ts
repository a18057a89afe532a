// How many photos a second, against the peer and against nothing but the work, in turns; and how soon a server says meanwhile that it lives.
import { median } from '../bench/lateness.js';
import { type Answer, clients, livenessDuring, quantile, type Target } from './client.js';
import { numberFrom, startPeer, startServer } from './processes.js';
import type { Setting } from './setting.js';

const clientCount = 8;

interface Measured {
  readonly perSecond: number;
  /** Milliseconds, sorted. */
  readonly liveness: readonly number[];
}

async function measure(target: Target, seconds: number): Promise<Measured> {
  await clients(2, 1000, target);
  const begin = performance.now();
  const answering = clients(clientCount, seconds * 1000, target);
  const liveness = await livenessDuring(target.address, answering);
  const answers = await answering;
  const elapsed = (performance.now() - begin) / 1000;
  checkAll(answers);
  return { perSecond: answers.length / elapsed, liveness };
}

/** Throws where one is no photo, or not the same as the others. */
function checkAll(answers: readonly Answer[]): void {
  const [first] = answers;
  for (const { status, hash } of answers)
    if (status !== 200 || hash !== first?.hash) throw new Error(`answered ${status}, or with another photo`);
}

/** Prints the table: the server with the converted network, and with the original, which is what the peer has. */
export async function measureCapacity(setting: Setting): Promise<void> {
  const { model, original, name, photo, photoFile, folder, seconds, rounds, way } = setting;
  const { concurrency, threads } = way;
  const server = await startServer(
    folder,
    '--concurrency',
    String(concurrency),
    '--threads',
    String(threads),
  );
  const peer = await startPeer(original);
  const at = (served: string): Target => ({
    address: server.address,
    path: `/v1/models/${served}/restore`,
    body: photo,
  });
  const targets: Readonly<Record<string, Target>> = {
    'tlsc serve, converted': at(name),
    'tlsc serve, original': at(`${name}.original`),
    'onnxruntime-node, original': { address: peer.address, path: '/restore', body: photo },
  };
  const bare: number[] = [];
  const measured = new Map(Object.keys(targets).map((title) => [title, [] as Measured[]]));
  for (let round = 0; round < rounds; round++) {
    const sessionThreads = concurrency * (threads - 1) + 1;
    bare.push(await numberFrom('bare.js', model, photoFile, concurrency, sessionThreads, seconds));
    for (const [title, target] of Object.entries(targets))
      measured.get(title)?.push(await measure(target, seconds));
  }
  await server.end();
  await peer.end();
  const rates = new Map(
    [...measured].map(([title, ofTitle]) => [title, median(ofTitle.map(({ perSecond }) => perSecond))]),
  );
  const peerRate = rates.get('onnxruntime-node, original') ?? Number.NaN;
  console.log(`${clientCount} clients, ${rounds} rounds of ${seconds} s, medians:`);
  console.log(
    `  bare inference, converted: ${median(bare).toFixed(2)} photos/s (${concurrency} at once, ${threads} thread each)`,
  );
  for (const [title, ofTitle] of measured) {
    const rate = rates.get(title) ?? Number.NaN;
    const late = (share: number) =>
      median(ofTitle.map(({ liveness }) => quantile(liveness, share))).toFixed(1);
    console.log(
      `  ${title}: ${rate.toFixed(2)} photos/s, ${(rate / median(bare)).toFixed(2)} of bare, ${(rate / peerRate).toFixed(2)} x the peer; /livez ${late(0.5)} ms, p99 ${late(0.99)} ms, worst ${late(1)} ms`,
    );
  }
}
