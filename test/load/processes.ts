// Servers as processes, and what they take.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// Seen from test/dist/load/.
export const root = fileURLToPath(new URL('../../../', import.meta.url));
const command = `${root}packages/cli/bin/tlsc.js`;

export interface Server {
  readonly address: string;
  readonly process: ChildProcess;
  /** Resolves to the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

async function started(
  child: ChildProcess,
  addressIn: (line: string) => string | undefined,
): Promise<Server> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const address = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const found = addressIn(line);
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`a server has ended with exit code ${code}`)));
  });
  return {
    address,
    process: child,
    end: async (signal = 'SIGKILL') => {
      const ended = once(child, 'exit');
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

const stdio = ['ignore', 'pipe', 'inherit'] as const;

/** `tlsc serve` on a free port. */
export function startServer(model: string, ...args: readonly string[]): Promise<Server> {
  const all = ['serve', model, '--port', '0', ...args];
  const child = spawn(process.execPath, [command, ...all], { stdio: [...stdio] });
  return started(child, (line) => {
    const { msg, address } = JSON.parse(line) as { msg: string; address?: string };
    return msg === 'serving' ? address : undefined;
  });
}

export function startPeer(model: string): Promise<Server> {
  const script = fileURLToPath(new URL('peer.js', import.meta.url));
  return started(spawn(process.execPath, [script, model], { stdio: [...stdio] }), (line) => line);
}

export async function tlsc(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [command, ...args]);
}

/** What a script beside this one prints, a number. */
export async function numberFrom(script: string, ...args: readonly (string | number)[]): Promise<number> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...args.map(String)]);
  return Number(stdout);
}

/** Resident memory of a process in bytes, by Linux; NaN elsewhere. */
export async function residentBytes({ pid }: ChildProcess): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? Number.NaN) * 1024;
}

/** The same, again and again until `work` has ended. */
export async function residentDuring(child: ChildProcess, work: Promise<unknown>): Promise<number[]> {
  const found: number[] = [];
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    found.push(await residentBytes(child));
    await setTimeout(50);
  }
  await over;
  return found;
}
