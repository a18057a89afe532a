// Restormer's transposed attention, between channels, in the spellings of its exporters. Principled refusals are not among them:
// temperatures per head where heads are folded into the batch, which would have to be repeated for each window.
import * as fc from 'fast-check';
import { type LayerNormOptions, layerNormOptions, normalizeLayer } from './layer-norm.js';
import type { Image, Network } from './network.js';
import { type Block, convolve, detour, flag, handOn, partsOf } from './parts.js';

const layings = [
  'constant',
  'computed',
  'computed with -1',
  'by an image of heads',
  'by rows of all channels',
  'with the channels last',
] as const;
const raisings = [
  'Shape',
  'computed',
  'by an image of heads',
  'by rows of all channels',
  'with the channels last',
] as const;
const norms = ['none', 'ReduceL2', 'ReduceSum', 'LpNormalization'] as const;

interface AttentionOptions {
  readonly layerNorm: LayerNormOptions | null;
  readonly qkv: 'Split' | 'Slice' | 'three';
  readonly depthwise: boolean;
  readonly heads: number;
  /** Where the heads are. */
  readonly layout: 'axis' | 'batch';
  readonly lay: (typeof layings)[number];
  readonly raise: (typeof raisings)[number];
  readonly norm: (typeof norms)[number];
  readonly temperature: 'none' | 'number' | 'per head' | 'in queries';
  readonly einsum: boolean;
  readonly softmax: 'last' | 'positive' | 'default';
  readonly detours: readonly string[];
  readonly project: boolean;
  readonly residual: boolean;
}

/** How the channels of an image are laid in rows. */
interface Rows {
  readonly channels: number;
  readonly heads: number;
  readonly perHead: number;
  readonly inBatch: boolean;
}

function rowsOf(channels: number, { heads, layout }: AttentionOptions): Rows {
  const counts = Array.from({ length: channels }, (_, i) => i + 1).filter((count) => channels % count === 0);
  const chosen = counts[heads % counts.length] as number;
  return { channels, heads: chosen, perHead: channels / chosen, inBatch: layout === 'batch' };
}

/** The product of the two sides of an image's planes. */
function pixelsOf(network: Network, image: string): string {
  return network.op('Mul', [network.sides(image, 2, 3), network.sides(image, 3, 4)]);
}

function lay(network: Network, image: string, rows: Rows, spelling: AttentionOptions['lay']): string {
  const { channels, heads, perHead, inBatch } = rows;
  const reshape = (value: string, shape: string) => network.op('Reshape', [value, shape]);
  const front = inBatch ? network.ints(-1, perHead) : network.ints(0, heads, perHead);
  const computed = (value: string) => reshape(value, network.join(front, pixelsOf(network, image)));
  if (spelling === 'by an image of heads') {
    const apart = reshape(image, network.join(front, network.sides(image, 2, 4)));
    return inBatch ? reshape(apart, network.ints(0, 0, -1)) : reshape(apart, network.ints(0, 0, 0, -1));
  }
  if (spelling === 'by rows of all channels') {
    const together = reshape(image, network.ints(0, channels, -1));
    return inBatch ? computed(together) : reshape(together, network.ints(0, heads, perHead, -1));
  }
  if (spelling === 'computed') return computed(image);
  if (spelling === 'with the channels last') {
    const last = network.op('Transpose', [image], { perm: [0, 2, 3, 1] });
    const tokens = reshape(last, network.ints(0, -1, heads, perHead));
    const rowsOfHeads = network.op('Transpose', [tokens], { perm: [0, 2, 3, 1] });
    return inBatch ? computed(rowsOfHeads) : rowsOfHeads;
  }
  if (spelling === 'constant' && inBatch) {
    network.refuseBatches();
    return reshape(image, network.ints(heads, perHead, -1));
  }
  if (spelling === 'constant') return reshape(image, network.ints(0, heads, perHead, -1));
  const batch = network.sides(image, 0, 1);
  const first = inBatch ? network.op('Mul', [batch, network.ints(heads)]) : batch;
  const rest = inBatch ? network.ints(perHead, -1) : network.ints(heads, perHead, -1);
  return reshape(image, network.join(first, rest));
}

function raise(
  network: Network,
  value: string,
  like: string,
  { rows, spelling }: { rows: Rows; spelling: AttentionOptions['raise'] },
): string {
  const { channels, heads, perHead, inBatch } = rows;
  const reshape = (from: string, shape: string) => network.op('Reshape', [from, shape]);
  const whole = () => network.op('Shape', [like]);
  if (spelling === 'Shape') return reshape(value, whole());
  if (spelling === 'by an image of heads') {
    const front = inBatch ? network.ints(-1, perHead) : network.ints(0, heads, perHead);
    return reshape(reshape(value, network.join(front, network.sides(like, 2, 4))), whole());
  }
  if (spelling === 'by rows of all channels') {
    const front = inBatch ? network.ints(-1, channels) : network.ints(0, channels);
    return reshape(reshape(value, network.join(front, pixelsOf(network, like))), whole());
  }
  if (spelling === 'with the channels last') {
    const apart = network.join(network.ints(-1, heads, perHead), pixelsOf(network, like));
    const tokens = network.op('Transpose', [inBatch ? reshape(value, apart) : value], { perm: [0, 3, 1, 2] });
    const sides = network.join(
      network.join(network.ints(-1), network.sides(like, 2, 4)),
      network.ints(channels),
    );
    return network.op('Transpose', [reshape(tokens, sides)], { perm: [0, 3, 1, 2] });
  }
  return reshape(value, network.join(network.ints(-1, channels), network.sides(like, 2, 4)));
}

/** The least length that a row is divided by, where the spelling has one. */
const shortest = 1e-3;

function normalizeRows(network: Network, rows: string, norm: AttentionOptions['norm']): string {
  if (norm === 'none') return rows;
  if (norm === 'LpNormalization') return network.op('LpNormalization', [rows], { axis: -1, p: 2 });
  const least = network.floats([], [shortest], network.style.type);
  if (norm === 'ReduceL2') {
    const length = network.op('Clip', [network.reduce('ReduceL2', rows, [-1], 1), least]);
    return network.op('Div', [rows, network.op('Expand', [length, network.op('Shape', [rows])])]);
  }
  const sum = network.reduce('ReduceSum', network.op('Mul', [rows, rows]), [-1], 1);
  return network.op('Div', [rows, network.op('Max', [network.op('Sqrt', [sum]), least])]);
}

interface Temperature {
  readonly value: string | undefined;
  /** Whether it is multiplied into the queries, or into the products. */
  readonly inQueries: boolean;
}

function temperatureOf(network: Network, { heads, inBatch }: Rows, options: AttentionOptions): Temperature {
  const { temperature, norm } = options;
  const { type } = network.style;
  // Products of many pixels that no norm has made small would leave nothing of a softmax but its largest value.
  if (norm === 'none')
    return { value: network.floats([], [0.02], type), inQueries: temperature === 'in queries' };
  if (temperature === 'none') return { value: undefined, inQueries: false };
  if (temperature !== 'per head' || inBatch)
    return { value: network.floats([1], [1.25], type), inQueries: temperature === 'in queries' };
  const list = Array.from({ length: heads }, (_, head) => 0.75 + 0.5 * head);
  return { value: network.floats([heads, 1, 1], list, type), inQueries: false };
}

function softmaxOf(network: Network, scores: string, rank: number, how: AttentionOptions['softmax']): string {
  // Below opset 13 the axis is 1 where none is given.
  if (how === 'default' && network.style.opset >= 13) return network.op('Softmax', [scores]);
  return network.op('Softmax', [scores], { axis: how === 'positive' ? rank - 1 : -1 });
}

/** Of rows: softmax(q · kᵀ · temperature) · v. */
function attend(
  network: Network,
  [q = '', k = '', v = '']: readonly string[],
  {
    temperature,
    inBatch,
    options,
  }: { temperature: Temperature; inBatch: boolean; options: AttentionOptions },
): string {
  const einsum = options.einsum && network.style.opset >= 12;
  const scaled = (value: string, inQueries: boolean) =>
    temperature.value && temperature.inQueries === inQueries
      ? network.op('Mul', [value, temperature.value])
      : value;
  const product = (a: string, b: string, equation: string) =>
    einsum
      ? network.op('Einsum', [a, b], {
          equation: { text: inBatch ? equation : equation.replaceAll('b', 'bh') },
        })
      : network.op('MatMul', [a, b]);
  const perm = inBatch ? [0, 2, 1] : [0, 1, 3, 2];
  const right = einsum ? k : network.op('Transpose', [k], { perm });
  const scores = scaled(product(scaled(q, true), right, 'bcn,bdn->bcd'), false);
  const weights = softmaxOf(network, scores, inBatch ? 3 : 4, options.softmax);
  return product(handOn(network, weights, options.detours[0] ?? 'none'), v, 'bcd,bdn->bcn');
}

function queriesKeysValues(network: Network, x: Image, { qkv, depthwise }: AttentionOptions): string[] {
  const convolved = (channels: number) => {
    const wide = convolve(network, x, { channels });
    return depthwise ? convolve(network, wide, { channels, side: 3, group: channels }) : wide;
  };
  if (qkv === 'three') return ['q', 'k', 'v'].map(() => convolved(x.channels).value);
  return partsOf(network, convolved(3 * x.channels), 3, qkv === 'Slice');
}

export const attention: fc.Arbitrary<Block> = fc
  .record({
    layerNorm: fc.option(layerNormOptions),
    qkv: fc.constantFrom('Split', 'Slice', 'three'),
    depthwise: flag,
    heads: fc.nat(9),
    layout: fc.constantFrom('axis', 'batch'),
    lay: fc.constantFrom(...layings),
    raise: fc.constantFrom(...raisings),
    norm: fc.constantFrom(...norms),
    temperature: fc.constantFrom('none', 'number', 'per head', 'in queries'),
    einsum: flag,
    softmax: fc.constantFrom('last', 'positive', 'default'),
    detours: fc.array(detour, { minLength: 2, maxLength: 2 }),
    project: flag,
    residual: flag,
  })
  .map((options: AttentionOptions) => (network, x) => {
    const { layerNorm, norm, detours } = options;
    const normal = layerNorm ? network.image(normalizeLayer(network, x, layerNorm), x.channels, x.level) : x;
    const rows = rowsOf(x.channels, options);
    const images = queriesKeysValues(network, normal, options);
    const laid = images.map((image) => lay(network, image, rows, options.lay));
    const [q = '', k = '', v = ''] = laid.map((value) => handOn(network, value, detours[1] ?? 'none'));
    const unit = [q, k].map((value) => normalizeRows(network, value, norm));
    const temperature = temperatureOf(network, rows, options);
    const attended = attend(network, [...unit, v], { temperature, inBatch: rows.inBatch, options });
    const output = raise(network, attended, normal.value, { rows, spelling: options.raise });
    network.statistic(
      'channel-attention',
      [...images, ...(temperature.value ? [temperature.value] : [])],
      output,
      {
        heads: rows.heads,
        normalized: norm === 'none' ? 0 : 1,
        epsilon: norm === 'LpNormalization' ? 0 : shortest,
      },
    );
    const image = network.image(output, x.channels, x.level);
    const projected = options.project ? convolve(network, image, { channels: x.channels }) : image;
    if (!options.residual) return projected;
    return network.image(network.op('Add', [x.value, projected.value]), x.channels, x.level);
  });
