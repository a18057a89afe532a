// The parent's side of a child: gives it files, holds it to the limits, says what it did wrong.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CallName } from './calls.js';
import { limits } from './limits.js';
import type { Order, Outcome, Reply } from './messages.js';

/** Beside this file once built; tests run this file from its source. */
const isSource = import.meta.url.endsWith('.ts');
const childFile = fileURLToPath(new URL(isSource ? '../dist/fuzz/child.js' : './child.js', import.meta.url));

const pollMs = 100;
/** Long, for machines with much else to do. */
const startMs = 60_000;
/** What a child has written arrives a little after its end. */
const outputMs = 20;
/** The end of what a child writes is enough to see what it died of. */
const keptOutput = 4_000;

/**
 * died: the process ended, by a signal or by itself. exit: it could not end. The others: a limit was passed, an error is
 * none that the documentation lists, or kernels and function bodies do not compute the same.
 */
export type FindingKind = 'died' | 'slow' | 'memory' | 'stall' | 'error' | 'disagreement' | 'exit';

export interface Finding {
  readonly kind: FindingKind;
  readonly call: CallName | 'exit';
  /** For people: the signal, the error's stack, the number that was too large. */
  readonly detail: string;
}

export interface Result {
  /** Of the calls that ended. */
  readonly outcomes: readonly Outcome[];
  readonly finding: Finding | undefined;
}

function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096;
  } catch {
    return 0; // It has just ended, or the system has no such file: the child's own figure serves.
  }
}

/** The first thing wrong with calls that ended. */
function wrongWith(outcomes: readonly Outcome[]): Finding | undefined {
  for (const { call, fault, ms, stallMs, peakBytes } of outcomes) {
    if (fault) return { kind: fault.kind, call, detail: fault.detail };
    if (ms > limits.callMs) return { kind: 'slow', call, detail: `${Math.round(ms)} ms` };
    if (peakBytes > limits.memoryBytes)
      return { kind: 'memory', call, detail: `${Math.round(peakBytes / 2 ** 20)} MiB` };
    if (stallMs > limits.stallMs) return { kind: 'stall', call, detail: `${Math.round(stallMs)} ms` };
  }
  return undefined;
}

export class Subject {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';
  #current: CallName | undefined;
  /** When the current call began; undefined while the child starts. */
  #begun: number | undefined;
  #ordered = 0;

  /** `folder` is the one that the child works in. */
  constructor(folder = process.cwd()) {
    this.#child = fork(childFile, {
      cwd: folder,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    // Not 'close', which does not come after a disconnect.
    this.#ended = once(this.#child, 'exit');
    // A send to a child that has just died is known by its end.
    this.#child.on('error', () => {});
    this.#child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-keptOutput);
    });
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** After a finding of kind died, slow or memory the child is gone; whatever it was, take a new one. */
  async attempt(bytes: Uint8Array, calls: readonly CallName[], side?: number): Promise<Result> {
    this.#current = calls[0];
    this.#begun = undefined;
    this.#ordered = performance.now();
    const answer = this.#answer();
    this.#child.send({ bytes, calls, side } satisfies Order, () => {});
    const watching = new AbortController();
    try {
      const result = await Promise.race([answer, this.#death(), this.#excess(watching.signal)]);
      return 'outcomes' in result
        ? { outcomes: result.outcomes, finding: wrongWith(result.outcomes) }
        : { outcomes: [], finding: result };
    } finally {
      watching.abort();
      this.#child.removeAllListeners('message');
    }
  }

  #answer(): Promise<{ outcomes: readonly Outcome[] }> {
    return new Promise((resolve) => {
      this.#child.on('message', (reply: Reply) => {
        if ('outcomes' in reply) return resolve(reply);
        this.#current = reply.begun;
        this.#begun = performance.now();
      });
    });
  }

  async #death(): Promise<Finding> {
    await this.#ended;
    await wait(outputMs);
    const { signalCode, exitCode } = this.#child;
    const how = signalCode ?? `exit code ${exitCode}`;
    return this.#finding('died', `${how}\n${this.#output}`.trimEnd());
  }

  /** Watches time and memory from outside, for calls that do not come back; kills the child. */
  async #excess(signal: AbortSignal): Promise<Finding> {
    for (;;) {
      await wait(pollMs, undefined, { signal }).catch(() => {});
      if (signal.aborted || this.#hasEnded) return new Promise(() => {});
      const ms = performance.now() - (this.#begun ?? performance.now());
      if (this.#begun === undefined && performance.now() - this.#ordered > startMs) {
        await this.kill();
        throw new Error(`${childFile} does not start within ${startMs} ms`);
      }
      const bytes = residentBytes(this.#child.pid);
      if (ms <= limits.callMs && bytes <= limits.memoryBytes) continue;
      const finding =
        ms > limits.callMs
          ? this.#finding('slow', `more than ${Math.round(ms)} ms`)
          : this.#finding('memory', `more than ${Math.round(bytes / 2 ** 20)} MiB`);
      await this.kill();
      return finding;
    }
  }

  #finding(kind: FindingKind, detail: string): Finding {
    return { kind, call: this.#current ?? 'exit', detail };
  }

  /** Lets the child end by itself, as a program does that has nothing left to do. */
  async end(): Promise<Finding | undefined> {
    if (this.#hasEnded) return undefined;
    this.#current = undefined;
    if (this.#child.connected) this.#child.disconnect();
    const late = new AbortController();
    const timeout = wait(limits.exitMs, 'late' as const, { signal: late.signal }).catch(() => undefined);
    const first = await Promise.race([this.#ended, timeout]);
    late.abort();
    if (first === 'late') {
      await this.kill();
      return { kind: 'exit', call: 'exit', detail: `still there after ${limits.exitMs} ms` };
    }
    const { signalCode, exitCode } = this.#child;
    if (exitCode === 0) return undefined;
    return {
      kind: 'died',
      call: 'exit',
      detail: `${signalCode ?? `exit code ${exitCode}`}\n${this.#output}`.trimEnd(),
    };
  }

  async kill(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** What a process of its own makes of a file, its exit included. */
export async function attemptAlone(
  bytes: Uint8Array,
  calls: readonly CallName[],
  { side, folder }: { readonly side?: number | undefined; readonly folder?: string } = {},
): Promise<Result> {
  const subject = new Subject(folder);
  try {
    const result = await subject.attempt(bytes, calls, side);
    return { ...result, finding: result.finding ?? (await subject.end()) };
  } finally {
    await subject.kill();
  }
}
