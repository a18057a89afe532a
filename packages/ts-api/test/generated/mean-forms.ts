// Means as other exporters and architectures write them, and what these do with them before they meet an image.
import * as fc from 'fast-check';
import type { Image, Network } from './network.js';
import { type Block, flag } from './parts.js';

const spellings = ['rows', 'steps', 'last', 'last, dropped', 'sum', 'sum times the reciprocal'] as const;

/** The number of pixels of an image, one float. */
function pixelsOf(network: Network, x: Image): string {
  const shape = network.op('Shape', [x.value]);
  const side = (axis: number) => network.op('Gather', [shape, network.index(axis)], { axis: 0 });
  const { type } = network.style;
  return network.op('Cast', [network.op('Mul', [side(2), side(3)])], { to: type === 'float32' ? 1 : 10 });
}

/** The mean of the planes, [N, C, 1, 1]. */
function meanOf(network: Network, x: Image, spelling: (typeof spellings)[number]): string {
  const { value, channels } = x;
  const state = (output: string, keepdims: number) =>
    network.statistic('mean', [value], output, { keepdims });
  const raise = (flat: string) => network.op('Reshape', [flat, network.ints(-1, channels, 1, 1)]);
  if (spelling === 'rows') {
    const rows = network.op('Reshape', [value, network.ints(0, channels, -1)]);
    return raise(state(network.reduceMean(rows, [-1], 0), 0));
  }
  if (spelling === 'steps') return state(network.reduceMean(network.reduceMean(value, [3], 1), [2], 1), 1);
  if (spelling === 'sum') {
    const sum = network.reduce('ReduceSum', value, [2, 3], 1);
    return state(network.op('Div', [sum, pixelsOf(network, x)]), 1);
  }
  if (spelling === 'sum times the reciprocal') {
    const one = network.floats([], [1], network.style.type);
    const weight = network.op('Div', [one, pixelsOf(network, x)]);
    return raise(state(network.op('Mul', [weight, network.reduce('ReduceSum', value, [2, 3], 0)]), 0));
  }
  const last = network.op('Transpose', [value], { perm: [0, 2, 3, 1] });
  if (spelling === 'last, dropped') return raise(state(network.reduceMean(last, [1, 2], 0), 0));
  const mean = state(network.reduceMean(last, [1, 2], 1), 2);
  return network.op('Transpose', [mean], { perm: [0, 3, 1, 2] });
}

/** The deviation of the planes, and their mean. */
function contrastOf(network: Network, x: Image): string {
  const { value } = x;
  const mean = network.statistic('mean', [value], network.reduceMean(value, [2, 3], 1), { keepdims: 1 });
  const centred = network.op('Sub', [value, mean]);
  const square = network.op('Mul', [centred, centred]);
  const variance = network.statistic('variance', [value], network.reduceMean(square, [2, 3], 1));
  const raised = network.op('Add', [variance, network.floats([], [0.1], network.style.type)]);
  return network.op('Add', [network.op('Sqrt', [raised]), mean]);
}

const steps = ['along channels', 'softmax', 'turned', 'halves', 'reordered', 'pairs', 'scaled'] as const;

/** One step over the channels of a mean, [N, C, 1, 1] before and after. */
function step(network: Network, mean: string, channels: number, kind: (typeof steps)[number]): string {
  const back = (value: string) => network.op('Reshape', [value, network.ints(0, channels, 1, 1)]);
  if (kind === 'along channels') {
    const column = network.op('Reshape', [mean, network.ints(0, 1, channels, 1)]);
    const kernel = network.weights([1, 1, 3, 1], 3);
    return back(network.op('Conv', [column, kernel], { pads: [1, 0, 1, 0] }));
  }
  if (kind === 'softmax') return network.op('Softmax', [mean], { axis: 1 });
  if (kind === 'turned') {
    const last = network.op('Transpose', [mean], { perm: [0, 2, 3, 1] });
    const product = network.op('MatMul', [last, network.weights([channels, channels], channels)]);
    return network.op('Transpose', [product], { perm: [0, 3, 1, 2] });
  }
  if (kind === 'halves' && channels > 1) {
    const [first = '', second = ''] = network.split(mean, 1, [1, channels - 1]);
    return network.op('Concat', [second, network.op('Tanh', [first])], { axis: 1 });
  }
  if (kind === 'reordered') {
    const order = Array.from({ length: channels }, (_, i) => (i + 1) % channels);
    return network.op('Gather', [mean, network.ints(...order)], { axis: 1 });
  }
  if (kind === 'pairs' && channels % 2 === 0) {
    const pairs = network.op('Reshape', [mean, network.ints(0, 2, channels / 2)]);
    const turned = network.op('Transpose', [pairs], { perm: [0, 2, 1] });
    const largest = network.reduceMean(turned, [2], 1);
    return back(network.op('Sub', [turned, largest]));
  }
  return network.op('Mul', [mean, network.weights([channels, 1, 1], 4, { around: 1 })]);
}

/** Selective kernels: as many weights for each of two images, which add up to one. */
function selectBetween(network: Network, x: Image, mean: string): string {
  const weight = () => network.weights([x.channels, x.channels, 1, 1], x.channels);
  const branches = [mean, network.op('Conv', [mean, weight()])];
  const stacked = network.op(
    'Concat',
    branches.map((one) => network.unsqueeze(one, 1)),
    { axis: 1 },
  );
  const powers = network.op('Sigmoid', [stacked]);
  const sum = network.reduce('ReduceSum', powers, [1], 1);
  const [first = '', second = ''] = network.split(network.op('Div', [powers, sum]), 1, [1, 1]);
  const other = network.op('Tanh', [x.value]);
  const scaled = [
    network.op('Mul', [x.value, network.squeeze(first, 1)]),
    network.op('Mul', [other, network.squeeze(second, 1)]),
  ];
  return network.op('Add', scaled);
}

export const meanForms: fc.Arbitrary<Block> = fc
  .record({
    contrast: flag,
    spelling: fc.constantFrom(...spellings),
    steps: fc.array(fc.constantFrom(...steps), { maxLength: 3 }),
    end: fc.constantFrom('Mul', 'Add', 'joined', 'selected'),
  })
  .map(({ contrast, spelling, steps: kinds, end }) => (network, x) => {
    const mean = contrast ? contrastOf(network, x) : meanOf(network, x, spelling);
    const gate = kinds.reduce((value, kind) => step(network, value, x.channels, kind), mean);
    if (end === 'selected') return network.image(selectBetween(network, x, gate), x.channels, x.level);
    if (end !== 'joined') return network.image(network.op(end, [x.value, gate]), x.channels, x.level);
    const wide = network.op('Expand', [gate, network.op('Shape', [x.value])]);
    const both = network.op('Concat', [x.value, wide], { axis: 1 });
    const weight = network.weights([x.channels, 2 * x.channels, 1, 1], 2 * x.channels);
    return network.image(network.op('Conv', [both, weight]), x.channels, x.level);
  });
