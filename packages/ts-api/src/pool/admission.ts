// Who may begin, and when: by places, by memory, and by how many wait already.
import { onAbort } from '../abort.js';
import { aborted, TlscError, throwIfAborted } from '../errors.js';
import type { Hold } from '../turns.js';
import type { SpareMemory } from './spare-memory.js';

/** One that has been let in. */
interface Entry {
  readonly priority: number;
  /** Bytes; undefined until it is known, when others may go first. */
  need: number | undefined;
  begin: () => void;
}

/** How much of what was measured before counts where the next is measured. */
const memoryOfTimes = 0.9;

/** What is said before anything was measured, in seconds. */
const firstHint = 1;

/**
 * Lets in as many as have a place or may wait for one. Places go to the highest priority, and of equal ones to who came first; the first in
 * line waits until there is memory for it, and nobody overtakes it then, so that large ones have their turn as well.
 */
export class Admission {
  readonly places: number;
  /** Bytes that all who have a place may take together. */
  readonly memory: number;
  readonly #spare: Pick<SpareMemory, 'bytes' | 'giveBack'>;
  readonly #maxPending: number;
  readonly #waiting: Entry[] = [];
  #running = 0;
  #taken = 0;
  #closed: string | undefined;
  /** Seconds that one takes, as a running mean. */
  #usual: number | undefined;
  #wakeIdle: (() => void)[] = [];

  constructor(
    places: number,
    memory: number,
    maxPending: number,
    spare: Pick<SpareMemory, 'bytes' | 'giveBack'> = { bytes: 0, giveBack: () => {} },
  ) {
    this.#spare = spare;
    this.places = places;
    this.memory = memory;
    this.#maxPending = maxPending;
  }

  get pending(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running;
  }

  /** Bytes. */
  get taken(): number {
    return this.#taken;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Whether one more would be refused. */
  get isFull(): boolean {
    return this.isClosed || this.pending + this.#running >= this.places + this.#maxPending;
  }

  /** In how many seconds one of those who are there may be done, so that another is let in. */
  get retryAfter(): number {
    const { pending, places } = this;
    return Math.max(1, Math.ceil(((this.#usual ?? firstHint) * (pending + 1)) / places));
  }

  /** Throws ERR_BUSY where too many wait, or ERR_SESSION_RELEASED. */
  enter(priority: number): Ticket {
    if (this.#closed !== undefined) throw new TlscError('ERR_SESSION_RELEASED', this.#closed);
    if (this.isFull) {
      const { retryAfter, pending } = this;
      const message = `${pending} wait already, which is all that may; try again in ${retryAfter} s`;
      throw new TlscError('ERR_BUSY', message, { retryAfter });
    }
    const entry: Entry = { priority, need: undefined, begin: () => {} };
    const later = this.#waiting.findIndex((other) => other.priority < priority);
    this.#waiting.splice(later < 0 ? this.pending : later, 0, entry);
    return new Ticket(this, entry);
  }

  /** Lets nobody in from now on; resolves when all who are in have left. */
  async close(why: string): Promise<void> {
    this.#closed = why;
    if (this.pending + this.#running === 0) return;
    await new Promise<void>((resolve) => this.#wakeIdle.push(resolve));
  }

  /** Begins those whose turn it is. */
  advance(): void {
    for (;;) {
      const first = this.#waiting.findIndex(({ need }) => need !== undefined);
      const entry = this.#waiting[first];
      if (entry?.need === undefined || this.#running >= this.places) return;
      const wanted = this.#taken + entry.need;
      if (wanted > this.memory) return;
      if (wanted + this.#spare.bytes > this.memory) this.#spare.giveBack();
      this.#waiting.splice(first, 1);
      this.#running++;
      this.#taken += entry.need;
      entry.begin();
    }
  }

  /** Takes one out that has not begun. */
  withdraw(entry: Entry): void {
    const at = this.#waiting.indexOf(entry);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#left();
  }

  /** Takes a place and memory away again from one that is to wait for more, before all of its priority. */
  requeue(entry: Entry): void {
    this.#running--;
    this.#taken -= entry.need ?? 0;
    entry.need = undefined;
    const place = this.#waiting.findIndex(({ priority }) => priority <= entry.priority);
    this.#waiting.splice(place < 0 ? this.pending : place, 0, entry);
  }

  /** Gives a place back, after so many seconds. */
  leave(seconds: number): void {
    this.#running--;
    this.#usual = memoryOfTimes * (this.#usual ?? seconds) + (1 - memoryOfTimes) * seconds;
    this.#left();
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes;
    this.advance();
  }

  #left(): void {
    this.advance();
    if (this.pending + this.#running > 0) return;
    for (const wake of this.#wakeIdle.splice(0)) wake();
  }
}

/** That one has been let in. To be left once. */
export class Ticket {
  readonly #admission: Admission;
  readonly #entry: Entry;
  /** What is waited for before memory is given back. */
  readonly #held: Promise<unknown>[] = [];
  #began: number | undefined;

  constructor(admission: Admission, entry: Entry) {
    this.#admission = admission;
    this.#entry = entry;
  }

  /** Waits for a place and for so many bytes. Rejects with ERR_ABORTED. */
  async begin(bytes: number, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    await new Promise<void>((resolve, reject) => {
      const stop = onAbort(signal, () => reject(aborted(signal)));
      this.#entry.begin = () => {
        stop();
        this.#began = performance.now();
        resolve();
      };
      this.#entry.need = bytes;
      this.#admission.advance();
    });
  }

  /** Gives all back, and waits for a place and for other bytes, before all others. Rejects with ERR_ABORTED. */
  async beginAgain(bytes: number, signal: AbortSignal): Promise<void> {
    await Promise.allSettled(this.#held);
    this.#began = undefined;
    this.#admission.requeue(this.#entry);
    await this.begin(bytes, signal);
  }

  /** Returns what it is given, whose memory is taken until it has settled, whoever still waits for it. */
  readonly hold: Hold = (work) => {
    this.#held.push(work);
    return work;
  };

  /** Gives the place back at once, and the memory when nothing of it is used any more. */
  leave(): void {
    if (this.#began === undefined) {
      this.#admission.withdraw(this.#entry);
      return;
    }
    const bytes = this.#entry.need ?? 0;
    void Promise.allSettled(this.#held).then(() => this.#admission.giveBack(bytes));
    this.#admission.leave((performance.now() - this.#began) / 1000);
  }
}
