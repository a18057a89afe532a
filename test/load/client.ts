// Clients of a server: as many at once as there are, each with its next request when it has its answer; or requests at a rate, whatever
// becomes of them.
import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';

/** What became of a request. */
export interface Answer {
  /** 0: none, the connection broke. */
  readonly status: number;
  /** Milliseconds from the request to the end of its answer. */
  readonly took: number;
  readonly retryAfter: string | undefined;
  /** Of the body. */
  readonly hash: string;
  /** Whether nobody listened any more. */
  readonly isRefused: boolean;
}

export interface Target {
  readonly address: string;
  readonly path: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Posts a photo, and waits for the answer. */
export function post({ address, path, body, headers = {} }: Target, agent: Agent): Promise<Answer> {
  const begin = performance.now();
  const took = () => performance.now() - begin;
  return new Promise((resolve) => {
    const broken = (error: NodeJS.ErrnoException) =>
      resolve({
        status: 0,
        took: took(),
        retryAfter: undefined,
        hash: '',
        isRefused: error.code === 'ECONNREFUSED',
      });
    const sent = request(new URL(path, address), {
      method: 'POST',
      agent,
      headers: { 'content-type': 'image/jpeg', 'content-length': body.byteLength, ...headers },
    });
    sent.on('error', broken);
    sent.on('response', (response) => {
      bodyOf(response).then((bytes) => {
        const { statusCode: status = 0, headers: answered } = response;
        const hash = status === 200 ? hashOf(bytes) : '';
        resolve({ status, took: took(), retryAfter: answered['retry-after'], hash, isRefused: false });
      }, broken);
    });
    sent.end(body);
  });
}

/** So many clients, until the time is over; resolves to all answers. */
export async function clients(count: number, milliseconds: number, target: Target): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true });
  const end = performance.now() + milliseconds;
  const answers: Answer[] = [];
  const one = async () => {
    while (performance.now() < end) {
      const answer = await post(target, agent);
      answers.push(answer);
      if (answer.isRefused) return;
    }
  };
  await Promise.all(Array.from({ length: count }, one));
  agent.destroy();
  return answers;
}

/** So many requests a second, whether or not those before have their answers. */
export async function atRate(perSecond: number, milliseconds: number, target: Target): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true });
  const begin = performance.now();
  const answers: Promise<Answer>[] = [];
  for (let i = 0; (i * 1000) / perSecond < milliseconds; i++) {
    const due = begin + (i * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 1) await setTimeout(early);
    answers.push(post(target, agent));
  }
  const all = await Promise.all(answers);
  agent.destroy();
  return all;
}

/** How long a server takes to say that it lives, asked every 20 ms until `work` has ended, in milliseconds, sorted. */
export async function livenessDuring(address: string, work: Promise<unknown>): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  const times: number[] = [];
  const ask = () =>
    new Promise<void>((resolve) => {
      const begin = performance.now();
      const sent = request(new URL('/livez', address), { agent });
      sent.on('error', () => resolve());
      sent.on('response', (response) => {
        response.resume().on('end', () => {
          times.push(performance.now() - begin);
          resolve();
        });
      });
      sent.end();
    });
  while (!isOver) {
    await ask();
    await setTimeout(20);
  }
  await over;
  agent.destroy();
  return times.sort((a, b) => a - b);
}

/** The value that a share of them does not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
