// Attention between channels (Restormer's): what lays an image in rows, attends, and makes an image of them again; or made local, what cuts
// windows out, attends in each, and puts them together again.
import { intOf, intsOf, isOnnxDomain, makeNode, type NodeProto, type TensorProto } from '../graph/proto.js';
import { makeWeights, weightsOf } from '../rewrite/weights.js';
import { partsOf } from './channel-parts.js';
import { constantIn, numberIn, typeOf } from './constants.js';
import { type Fusion, type FusionContext, isImage, isReadBy } from './context.js';
import { isSame } from './same.js';

/** Rows of pixels, a head's channels each: N × heads × channels × pixels. */
const [headAxis, channelAxis, pixelAxis] = [1, 2, 3];

/** An image, laid in rows; or its windows, where it is cut. */
interface Rows {
  readonly image: string;
  readonly cut: NodeProto | undefined;
}

/** Matches what an attention consists of, from its result to what it is made of; notes the nodes on the way. */
class AttentionMatcher {
  readonly inner: NodeProto[] = [];

  /** `last`: what makes the image, of windows or of rows. */
  constructor(
    readonly context: FusionContext,
    readonly last: NodeProto,
  ) {}

  get isLocal(): boolean {
    return this.last.opType === 'LocalWindowMerge';
  }

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

  /** What the value was before one Reshape or several (einops writes two) laid it out anew. */
  #laid(value: string): string {
    let laid = value;
    for (let node = this.#node(laid, 'Reshape'); node; node = this.#node(laid, 'Reshape'))
      [laid = ''] = node.input;
    return laid;
  }

  rows(value: string): Rows | undefined {
    const laid = this.#laid(value);
    const cut = this.isLocal ? this.#node(laid, 'LocalWindowPartition', 'tlsc') : undefined;
    const image = this.isLocal ? (cut?.input[0] ?? '') : laid;
    return laid !== value && this.#areHeads(value, image) ? { image, cut } : undefined;
  }

  /** Rows divided by their lengths, which are at least epsilon. */
  normalized(value: string): (Rows & { readonly epsilon: number }) | undefined {
    const { graph } = this.context;
    const quotient = this.#node(value, 'Div');
    const [row = '', divisor = ''] = quotient?.input ?? [];
    // Lengths are repeated for each pixel by themselves, or ahead.
    const bounded = this.#node(divisor, 'Expand')?.input[0] ?? divisor;
    const clipped = this.#node(bounded, 'Clip') ?? this.#node(bounded, 'Max');
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

  /** Whether what is attended to becomes windows of the same shape again, and an image where all of them were cut out. */
  #isRaisedAgain(raising: NodeProto, all: readonly Rows[]): boolean {
    const { context, last } = this;
    const [, whole = '', place = ''] = last.input;
    const images = all.map(({ image }) => image);
    if (!this.isLocal)
      return context.looks.every(
        (look) => look.get(raising.output[0] ?? '')?.join() === look.get(images[0] ?? '')?.join(),
      );
    const [one] = all;
    const shape = this.#node(raising.input[1], 'Shape');
    const isAlike = ({ cut }: Rows) =>
      cut !== undefined &&
      isSame(context.graph, cut.input[1] ?? '', place) &&
      intsOf(cut, 'kernel_shape')?.join() === intsOf(one?.cut ?? cut, 'kernel_shape')?.join();
    const isOfWindows = shape && all.some(({ cut }) => cut?.output[0] === shape.input[0]);
    return isOfWindows === true && images.includes(whole) && all.every(isAlike);
  }

  find() {
    const { last, context } = this;
    const raising = this.isLocal ? this.#node(last.input[0], 'Reshape') : last;
    const attended = this.#node(this.#laid(raising?.input[0] ?? ''), 'MatMul');
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
    if (!raising || !values || !isAlongRows || !queries || !keys || !scaled) return undefined;
    if (!this.#isRaisedAgain(raising, [queries, keys, values]) || queries.epsilon !== keys.epsilon)
      return undefined;
    return { queries, keys, values, heads, factor: scaled.factor, epsilon: queries.epsilon };
  }

  /** Whether nothing else reads what is computed on the way. */
  isOnItsOwn(images: readonly string[]): boolean {
    const { context, last } = this;
    const readers = [...this.inner, last];
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
  const isLocal = node.domain === 'tlsc' && node.opType === 'LocalWindowMerge';
  if (!isLocal && !(node.opType === 'Reshape' && isOnnxDomain(node.domain))) return undefined;
  const matcher = new AttentionMatcher(context, node);
  const found = matcher.find();
  if (!found) return undefined;
  const { queries, keys, values, heads, factor, epsilon } = found;
  const images = [queries, keys, values].map(({ image }) => image);
  const [parting] = images.map((image) => graph.producer(image));
  const [source = ''] = parting?.input ?? [];
  const [, channels = 0, ...plane] = looks[0]?.get(values.image) ?? [];
  const window = values.cut && intsOf(values.cut, 'kernel_shape');
  // Smaller ones have more attention to keep than pixels; the kernel keeps rows of 64.
  const pixels = (window ?? plane).reduce((area, side) => area * side, 1);
  if (pixels < Math.max(channels / heads, 64) || !isImage(context, source)) return undefined;
  if (partsOf(context, source, images.length)?.join() !== images.join()) return undefined;
  if (!matcher.isOnItsOwn(images)) return undefined;
  const operator = isLocal ? 'LocalTransposedAttention' : 'TransposedAttention';
  return {
    operator,
    type: typeOf(factor),
    rewrite() {
      const [output = ''] = node.output;
      const temperature = temperatureOf(context, factor, heads, `${output}_temperature`);
      const attributes = { ...(window && { kernel_shape: window }), epsilon: { float: epsilon } };
      const options = { domain: 'tlsc', name: node.name, attributes };
      const place = isLocal ? node.input.slice(2) : [];
      const made = makeNode(operator, [source, temperature, ...place], node.output, options);
      graph.replace(node, made);
      return made;
    },
  };
}
