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

/** Prints the table; resolves to our photos per second. */
export async function measureCapacity(setting: Setting): Promise<number> {
  const { model, original, photo, photoFile, seconds, rounds } = setting;
  const { concurrency, threads } = setting.way;
  const way = ['--concurrency', String(concurrency), '--threads', String(threads)];
  const server = await startServer(model, ...way);
  const peer = await startPeer(original);
  const ours: Target = { address: server.address, path: `/v1/models/${setting.name}/restore`, body: photo };
  const theirs: Target = { address: peer.address, path: '/restore', body: photo };
  const [mine, others, bare]: [Measured[], Measured[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    bare.push(
      await numberFrom('bare.js', model, photoFile, concurrency, concurrency * (threads - 1) + 1, seconds),
    );
    mine.push(await measure(ours, seconds));
    others.push(await measure(theirs, seconds));
  }
  await server.end();
  await peer.end();
  const rate = (measured: readonly Measured[]) => median(measured.map(({ perSecond }) => perSecond));
  const late = (measured: readonly Measured[], share: number) =>
    median(measured.map(({ liveness }) => quantile(liveness, share))).toFixed(1);
  const [server_, peer_, bare_] = [rate(mine), rate(others), median(bare)];
  console.log(`${clientCount} clients, ${rounds} rounds of ${seconds} s, medians:`);
  console.log(
    `  bare inference    ${bare_.toFixed(2)} photos/s (${concurrency} at once, ${threads} thread each)`,
  );
  console.log(
    `  tlsc serve        ${server_.toFixed(2)} photos/s, ${(server_ / bare_).toFixed(2)} of bare, ${(server_ / peer_).toFixed(2)} x the peer; /livez ${late(mine, 0.5)} ms, p99 ${late(mine, 0.99)} ms, worst ${late(mine, 1)} ms`,
  );
  console.log(
    `  onnxruntime-node  ${peer_.toFixed(2)} photos/s; /livez ${late(others, 0.5)} ms, p99 ${late(others, 0.99)} ms, worst ${late(others, 1)} ms`,
  );
  return server_;
}
