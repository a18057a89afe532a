import { describe, expect, it } from 'vitest';
import { floats, halves } from '../../test/build-model.js';
import type { TensorProto } from '../graph/proto.js';
import { makeWeights, weightsOf } from './weights.js';

function raw(tensor: TensorProto, bytes: number): TensorProto {
  tensor.floatData = [];
  tensor.int32Data = [];
  tensor.rawData = new Uint8Array(bytes);
  return tensor;
}

describe('weightsOf', () => {
  it('reads what makeWeights makes, in both types', () => {
    for (const like of [floats('w', []), halves('w', [])])
      expect([...weightsOf(makeWeights(like, [2, 2], Float32Array.of(0.5, -1, 2, 0)))]).toEqual([
        0.5, -1, 2, 0,
      ]);
  });

  it('reads values that are listed', () => {
    expect([...weightsOf(floats('w', [2], [1.5, 2]))]).toEqual([1.5, 2]);
    expect([...weightsOf(floats('w', [], [3]))]).toEqual([3]);
    expect([...weightsOf(halves('w', [2], [1.5, 2]))]).toEqual([1.5, 2]);
  });

  it.each([
    ['bytes that are no whole number', raw(floats('w', [2]), 7), 'constant w, 2, holds 1.75 values, not 2'],
    ['odd bytes in float16', raw(halves('w', [2]), 3), 'constant w, 2, holds 1.5 values, not 2'],
    ['too few values', floats('w', [2, 2], [1, 2, 3]), 'constant w, 2x2, holds 3 values, not 4'],
    ['none', raw(floats('', [1]), 0), 'constant of a Constant node, 1, holds 0 values, not 1'],
  ])('refuses %s', (_, tensor, message) => {
    expect(() => weightsOf(tensor)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_MODEL', message }));
  });
});
