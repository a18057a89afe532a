import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TlscError } from '../errors.js';
import { Admission, type Ticket } from './admission.js';

const never = new AbortController().signal;

/** Enters and asks for its turn; `began` fills up in the order of the turns. */
function come(
  admission: Admission,
  began: string[],
  name: string,
  { bytes = 1, priority = 0, signal = never } = {},
): Ticket {
  const ticket = admission.enter(priority);
  ticket.begin(bytes, signal).then(
    () => began.push(name),
    (error: TlscError) => began.push(`${name} ${error.code}`),
  );
  return ticket;
}

function codeOf(work: () => unknown): Partial<TlscError> {
  try {
    work();
  } catch (error) {
    if (error instanceof TlscError) return { code: error.code, retryAfter: error.retryAfter };
  }
  return {};
}

describe('admission', () => {
  it('gives places to the highest priority, then to who came first', async () => {
    const admission = new Admission(1, 100, 9);
    const began: string[] = [];
    const first = come(admission, began, 'first');
    const others = [
      come(admission, began, 'second'),
      come(admission, began, 'third'),
      come(admission, began, 'urgent', { priority: 1 }),
      come(admission, began, 'idle', { priority: -1 }),
    ];
    expect(admission).toMatchObject({ pending: 4, running: 1, taken: 1 });
    first.leave();
    for (const at of [2, 0, 1, 3]) {
      await setImmediate();
      others[at]?.leave();
    }
    await setImmediate();
    expect(began).toEqual(['first', 'urgent', 'second', 'third', 'idle']);
    expect(admission).toMatchObject({ pending: 0, running: 0, taken: 0 });
  });

  it('refuses who finds no place to wait, and says when to come back', () => {
    const admission = new Admission(2, 100, 1);
    for (const name of ['a', 'b', 'c']) come(admission, [], name);
    expect(admission.isFull).toBe(true);
    expect(codeOf(() => admission.enter(5))).toEqual({ code: 'ERR_BUSY', retryAfter: 1 });
  });

  it('counts who has not said yet how much it takes, and lets others go first', async () => {
    const admission = new Admission(1, 100, 1);
    const began: string[] = [];
    const slow = admission.enter(0);
    const quick = come(admission, began, 'quick');
    await setImmediate();
    expect(began).toEqual(['quick']);
    expect(codeOf(() => admission.enter(0)).code).toBe('ERR_BUSY');
    slow.leave();
    quick.leave();
    await setImmediate();
    expect(admission).toMatchObject({ pending: 0, running: 0, taken: 0, isFull: false });
  });

  it('has the first in line wait for memory, and nobody overtake it', async () => {
    const admission = new Admission(3, 100, 9);
    const began: string[] = [];
    const first = come(admission, began, 'first', { bytes: 60 });
    const large = come(admission, began, 'large', { bytes: 90 });
    const small = come(admission, began, 'small', { bytes: 5 });
    await setImmediate();
    expect(began).toEqual(['first']);
    first.leave();
    await setImmediate();
    expect(began).toEqual(['first', 'large', 'small']);
    expect(admission.taken).toBe(95);
    large.leave();
    small.leave();
  });

  it('has memory given back that is kept for others, where it is wanted', () => {
    const spare = {
      bytes: 60,
      giveBack: () => {
        spare.bytes = 0;
      },
    };
    const admission = new Admission(2, 100, 9, spare);
    come(admission, [], 'small', { bytes: 40 });
    expect(spare.bytes).toBe(60);
    come(admission, [], 'other', { bytes: 1 });
    expect(spare.bytes).toBe(0);
  });

  it('gives the place back at once, and the memory when it is out of use', async () => {
    const admission = new Admission(1, 100, 9);
    const began: string[] = [];
    const first = come(admission, began, 'first', { bytes: 60 });
    let end = () => {};
    void first.hold(new Promise<void>((resolve) => (end = resolve)));
    come(admission, began, 'small', { bytes: 40 });
    first.leave();
    await setImmediate();
    expect(began).toEqual(['first', 'small']);
    expect(admission).toMatchObject({ running: 1, taken: 100 });
    end();
    await setImmediate();
    expect(admission.taken).toBe(40);
  });

  it('lets who waits go at once when it is aborted', async () => {
    const admission = new Admission(1, 100, 2);
    const began: string[] = [];
    const first = come(admission, began, 'first');
    const controller = new AbortController();
    const gone = come(admission, began, 'gone', { signal: controller.signal });
    come(admission, began, 'next');
    controller.abort();
    await setImmediate();
    expect(began).toEqual(['first', 'gone ERR_ABORTED']);
    gone.leave();
    expect(admission.pending).toBe(1);
    first.leave();
    await setImmediate();
    expect(began.at(-1)).toBe('next');
  });

  it('has who wants more memory wait before all others', async () => {
    const admission = new Admission(2, 100, 9);
    const began: string[] = [];
    const first = come(admission, began, 'first', { bytes: 30 });
    const second = come(admission, began, 'second', { bytes: 30 });
    come(admission, began, 'third', { bytes: 30 });
    await setImmediate();
    void first.beginAgain(100, never).then(() => began.push('first again'));
    await setImmediate();
    expect(admission).toMatchObject({ running: 1, taken: 30, pending: 2 });
    second.leave();
    await setImmediate();
    expect(began).toEqual(['first', 'second', 'first again']);
    first.leave();
    await setImmediate();
    expect(began.at(-1)).toBe('third');
  });

  it('knows from what was how long it will take', async () => {
    const admission = new Admission(1, 100, 3);
    const first = come(admission, [], 'first');
    await setImmediate();
    first.leave();
    for (const name of ['a', 'b', 'c']) come(admission, [], name);
    // Of 3 that take next to nothing: not even a second.
    expect(admission.retryAfter).toBe(1);
    expect(new Admission(1, 100, 3).retryAfter).toBe(1);
  });

  it('is closed when all have left, and lets nobody in from then on', async () => {
    const admission = new Admission(1, 100, 9);
    const began: string[] = [];
    const [first, second] = [come(admission, began, 'first'), come(admission, began, 'second')];
    await setImmediate();
    let isClosed = false;
    const closed = admission.close('closed').then(() => {
      isClosed = true;
    });
    expect(codeOf(() => admission.enter(0)).code).toBe('ERR_SESSION_RELEASED');
    first.leave();
    await setImmediate();
    expect(began).toEqual(['first', 'second']);
    expect(isClosed).toBe(false);
    second.leave();
    await closed;
  });
});
