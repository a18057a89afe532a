import { existsSync, readFileSync } from 'node:fs';

const tickMs = 5;
const scheduling = '/proc/self/schedstat';
const isLinux = existsSync(scheduling);

/** Milliseconds for which this thread was ready to run and had no core; 0 where the system does not tell. */
function waitedMs(): number {
  if (!isLinux) return 0;
  return Number(readFileSync(scheduling, 'latin1').split(' ')[1]) / 1e6;
}

/** Watches how late a timer fires. On a machine with other work a thread waits for its turn: that is not counted. */
export class LoopWatch {
  #due = 0;
  #waited = 0;
  #worst = 0;
  #timer: NodeJS.Timeout | undefined;

  begin(): void {
    this.#worst = 0;
    this.#arm();
  }

  #arm(): void {
    this.#due = performance.now() + tickMs;
    this.#waited = waitedMs();
    this.#timer = setTimeout(() => this.#tick(), tickMs);
  }

  #tick(): void {
    this.#look();
    this.#arm();
  }

  #look(): void {
    const late = performance.now() - this.#due - (waitedMs() - this.#waited);
    this.#worst = Math.max(this.#worst, late);
  }

  /** The longest time that the event loop stood still since `begin`, in milliseconds. */
  end(): number {
    clearTimeout(this.#timer);
    this.#look();
    return this.#worst;
  }
}
