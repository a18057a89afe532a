import type { NativeInput, NativeSession } from '@tlsc/core-native';
import { describe, expect, test } from 'vitest';
import { collectGarbage, failure, float32, identityModel, load, run, start } from './support.js';

describe('wrong arguments', () => {
  const good = { name: 'x', type: 'float32', dims: [2], data: new Float32Array(2) };
  const detached = new Float32Array(2);
  const y = [{ name: 'y', location: 'cpu' }] as const;
  structuredClone(detached.buffer, { transfer: [detached.buffer] });

  test.each<[string, object, RegExp]>([
    ['an unknown element type', { type: 'float31' }, /x.*float31/],
    ['the type string', { type: 'string' }, /x.*string/],
    ['no type', { type: undefined }, /x/],
    ['too little data', { data: new Float32Array(1) }, /x.*4 bytes/],
    ['too much data', { data: new Float32Array(3) }, /x.*12 bytes/],
    ['data of another size of element', { data: new Float64Array(2) }, /x.*holds float32/],
    ['bytes for floats', { data: new Uint8Array(8) }, /x.*not the kind of typed array that holds float32/],
    ['doubles of the same size', { dims: [4], data: new Float64Array(2) }, /x.*holds float32/],
    ['detached data', { data: detached }, /x/],
    ['a plain array', { data: [1, 2] }, /x.*typed array/],
    ['an ArrayBuffer', { data: new ArrayBuffer(8) }, /x.*typed array/],
    ['a DataView', { data: new DataView(new ArrayBuffer(8)) }, /x.*typed array/],
    ['no data', { data: undefined }, /x.*typed array/],
    ['data null', { data: null }, /x.*typed array/],
    ['a negative size', { dims: [-2] }, /x.*dimension 0/],
    ['a broken size', { dims: [0.5] }, /x.*dimension 0/],
    ['a size that is no number', { dims: [2, 'n'] }, /x.*dimension 1/],
    ['a size beyond all memory', { dims: [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 22] }, /x/],
    ['an infinite size', { dims: [Number.POSITIVE_INFINITY] }, /x/],
  ])('%s gives ERR_INVALID_ARGUMENT', async (_, change, message) => {
    const session = await load(identityModel());
    const input = { ...good, ...change } as NativeInput;
    expect(() => start(session, [input], ['y'])).toThrow(failure('ERR_INVALID_ARGUMENT', message));
    expect((await run(session, good as NativeInput)).dims).toEqual([2]);
  });

  test.each<[string, unknown[]]>([
    ['nothing', []],
    ['null', [null, null]],
    ['a number for the inputs', [1, y]],
    ['an input that is undefined', [[undefined], y]],
    ['no dims', [[{ ...good, dims: undefined }], y]],
    ['no outputs', [[good]]],
    ['null for an output', [[good], [null]]],
    ['an input with the handle of something else', [[{ name: 'x', handle: {} }], y]],
    ['a symbol for the name of an output', [[good], [{ name: Symbol('y'), location: 'cpu' }]]],
    [
      'a getter that throws',
      [
        [
          {
            ...good,
            get data() {
              throw new Error('mine');
            },
          },
        ],
        y,
      ],
    ],
  ])('of the wrong shape, %s, throw an error', async (_, args) => {
    const session = await load(identityModel());
    const callable = session.run.bind(session) as (...given: unknown[]) => unknown;
    expect(() => callable(...args)).toThrow(Error);
    expect((await run(session, good as NativeInput)).dims).toEqual([2]);
  });

  test.each<[string, object]>([
    ['no model', { model: undefined }],
    ['a number for the model', { model: 1 }],
    ['a number for the runtime', { runtimePath: 1 }],
    ['a symbol for the runtime', { runtimePath: Symbol('path') }],
    ['no providers', { providers: undefined }],
    ['null for a provider', { providers: [null] }],
    ['a provider without options', { providers: [{ name: 'cpu' }] }],
    ['an optimization level that is none', { graphOptimizationLevel: 17 }],
  ])('of the wrong shape, %s, reject in createSession', async (_, change) => {
    await expect(load(identityModel(), change)).rejects.toBeInstanceOf(Error);
    expect((await load(identityModel())).inputs).toHaveLength(1);
  });

  test('JavaScript cannot construct a session or borrow its methods', async () => {
    const session = await load(identityModel());
    const Class = session.constructor as new (...args: unknown[]) => NativeSession;
    for (const args of [[], [{}], [session], [null]]) expect(() => new Class(...args)).toThrow(TypeError);
    const { run: borrowed } = session;
    for (const self of [{}, null, Object.create(Class.prototype), new Map()]) {
      expect(() => borrowed.call(self as NativeSession, [good as NativeInput], y)).toThrow();
    }
  });

  test('an output moved to another owner is refused or moved, never freed twice', async () => {
    const session = await load(identityModel());
    const { data } = await run(session, float32('x', [1000], 3));
    try {
      const moved = structuredClone(data, { transfer: [data.buffer as ArrayBuffer] }) as Float32Array;
      expect(moved[999]).toBe(3);
    } catch (error) {
      expect(error).toMatchObject({ name: 'DataCloneError' });
      expect(data[999]).toBe(3);
    }
    await collectGarbage();
  });
});
