// Attention between channels in windows (Restormer's, made local): what cuts windows out, attends in each, and puts them together again.
import { intOf, intsOf, isOnnxDomain, makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';
import { makeWeights, weightsOf } from '../rewrite/weights.js';
import { partsOf } from './channel-parts.js';
import { constantIn, numberIn, typeOf } from './constants.js';
import { type Fusion, type FusionContext, isImage, isReadBy } from './context.js';
import { isSame } from './same.js';

/** Rows of pixels, a head's channels each: N × heads × channels × pixels. */
const [headAxis, channelAxis, pixelAxis] = [1, 2, 3];

/** An image's windows, laid in rows. */
interface Rows {
  readonly image: string;
  readonly cut: NodeProto;
  readonly laying: NodeProto;
  readonly value: string;
}

/** Matches what an attention consists of, from its result to what it is made of; notes the nodes on the way. */
class AttentionMatcher {
  readonly inner: NodeProto[] = [];

  constructor(
    readonly context: FusionContext,
    readonly merge: NodeProto,
  ) {}

  /** The node that computes the value, if it is of this kind. */
  #node(value: string | undefined, opType: string, domain = ''): NodeProto | undefined {
    const node = this.context.graph.producer(value ?? '');
    const isOurs = node && (domain === '' ? isOnnxDomain(node.domain) : node.domain === domain);
    if (!isOurs || node.opType !== opType) return undefined;
    this.inner.push(node);
    return node;
  }

  /** Whether the value's rows are heads of an image's channels. */
  #areHeads(value: string, image: string): boolean {
    return this.context.looks.every((look) => {
      const [rows = [], sides = []] = [look.get(value), look.get(image)];
      const [count = 0, channels = 0, height = 0, width = 0] = sides;
      const heads = rows[headAxis] ?? 0;
      return rows.join() === [count, heads, channels / heads, height * width].join();
    });
  }

  rows(value: string): Rows | undefined {
    const laying = this.#node(value, 'Reshape');
    const cut = this.#node(laying?.input[0], 'LocalWindowPartition', 'tlsc');
    const [image = ''] = cut?.input ?? [];
    return laying && cut && this.#areHeads(value, image) ? { image, cut, laying, value } : undefined;
  }

  /** Rows divided by their lengths, which are at least epsilon. */
  normalized(value: string): (Rows & { readonly epsilon: number }) | undefined {
    const { graph } = this.context;
    const quotient = this.#node(value, 'Div');
    const [row = '', divisor = ''] = quotient?.input ?? [];
    const clipped = this.#node(divisor, 'Clip') ?? this.#node(divisor, 'Max');
    const [length = '', bound = '', most = ''] = clipped?.input ?? [];
    const norm = this.#node(length, 'ReduceL2');
    const axes = norm ? graph.reducedAxes(norm) : undefined;
    const isAlong = axes?.length === 1 && (axes[0] === pixelAxis || axes[0] === -1);
    const epsilon = numberIn(this.context, bound);
    const rows = this.rows(row);
    const isOfRow = norm?.input[0] === row && isAlong && intOf(norm, 'keepdims', 1) === 1;
    const isBound = epsilon !== undefined && epsilon >= 0 && most === '';
    const isOfRank = this.context.looks.every((look) => look.get(value)?.join() === look.get(row)?.join());
    return quotient && rows && isOfRow && isBound && isOfRank ? { ...rows, epsilon } : undefined;
  }

  /** Keys that stand upright. */
  upright(value: string): ReturnType<AttentionMatcher['normalized']> {
    const turned = this.#node(value, 'Transpose');
    return turned && intsOf(turned, 'perm')?.join() === [0, headAxis, pixelAxis, channelAxis].join()
      ? this.normalized(turned.input[0] ?? '')
      : undefined;
  }

  /** Scores, and what they are multiplied with: one factor for each head, or one for all. */
  scores(
    value: string,
    heads: number,
  ): { readonly product: string; readonly factor: TensorProto } | undefined {
    const { input = [] } = this.#node(value, 'Mul') ?? {};
    for (const [i, other] of input.entries()) {
      const factor = constantIn(this.context, other);
      const dims = factor?.dims.map(Number) ?? [];
      const isOne = dims.every((side) => side === 1);
      const isByHead = dims.every((side, axis) => side === (dims.length - axis === 3 ? heads : 1));
      if (factor && dims.length <= 4 && (isOne || isByHead)) return { product: input[1 - i] ?? '', factor };
    }
    return undefined;
  }

  find() {
    const { merge, context } = this;
    const [windows = '', whole = '', place = ''] = merge.input;
    const raising = this.#node(windows, 'Reshape');
    const attended = this.#node(raising?.input[0], 'MatMul');
    const [attention = '', value = ''] = attended?.input ?? [];
    const values = this.rows(value);
    const softmax = this.#node(attention, 'Softmax');
    const [look] = context.looks;
    const heads = look?.get(value)?.[headAxis] ?? 0;
    const isAlongRows =
      softmax && [-1, pixelAxis].includes(intOf(softmax, 'axis', context.opset < 13 ? 1 : -1));
    const scaled = this.scores(softmax?.input[0] ?? '', heads);
    const scores = this.#node(scaled?.product, 'MatMul');
    const queries = this.normalized(scores?.input[0] ?? '');
    const keys = this.upright(scores?.input[1] ?? '');
    const shape = this.#node(raising?.input[1], 'Shape');
    if (!values || !isAlongRows || !queries || !keys || !scaled || !shape) return undefined;
    const all = [queries, keys, values];
    const isRaisedLikeWindows = all.some(({ cut }) => cut.output[0] === shape.input[0]);
    const isAlike = (one: Rows) =>
      isSame(context.graph, one.cut.input[1] ?? '', place) &&
      intsOf(one.cut, 'kernel_shape')?.join() === intsOf(values.cut, 'kernel_shape')?.join();
    if (!all.some(({ image }) => image === whole)) return undefined;
    if (!isRaisedLikeWindows || !all.every(isAlike) || queries.epsilon !== keys.epsilon) return undefined;
    const { factor } = scaled;
    return { queries, keys, values, heads, factor, place, epsilon: queries.epsilon };
  }

  /** Whether nothing else reads what is computed on the way. */
  isOnItsOwn(images: readonly string[]): boolean {
    const { context, merge } = this;
    const readers = [...this.inner, merge];
    return [...this.inner.flatMap(({ output }) => output), ...images].every((value) =>
      isReadBy(context, value, readers),
    );
  }
}

/** One factor for each head. */
function temperatureOf({ graph }: FusionContext, factor: TensorProto, heads: number, name: string): string {
  const values = weightsOf(graph.withValues(factor));
  const all = Float32Array.from({ length: heads }, (_, head) => values[values.length === 1 ? 0 : head] ?? 1);
  const temperature = makeWeights(factor, [heads], all);
  temperature.name = name;
  return graph.addInitializer(temperature);
}

export function transposedAttention(context: FusionContext, node: NodeProto): Fusion | undefined {
  const { graph, looks } = context;
  if (node.domain !== 'tlsc' || node.opType !== 'LocalWindowMerge') return undefined;
  const matcher = new AttentionMatcher(context, node);
  const found = matcher.find();
  if (!found) return undefined;
  const { queries, keys, values, heads, factor, place, epsilon } = found;
  const images = [queries, keys, values].map(({ image }) => image);
  const [parting] = images.map((image) => graph.producer(image));
  const [source = ''] = parting?.input ?? [];
  const window = intsOf(values.cut, 'kernel_shape') ?? [];
  const channels = (looks[0]?.get(values.image)?.[1] ?? 0) / heads;
  // Smaller windows have more attention to keep than pixels; the kernel keeps rows of 64.
  const isWorthIt = window.reduce((area, side) => area * side, 1) >= Math.max(channels, 64);
  if (!isWorthIt || !isImage(context, source)) return undefined;
  if (partsOf(context, source, images.length)?.join() !== images.join()) return undefined;
  if (!matcher.isOnItsOwn(images)) return undefined;
  return {
    operator: 'LocalTransposedAttention',
    type: typeOf(factor),
    rewrite() {
      const [output = ''] = node.output;
      const temperature = temperatureOf(context, factor, heads, `${output}_temperature`);
      const attributes = { kernel_shape: window, epsilon: { float: epsilon } };
      const options = { domain: 'tlsc', name: node.name, attributes };
      const made = makeNode('LocalTransposedAttention', [source, temperature, place], node.output, options);
      graph.replace(node, made);
      return made;
    },
  };
}
