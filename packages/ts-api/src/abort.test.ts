import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { abortable, onAbort } from './abort.js';

describe('onAbort', () => {
  it('calls everyone who waits, behind one listener', () => {
    const controller = new AbortController();
    const callback = vi.fn();
    const stops = Array.from({ length: 20 }, () => onAbort(controller.signal, callback));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    for (const stop of stops.slice(0, 5)) stop();
    controller.abort();
    expect(callback).toHaveBeenCalledTimes(15);
  });

  it('leaves no listener behind, and listens again', () => {
    const controller = new AbortController();
    const callback = vi.fn();
    const stop = onAbort(controller.signal, callback);
    stop();
    stop();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    onAbort(controller.signal, callback);
    controller.abort();
    expect(callback).toHaveBeenCalledOnce();
  });

  it('calls at once what comes late', () => {
    const callback = vi.fn();
    onAbort(AbortSignal.abort(), callback);
    expect(callback).toHaveBeenCalledOnce();
  });
});

describe('abortable', () => {
  it('settles as the work does', async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(abortable(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
    await expect(abortable(Promise.resolve(1), undefined)).resolves.toBe(1);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('waits no longer once aborted, and ignores what the work comes to', async () => {
    const controller = new AbortController();
    let fail = (_: Error) => {};
    const work = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const waiting = abortable(work, controller.signal);
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'enough' });
    // Were this unhandled, the test run would fail.
    fail(new Error('too late'));
    await setImmediate();
  });
});
