// Layer normalization over channels, which is no statistic of the plane: NAFNet's, and Restormer's of both kinds.
import * as fc from 'fast-check';
import type { Image, Network } from './network.js';
import { type Block, flag } from './parts.js';

export interface LayerNormOptions {
  readonly axis: 1 | -3;
  /** Whether it goes over rows of channels, [N, H·W, C], as Restormer's to_3d makes them. */
  readonly inRows: boolean;
  /** Whether the rows are made by a Transpose of the image, or by one of planes laid in rows. */
  readonly transposesImage: boolean;
  /** The kind that leaves the mean in what it divides. */
  readonly biasFree: boolean;
  readonly affine: boolean;
}

export const layerNormOptions: fc.Arbitrary<LayerNormOptions> = fc.record({
  axis: fc.constantFrom(1, -3),
  inRows: flag,
  transposesImage: flag,
  biasFree: flag,
  affine: flag,
});

function toRows(network: Network, x: Image, transposesImage: boolean): string {
  if (!transposesImage) {
    const rows = network.op('Reshape', [x.value, network.ints(0, x.channels, -1)]);
    return network.op('Transpose', [rows], { perm: [0, 2, 1] });
  }
  const last = network.op('Transpose', [x.value], { perm: [0, 2, 3, 1] });
  return network.op('Reshape', [last, network.ints(0, -1, x.channels)]);
}

function toImage(network: Network, rows: string, x: Image, transposesImage: boolean): string {
  const sides = network.sides(x.value, 2, 4);
  if (!transposesImage) {
    const planes = network.op('Transpose', [rows], { perm: [0, 2, 1] });
    return network.op('Reshape', [planes, network.join(network.ints(0, x.channels), sides)]);
  }
  const shape = network.join(network.ints(-1), sides, network.ints(x.channels));
  return network.op('Transpose', [network.op('Reshape', [rows, shape])], { perm: [0, 3, 1, 2] });
}

export function normalizeLayer(network: Network, x: Image, options: LayerNormOptions): string {
  const { inRows, transposesImage, biasFree, affine } = options;
  const { type } = network.style;
  const axis = inRows ? -1 : options.axis;
  const value = inRows ? toRows(network, x, transposesImage) : x.value;
  const centered = network.op('Sub', [value, network.reduceMean(value, [axis], 1)]);
  const variance = network.reduceMean(network.op('Mul', [centered, centered]), [axis], 1);
  const deviation = network.op('Sqrt', [network.op('Add', [variance, network.floats([], [0.1], type)])]);
  let result = network.op('Div', [biasFree ? value : centered, deviation]);
  if (affine) {
    const dims = inRows ? [x.channels] : [x.channels, 1, 1];
    result = network.op('Mul', [result, network.weights(dims, 8, { around: 1 })]);
    if (!biasFree) result = network.op('Add', [result, network.weights(dims, 8)]);
  }
  return inRows ? toImage(network, result, x, transposesImage) : result;
}

export const layerNorm: fc.Arbitrary<Block> = layerNormOptions.map(
  (options) => (network, x) => network.image(normalizeLayer(network, x, options), x.channels, x.level),
);
