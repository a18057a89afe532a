// Small models that tests serve.
import { DataType, makeNode } from '../../ts-api/src/graph/proto.js';
import { buildBytes, floats, valueInfo } from '../../ts-api/test/build-model.js';

/** A photo becomes its negative. */
export const inverted = buildBytes({
  node: [makeNode('Sub', ['one', 'x'], ['y'])],
  initializer: [floats('one', [1], [1])],
});

/** A photo stays what it is, after a while. */
export function slow(layers: number): Uint8Array {
  const names = ['x', ...Array.from({ length: layers - 1 }, (_, i) => `a${i}`), 'y'];
  const same = Array.from({ length: 81 }, (_, i) => (Math.floor(i / 9) % 4 === 0 && i % 9 === 4 ? 1 : 0));
  return buildBytes({
    node: names
      .slice(1)
      .map((name, i) =>
        makeNode('Conv', [names[i] as string, 'w'], [name], { attributes: { pads: [1, 1, 1, 1] } }),
      ),
    initializer: [floats('w', [3, 3, 3, 3], same)],
  });
}

/** By the names of the protocol. */
export const types = {
  BOOL: DataType.BOOL,
  UINT8: DataType.UINT8,
  UINT16: DataType.UINT16,
  UINT32: DataType.UINT32,
  UINT64: DataType.UINT64,
  INT8: DataType.INT8,
  INT16: DataType.INT16,
  INT32: DataType.INT32,
  INT64: DataType.INT64,
  FP16: DataType.FLOAT16,
  FP32: DataType.FLOAT,
  FP64: DataType.DOUBLE,
} as const;

/** Hands out what it is given, of any number of values. */
export function identity(type: DataType): Uint8Array {
  return buildBytes({
    node: [makeNode('Identity', ['x'], ['y'])],
    input: [valueInfo('x', ['n'], type)],
    output: [valueInfo('y', ['n'], type)],
  });
}

/** Two outputs. */
export const sumAndDifference = buildBytes({
  node: [makeNode('Add', ['a', 'b'], ['sum']), makeNode('Sub', ['a', 'b'], ['difference'])],
  input: [valueInfo('a', ['n', 2]), valueInfo('b', ['n', 2])],
  output: [valueInfo('sum', ['n', 2]), valueInfo('difference', ['n', 2])],
});
