import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { abortable } from './abort.js';
import { Turns } from './turns.js';

/** Work that ends when it is told to, and writes down when it begins. */
function tasks() {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const task = (id: number) => () =>
    new Promise<number>((resolve) => {
      begun.push(id);
      ends[id] = () => resolve(id);
    });
  return { begun, ends, task };
}

describe('Turns', () => {
  it('go to those who came first, so many at a time', async () => {
    const turns = new Turns(2);
    const { begun, ends, task } = tasks();
    const all = [0, 1, 2, 3].map((id) => turns.take(task(id), undefined));
    await setImmediate();
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await setImmediate();
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.();
    ends[2]?.();
    await setImmediate();
    ends[3]?.();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('go on after work that fails', async () => {
    const turns = new Turns(1);
    const failing = turns.take(() => Promise.reject(new Error('no')), undefined);
    const next = turns.take(() => Promise.resolve('next'), undefined);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });

  it('are left at once by who is aborted while waiting', async () => {
    const turns = new Turns(1);
    const { begun, ends, task } = tasks();
    const controller = new AbortController();
    const first = turns.take(task(0), undefined);
    const second = turns.take(task(1), controller.signal);
    const third = turns.take(task(2), new AbortController().signal);
    await setImmediate();
    controller.abort('enough');
    await expect(second).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
    await expect(turns.take(task(3), controller.signal)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    ends[0]?.();
    await first;
    await setImmediate();
    expect(begun).toEqual([0, 2]);
    ends[2]?.();
    expect(await third).toBe(2);
  });

  it('last until what nobody waits for any more has ended', async () => {
    const turns = new Turns(1);
    const { begun, ends, task } = tasks();
    const controller = new AbortController();
    const first = turns.take((hold) => abortable(hold(task(0)()), controller.signal), controller.signal);
    const second = turns.take(task(1), undefined);
    await setImmediate();
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await setImmediate();
    expect(begun).toEqual([0]);
    ends[0]?.();
    await setImmediate();
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await second;
  });
});
