import { type Feeds, Tensor, type ValueMetadata } from '@tlsc/api';

/** Larger inputs are not worth the time. */
const maxElements = 2 ** 18;

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

/** Something for each input, free sides of images `side` long; undefined where an input is no tensor of numbers, or too large. */
export function feedsFor(inputs: readonly ValueMetadata[], side: number): Feeds | undefined {
  const feeds: Record<string, Tensor> = {};
  for (const input of inputs) {
    if (!input.isTensor || !Object.hasOwn(arrays, input.type)) return undefined;
    const free = (axis: number) => (input.shape.length === 4 && axis >= 2 ? side : axis === 1 ? 3 : 1);
    const dims = input.shape.map((given, axis) => (typeof given === 'number' ? given : free(axis)));
    const count = dims.reduce((product, length) => product * length, 1);
    if (count > maxElements || dims.some((length) => length > maxElements)) return undefined;
    feeds[input.name] = tensorOf(input.type as keyof typeof arrays, count, dims);
  }
  return feeds;
}

function tensorOf(type: keyof typeof arrays, count: number, dims: readonly number[]): Tensor {
  const data = new arrays[type](count);
  if (data instanceof Float32Array || data instanceof Float64Array)
    for (let i = 0; i < count; i++) data[i] = ((i * 2_654_435_761) % 1000) / 1000;
  return new Tensor(type, data as never, dims);
}
