// What several blocks of generated networks are written with.
import * as fc from 'fast-check';
import type { Image, Network } from './network.js';

/** Adds some nodes to a network and returns the image that goes on. */
export type Block = (network: Network, x: Image) => Image;

export const even = fc.constantFrom(2, 4, 6, 8);
export const flag = fc.boolean();

/** Hands the value on as it is, by whatever node the name says. */
export const detour = fc.constantFrom('none', 'none', 'Identity', 'Dropout');

export function handOn(network: Network, value: string, by: string): string {
  return by === 'none' ? value : network.op(by, [value]);
}

export function convolve(
  network: Network,
  x: Image,
  {
    channels,
    side = 1,
    group = 1,
    stride = 1,
    shared = false,
    bias = true,
  }: {
    channels: number;
    side?: number;
    group?: number;
    stride?: number;
    shared?: boolean;
    bias?: boolean;
  },
): Image {
  const pad = (side - 1) / 2;
  const weight = network.weights(
    [channels, x.channels / group, side, side],
    (x.channels / group) * side ** 2,
    { shared },
  );
  const inputs = [x.value, weight, ...(bias ? [network.weights([channels], 8, { shared })] : [])];
  const attributes = {
    group,
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    kernel_shape: [side, side],
  };
  return network.image(network.op('Conv', inputs, attributes), channels, x.level + (stride === 2 ? 1 : 0));
}

/** The channels of an image in equal parts. */
export function partsOf(network: Network, x: Image, count: number, sliced: boolean): string[] {
  const side = x.channels / count;
  const starts = Array.from({ length: count }, (_, i) => i * side);
  if (!sliced)
    return network.split(
      x.value,
      1,
      starts.map(() => side),
    );
  return starts.map((from) =>
    network.op('Slice', [x.value, network.ints(from), network.ints(from + side), network.ints(1)]),
  );
}
