// The blocks that generated networks are made of. To add one: a function from its options to what it does, listed below; if it
// holds a statistic that will be local, it says so (`network.statistic`) and `definitions` has what that is.
import * as fc from 'fast-check';
import { attention } from './attention.js';
import { groupNorm } from './group-norm.js';
import { layerNorm } from './layer-norm.js';
import { meanForms } from './mean-forms.js';
import type { Image, Network } from './network.js';
import { type Block, convolve, even, flag, partsOf } from './parts.js';

function activate(network: Network, value: string, kind: string): string {
  if (kind === 'none') return value;
  if (kind !== 'Clip') return network.op(kind, [value]);
  const { type } = network.style;
  return network.op('Clip', [value, network.floats([], [-0.5], type), network.floats([], [0.75], type)]);
}

const convolution: fc.Arbitrary<Block> = fc
  .record({ channels: even, side: fc.constantFrom(1, 3), grouped: flag, shared: flag, bias: flag })
  .map(({ grouped, ...options }) => (network, x) => {
    const group = grouped && x.channels % 2 === 0 ? 2 : 1;
    return convolve(network, x, { ...options, group });
  });

const activations = ['none', 'Relu', 'LeakyRelu', 'Sigmoid', 'HardSigmoid', 'Tanh', 'Clip'];

const activation: fc.Arbitrary<Block> = fc
  .constantFrom(...activations.slice(1))
  .map((kind) => (network, x) => network.image(activate(network, x.value, kind), x.channels, x.level));

const halving: fc.Arbitrary<Block> = fc
  .constantFrom('AveragePool', 'MaxPool', 'Conv')
  .map((kind) => (network, x) => {
    if (x.level >= 2) return x;
    if (kind === 'Conv') return convolve(network, x, { channels: x.channels, side: 3, stride: 2 });
    const value = network.op(kind, [x.value], { kernel_shape: [2, 2], strides: [2, 2] });
    return network.image(value, x.channels, x.level + 1);
  });

const doubling: fc.Arbitrary<Block> = fc
  .constantFrom('Resize', 'ConvTranspose', 'DCR', 'CRD')
  .map((kind) => (network, x) => {
    if (x.level <= -1) return x;
    if (kind === 'Resize') {
      const inputs = [x.value, network.floats([0], []), network.floats([4], [1, 1, 2, 2])];
      const attributes = {
        mode: { text: 'nearest' },
        coordinate_transformation_mode: { text: 'asymmetric' },
        nearest_mode: { text: 'floor' },
      };
      return network.image(network.op('Resize', inputs, attributes), x.channels, x.level - 1);
    }
    if (kind === 'ConvTranspose') {
      const weight = network.weights([x.channels, 4, 2, 2], x.channels);
      return network.image(
        network.op('ConvTranspose', [x.value, weight], { strides: [2, 2] }),
        4,
        x.level - 1,
      );
    }
    const wide = convolve(network, x, { channels: 16 });
    const value = network.op('DepthToSpace', [wide.value], { blocksize: 2, mode: { text: kind } });
    return network.image(value, 4, x.level - 1);
  });

/** An earlier image of the same size, and of as many channels if it must be. */
function earlier(network: Network, x: Image, which: number, sameChannels: boolean): Image {
  const found = network.images.filter(
    ({ level, channels }) => level === x.level && (!sameChannels || channels === x.channels),
  );
  return found[which % found.length] ?? x;
}

const skip: fc.Arbitrary<Block> = fc
  .record({ kind: fc.constantFrom('Add', 'Mul', 'Concat'), which: fc.nat(9) })
  .map(({ kind, which }) => (network, x) => {
    const other = earlier(network, x, which, kind !== 'Concat');
    if (kind !== 'Concat')
      return network.image(network.op(kind, [x.value, other.value]), x.channels, x.level);
    const channels = x.channels + other.channels;
    if (channels > 16) return x;
    return network.image(network.op('Concat', [x.value, other.value], { axis: 1 }), channels, x.level);
  });

/** NAFNet's: one half times the other. */
const simpleGate: fc.Arbitrary<Block> = flag.map((sliced) => (network, x) => {
  const wide = x.channels % 4 === 0 ? x : convolve(network, x, { channels: 8 });
  return network.image(network.op('Mul', partsOf(network, wide, 2, sliced)), wide.channels / 2, x.level);
});

function normalize(
  network: Network,
  value: string,
  channels: number,
  options: { epsilon: number; shared: boolean },
) {
  const { epsilon, shared } = options;
  const scale = network.weights([channels], 8, { shared, around: 1 });
  const inputs = [value, scale, network.weights([channels], 8, { shared })];
  const output = network.op('InstanceNormalization', inputs, { epsilon: { float: epsilon } });
  // ONNX stores it in float32.
  return network.statistic('instance-normalization', inputs, output, { epsilon: Math.fround(epsilon) });
}

/** Of all channels, or of half of them, as in HINet. */
const instanceNorm: fc.Arbitrary<Block> = fc
  .record({ half: flag, sliced: flag, shared: flag, epsilon: fc.constantFrom(1e-3, 1e-2, 0.1) })
  .map(({ half, sliced, ...options }) => (network, x) => {
    if (!half) return network.image(normalize(network, x.value, x.channels, options), x.channels, x.level);
    const wide = x.channels % 2 === 0 ? x : convolve(network, x, { channels: 4 });
    const [first = '', second = ''] = partsOf(network, wide, 2, sliced);
    const normal = normalize(network, first, wide.channels / 2, options);
    return network.image(network.op('Concat', [normal, second], { axis: 1 }), wide.channels, x.level);
  });

/** The mean of an image on its way through a branch: [N, C, 1, 1], or flattened to [N, C]. */
interface Mean {
  readonly value: string;
  readonly channels: number;
  readonly flat: boolean;
}

interface PoolOptions {
  readonly operator: 'GlobalAveragePool' | 'ReduceMean';
  readonly axes: readonly number[];
  readonly keepdims: number;
}

const poolOptions: fc.Arbitrary<PoolOptions> = fc.record({
  operator: fc.constantFrom('GlobalAveragePool', 'ReduceMean'),
  axes: fc.constantFrom([2, 3], [3, 2], [-2, -1], [-1, -2], [2, -1], [3, -2]),
  keepdims: fc.constantFrom(1, 0),
});

function declareMean(network: Network, mean: Mean): Mean {
  network.declare(mean.value, ['batch', mean.channels, ...(mean.flat ? [] : [1, 1])]);
  return mean;
}

function pool(network: Network, x: Image, { operator, axes, keepdims }: PoolOptions): Mean {
  const isPool = operator === 'GlobalAveragePool';
  const value = isPool ? network.op(operator, [x.value]) : network.reduceMean(x.value, axes, keepdims);
  const flat = !isPool && keepdims === 0;
  network.statistic('mean', [x.value], value, { keepdims: flat ? 0 : 1 });
  return declareMean(network, { value, channels: x.channels, flat });
}

const flattenings = [
  'Flatten',
  'Squeeze',
  'Reshape',
  'Reshape to C',
  'computed',
  'computed with -1',
] as const;
const unflattenings = ['Unsqueeze', 'Unsqueeze twice', 'Reshape', 'Reshape with -1', 'computed'] as const;

function flattened(network: Network, mean: Mean, spelling: (typeof flattenings)[number]): Mean {
  const { value, channels, flat } = mean;
  if (flat) return mean;
  const spell = (): string => {
    if (spelling === 'Flatten') return network.op('Flatten', [value]);
    if (spelling === 'Squeeze') return network.squeeze(value, 2, 3);
    if (spelling === 'Reshape') return network.op('Reshape', [value, network.ints(0, -1)]);
    if (spelling === 'Reshape to C') return network.op('Reshape', [value, network.ints(-1, channels)]);
    const shape = network.op('Shape', [value]);
    if (spelling === 'computed') {
      const sides = network.op('Slice', [shape, network.ints(0), network.ints(2), network.ints(0)]);
      return network.op('Reshape', [value, sides]);
    }
    const batch = network.unsqueeze(network.op('Gather', [shape, network.index(0)], { axis: 0 }), 0);
    return network.op('Reshape', [value, network.op('Concat', [batch, network.ints(-1)], { axis: 0 })]);
  };
  return declareMean(network, { value: spell(), channels, flat: true });
}

function unflattened(network: Network, mean: Mean, spelling: (typeof unflattenings)[number]): Mean {
  const { value, channels, flat } = mean;
  if (!flat) return mean;
  const spell = (): string => {
    if (spelling === 'Unsqueeze') return network.unsqueeze(value, 2, 3);
    if (spelling === 'Unsqueeze twice') return network.unsqueeze(network.unsqueeze(value, -1), -1);
    if (spelling === 'Reshape') return network.op('Reshape', [value, network.ints(0, channels, 1, 1)]);
    if (spelling === 'Reshape with -1')
      return network.op('Reshape', [value, network.ints(-1, channels, 1, 1)]);
    const shape = network.op('Shape', [value]);
    return network.op('Reshape', [value, network.op('Concat', [shape, network.ints(1, 1)], { axis: 0 })]);
  };
  return declareMean(network, { value: spell(), channels, flat: false });
}

interface LayerOptions {
  readonly kind: 'Conv' | 'Gemm' | 'MatMul' | 'Scale';
  readonly channels: number;
  readonly bias: 'none' | 'vector' | 'row' | 'number';
  readonly transB: number;
  readonly alpha: number;
  readonly beta: number;
  readonly shared: boolean;
  readonly flatten: (typeof flattenings)[number];
  readonly unflatten: (typeof unflattenings)[number];
  readonly activation: string;
  readonly detour: 'none' | 'Identity' | 'Dropout';
}

const layerOptions: fc.Arbitrary<LayerOptions> = fc.record({
  kind: fc.constantFrom('Conv', 'Gemm', 'MatMul', 'Scale'),
  channels: even,
  bias: fc.constantFrom('none', 'vector', 'row', 'number'),
  transB: fc.constantFrom(0, 1),
  alpha: fc.constantFrom(1, 0.75, -1.5),
  beta: fc.constantFrom(1, 0.5, -2),
  shared: flag,
  flatten: fc.constantFrom(...flattenings),
  unflatten: fc.constantFrom(...unflattenings),
  activation: fc.constantFrom(...activations),
  detour: fc.constantFrom('none', 'Identity', 'Dropout'),
});

function biasOf(network: Network, bias: LayerOptions['bias'], outputs: number, shared: boolean): string {
  const dims = { none: [], vector: [outputs], row: [1, outputs], number: [1] }[bias];
  return network.weights(dims, 8, { shared });
}

/** One layer of a branch, which takes means and makes as many as `channels` says. */
function layer(network: Network, mean: Mean, options: LayerOptions, channels: number): Mean {
  const { kind, shared, bias } = options;
  if (kind === 'Conv') {
    const { value } = unflattened(network, mean, options.unflatten);
    const inputs = [value, network.weights([channels, mean.channels, 1, 1], mean.channels, { shared })];
    if (bias !== 'none') inputs.push(network.weights([channels], 8, { shared }));
    return { value: network.op('Conv', inputs), channels, flat: false };
  }
  if (kind === 'Scale') {
    const dims = mean.flat ? [mean.channels] : [1, mean.channels, 1, 1];
    const factor = network.weights(dims, 8, { shared, around: 1 });
    return {
      ...mean,
      value: network.op('Mul', bias === 'row' ? [factor, mean.value] : [mean.value, factor]),
    };
  }
  const { value } = flattened(network, mean, options.flatten);
  const isTransposed = kind === 'Gemm' && options.transB === 1;
  const dims = isTransposed ? [channels, mean.channels] : [mean.channels, channels];
  const weight = network.weights(dims, mean.channels, { shared });
  const offsets = bias === 'none' ? undefined : biasOf(network, bias, channels, shared);
  if (kind === 'Gemm') {
    const attributes = {
      transB: options.transB,
      alpha: { float: options.alpha },
      beta: { float: options.beta },
    };
    const product = network.op('Gemm', [value, weight, ...(offsets ? [offsets] : [])], attributes);
    return { value: product, channels, flat: true };
  }
  const product = network.op('MatMul', [value, weight]);
  return { value: offsets ? network.op('Add', [product, offsets]) : product, channels, flat: true };
}

function branch(network: Network, mean: Mean, layers: readonly LayerOptions[], channels: number): Mean {
  return layers.reduce((before, options, i) => {
    const last = layers.slice(i + 1).every(({ kind }) => kind === 'Scale');
    const after = layer(network, before, options, last ? channels : options.channels);
    const active = activate(network, after.value, options.activation);
    const value = options.detour === 'none' ? active : network.op(options.detour, [active]);
    return declareMean(network, { ...after, value });
  }, mean);
}

const ends = ['Mul', 'Mul reversed', 'residual', 'twice', 'Add', 'Expand', 'other image'] as const;

/**
 * Squeeze and excitation, NAFNet's SCA and their like: a mean goes through some layers and comes back to an image of the plane.
 * Without layers that change the number of channels the means stay as many as they were.
 */
const channelAttention: fc.Arbitrary<Block> = fc
  .record({
    pool: poolOptions,
    layers: fc.array(layerOptions, { maxLength: 3 }),
    unflatten: fc.constantFrom(...unflattenings),
    end: fc.constantFrom(...ends),
    meetsOther: flag,
    fork: fc.option(fc.array(layerOptions, { maxLength: 2 })),
    which: fc.nat(9),
  })
  .map(({ pool: how, layers, unflatten, end, meetsOther, fork, which }) => (network, x) => {
    const target = end === 'other image' ? earlier(network, x, which, false) : x;
    const mixes = [layers, fork ?? layers].every((list) => list.some(({ kind }) => kind !== 'Scale'));
    const other = earlier(network, x, which, true);
    const scaled = mixes || target.channels === x.channels ? target : x;
    let mean = pool(network, x, how);
    if (meetsOther) {
      const { value } = pool(network, other, how);
      mean = { ...mean, value: network.op('Add', [mean.value, value]) };
    }
    const through = branch(network, mean, layers, scaled.channels);
    const { value: gate } = unflattened(network, through, unflatten);
    const finish = (): string => {
      if (end === 'Add') return network.op('Add', [scaled.value, gate]);
      if (end === 'Mul reversed') return network.op('Mul', [gate, scaled.value]);
      if (end === 'Expand') {
        const full = network.op('Expand', [gate, network.op('Shape', [scaled.value])]);
        return network.op('Mul', [scaled.value, full]);
      }
      const product = network.op('Mul', [scaled.value, gate]);
      if (end === 'residual') return network.op('Add', [scaled.value, product]);
      return end === 'twice' ? network.op('Mul', [product, gate]) : product;
    };
    const done = finish();
    if (!fork) return network.image(done, scaled.channels, x.level);
    const second = unflattened(network, branch(network, mean, fork, scaled.channels), unflatten);
    const more = network.op('Mul', [scaled.value, second.value]);
    return network.image(network.op('Add', [done, more]), scaled.channels, x.level);
  });

/** Blocks without a statistic that can be made local. */
export const plainBlock = fc.oneof(convolution, activation, skip, halving, doubling, simpleGate, layerNorm);

/** Blocks with one or several. */
export const statisticBlock = fc.oneof(
  { weight: 3, arbitrary: channelAttention },
  { weight: 3, arbitrary: meanForms },
  { weight: 1, arbitrary: instanceNorm },
  { weight: 2, arbitrary: groupNorm },
  { weight: 3, arbitrary: attention },
);
