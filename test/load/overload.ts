// Ten times what a server can do, for a while: who is answered, how soon, with what, and from how much memory.
import { type Answer, atRate, clients, type Target } from './client.js';
import { residentBytes, residentDuring, startServer } from './processes.js';
import type { Setting } from './setting.js';

const times = 10;
/** What photos under way may take together, and how many may wait. */
const memory = 1e9;
const maxPending = 16;

function show(milliseconds: number): string {
  return Number.isFinite(milliseconds) ? `${milliseconds.toFixed(0)} ms` : 'none';
}

/** Throws where one is neither the photo nor a refusal that says when to come back. */
function check(answers: readonly Answer[], expected: string): void {
  for (const { status, hash, retryAfter } of answers) {
    const isPhoto = status === 200 && hash === expected;
    const isRefusal = status === 503 && Number(retryAfter) > 0;
    if (!isPhoto && !isRefusal) throw new Error(`answered ${status}, retry-after ${retryAfter}`);
  }
}

export async function measureOverload({ model, name, photo, overloadSeconds }: Setting): Promise<void> {
  const server = await startServer(model, '--memory', String(memory), '--max-pending', String(maxPending));
  const target: Target = { address: server.address, path: `/v1/models/${name}/restore`, body: photo };
  const before = await residentBytes(server.process);
  const [first] = await clients(1, 1, target);
  const seconds = Math.min(overloadSeconds, 20);
  const capacityNow = async () => (await clients(8, seconds * 1000, target)).length / seconds;
  const capacityBefore = await capacityNow();
  const answering = atRate(capacityBefore * times, overloadSeconds * 1000, target);
  const resident = await residentDuring(server.process, answering);
  const answers = await answering;
  const capacity = (capacityBefore + (await capacityNow())) / 2;
  check(answers, first?.hash ?? '');
  const photos = answers.filter(({ status }) => status === 200);
  const refusals = answers
    .filter(({ status }) => status !== 200)
    .map(({ took }) => took)
    .sort((a, b) => a - b);
  const late = refusals.filter((took) => took > 100).length;
  const goodput = photos.length / overloadSeconds;
  await server.end();
  console.log(
    `${times} times the capacity for ${overloadSeconds} s (it was ${capacity.toFixed(2)} photos/s, before and after):`,
  );
  console.log(
    `  ${answers.length} requests, all answered: ${photos.length} photos, each right, and ${refusals.length} refusals with Retry-After`,
  );
  console.log(
    `  goodput ${goodput.toFixed(2)} photos/s, ${(goodput / capacity).toFixed(2)} of the capacity; refused within ${show(refusals[Math.floor(refusals.length / 2)] ?? Number.NaN)} (median), ${show(refusals.at(-1) ?? Number.NaN)} at most, ${late} after 100 ms`,
  );
  console.log(
    `  memory above that of the idle process ${((Math.max(...resident) - before) / 1e6).toFixed(0)} MB, of the ${memory / 1e6} MB that photos may take`,
  );
}
