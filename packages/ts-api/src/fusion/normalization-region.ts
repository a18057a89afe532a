// Follows an image through the nodes that read it, as far as each is a step of a normalization over channels, in whatever order an
// exporter has put the steps, and however it lays the image out in between.
import type { Graph } from '../graph/graph.js';
import {
  attributeOf,
  floatOf,
  intOf,
  intsOf,
  isOnnxDomain,
  type NodeProto,
  reducesAll,
} from '../graph/proto.js';
import { constantIn, numberIn } from './constants.js';
import type { FusionContext } from './context.js';
import type { ChannelStep, Form, Known } from './normalization-forms.js';
import {
  asItIs,
  channelPlace,
  lengthsOf,
  reshaped,
  together,
  transposed,
  type View,
  withoutChannels,
} from './views.js';

const plain: Form = { kind: 'image', centred: false, by: undefined, steps: [] };

/** A mean may be a sum times a third, as far as float32 can hold that. */
function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-6;
}

/** What leaves elements in their order, and has them in axes of other lengths. */
const rearranging = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** A normalization is written in fewer nodes, and read by fewer. */
const mostNodes = 128;
const mostReaders = 1024;

/** Nodes that are yet to be looked at, which come in the order of the graph, each once. */
class Waiting {
  /** The last comes first. */
  readonly #nodes: { readonly node: NodeProto; readonly position: number }[] = [];
  readonly #seen = new Set<NodeProto>();

  constructor(readonly graph: Graph) {}

  /** False where there are too many. */
  add(nodes: readonly NodeProto[]): boolean {
    if (nodes.length > mostReaders) return false;
    for (const node of nodes) {
      if (this.#seen.has(node)) continue;
      this.#seen.add(node);
      const position = this.graph.positionOf(node);
      const at = this.#nodes.findLastIndex((one) => one.position > position);
      this.#nodes.splice(at + 1, 0, { node, position });
    }
    return true;
  }

  next(): NodeProto | undefined {
    return this.#nodes.pop()?.node;
  }
}

type Step = (region: NormalizationRegion, node: NodeProto) => Known | undefined;

/** An image, and what is known of the values that are made of it. */
export class NormalizationRegion {
  readonly known = new Map<string, Known>();
  /** Of the values that are known but for the image, in the order of the graph. */
  readonly nodes: NodeProto[] = [];
  readonly channels: number;
  readonly #image: readonly (readonly number[])[];

  constructor(
    readonly context: FusionContext,
    readonly image: string,
  ) {
    this.#image = lengthsOf(context.looks, image) ?? [];
    this.channels = this.#image[1]?.[0] ?? 0;
    this.known.set(image, { form: plain, view: asItIs });
    this.#grow();
  }

  /** In the order of the graph, so that all that a node reads of it is known before. */
  #grow(): void {
    const { graph } = this.context;
    const waiting = new Waiting(graph);
    if (!waiting.add(graph.consumers(this.image))) return;
    for (let node = waiting.next(); node; node = waiting.next()) {
      const [output = ''] = node.output;
      const step = isOnnxDomain(node.domain) ? steps.get(node.opType) : undefined;
      const found = step?.(this, node);
      if (!found || !this.#isSeen(found, output)) continue;
      this.known.set(output, found);
      this.nodes.push(node);
      if (this.nodes.length === mostNodes || !waiting.add(graph.consumers(output))) return;
    }
  }

  /** Whether the value has the shape that it would have: what broadcasting or repeating makes larger is another image. */
  #isSeen({ form, view }: Known, value: string): boolean {
    const lengths = lengthsOf(this.context.looks, value);
    if (lengths?.length !== view.length) return false;
    return lengths.every((axis, i) => {
      const atoms = view[i] ?? [];
      // What belongs to a pixel may be repeated for its channels, and so on.
      if (atoms.length === 0) return form.kind !== 'image' || axis.every((side) => side === 1);
      return axis.every(
        (side, look) =>
          side === atoms.reduce((product, atom) => product * (this.#image[atom]?.[look] ?? 0), 1),
      );
    });
  }

  /** What the input of a node at this place is. */
  of(node: NodeProto, place = 0): Known | undefined {
    return this.known.get(node.input[place] ?? '');
  }

  number(value: string | undefined): number | undefined {
    return numberIn(this.context, value ?? '');
  }

  /** What a value does by channel to what is laid out like `view`: nothing that depends on the image. */
  channelStep(kind: ChannelStep['kind'], value: string, view: View): ChannelStep | undefined {
    const { graph, looks } = this.context;
    const origin = vectorOf(this.context, value);
    if (this.known.has(value) || !constantIn(this.context, origin)) return undefined;
    const dimsOf = (name: string) => looks[0]?.get(name) ?? graph.constant(name)?.dims.map(Number);
    const dims = dimsOf(value);
    const own = dimsOf(origin);
    if (!dims || !own || dims.length > view.length) return undefined;
    const long = dims.flatMap((side, i) => (side > 1 ? [i - dims.length + view.length] : []));
    const isByChannel = long.length === 0 || (long.length === 1 && long[0] === channelPlace(view));
    return isByChannel ? { kind, value: origin, dims: own } : undefined;
  }

  relaid(view: View, output: string): View | undefined {
    const after = lengthsOf(this.context.looks, output);
    return after && reshaped(view, this.#image, after);
  }
}

/** A constant before nodes that only give it other axes, whose lengths may have been worked out at run time. */
function vectorOf({ graph }: FusionContext, value: string): string {
  for (let origin = graph.originOf(value); ; ) {
    const node = graph.producer(origin);
    if (!node || !isOnnxDomain(node.domain) || !rearranging.has(node.opType)) return origin;
    origin = graph.originOf(node.input[0] ?? '');
  }
}

function reshape(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const data = region.of(node);
  const view = data && region.relaid(data.view, node.output[0] ?? '');
  return view && { ...data, view };
}

function transpose(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const data = region.of(node);
  const perm = intsOf(node, 'perm') ?? data?.view.map((_, i) => i).reverse() ?? [];
  return data && { ...data, view: transposed(data.view, perm) };
}

/** What is repeated is read as if it were not. */
function expand(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const data = region.of(node);
  const rank = region.context.looks[0]?.get(node.output[0] ?? '')?.length ?? 0;
  if (!data || rank < data.view.length) return undefined;
  const front = Array.from({ length: rank - data.view.length }, () => []);
  return { ...data, view: [...front, ...data.view] };
}

function identity(region: NormalizationRegion, node: NodeProto): Known | undefined {
  return region.of(node);
}

/** Whether a node reduces the channels, and nothing else. */
function reducesChannels({ context }: NormalizationRegion, node: NodeProto, view: View): boolean {
  const axes = context.graph.reducedAxes(node);
  const [axis, ...more] = axes && !reducesAll(node, axes) ? axes : [];
  if (axis === undefined || more.length > 0) return false;
  return (axis < 0 ? axis + view.length : axis) === channelPlace(view);
}

function reducedForm(form: Form, times: number): Form | undefined {
  if (form.kind === 'image' && !form.centred && !form.by) return { kind: 'mean', times };
  if (form.kind !== 'square') return undefined;
  return form.centred ? { kind: 'variance', times, epsilon: 0 } : { kind: 'mean square', times };
}

function reduce(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const data = region.of(node);
  if (!data || !reducesChannels(region, node, data.view)) return undefined;
  const times = node.opType === 'ReduceMean' ? 1 : region.channels;
  const squared = node.opType === 'ReduceSumSquare' ? squareOf(data.form) : data.form;
  const form = squared && reducedForm(squared, times);
  return form && { form, view: withoutChannels(data.view, intOf(node, 'keepdims', 1) !== 0) };
}

function squareOf(form: Form): Form | undefined {
  if (form.kind === 'image' && !form.by) return { kind: 'square', centred: form.centred };
  return form.kind === 'mean' && isNear(form.times, 1) ? { kind: 'squared mean' } : undefined;
}

function pow(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const data = region.of(node);
  const power = region.number(node.input[1]);
  if (!data) return undefined;
  const { form } = data;
  const raised =
    power === 2
      ? squareOf(form)
      : power === 0.5
        ? rootOf(form)
        : power === -0.5
          ? inverse(rootOf(form))
          : undefined;
  return raised && { ...data, form: raised };
}

function rootOf(form: Form): Form | undefined {
  return form.kind === 'variance' ? { ...form, kind: 'deviation' } : undefined;
}

function inverse(form: Form | undefined): Form | undefined {
  return form?.kind === 'deviation' ? { ...form, kind: 'factor', steps: [] } : undefined;
}

function unary(formOf: (form: Form) => Form | undefined): Step {
  return (region, node) => {
    const data = region.of(node);
    const form = data && formOf(data.form);
    return form && { ...data, form };
  };
}

/** A variance that is kept from being negative, as rounding may make it, and this cannot. */
function clamped(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const [place, other] = region.of(node) ? [0, 1] : [1, 0];
  const data = region.of(node, place);
  const least =
    node.opType === 'Relu' ? 0 : (region.number(node.input[other]) ?? attributeOf(node, 'min')?.f);
  const isOpen = node.input.length <= 2 && !attributeOf(node, 'max');
  const { form } = data ?? {};
  return form?.kind === 'variance' && form.epsilon === 0 && least === 0 && isOpen ? data : undefined;
}

/** `form` times a number. */
function scaled(form: Form, by: number): Form | undefined {
  if (form.kind === 'mean' || form.kind === 'mean square') return { ...form, times: form.times * by };
  if (form.kind !== 'variance') return undefined;
  return { ...form, times: form.times * by, epsilon: form.epsilon * by };
}

/** What comes out of a factor and an image. */
function normalizedBy(image: Form, factor: Form): Form | undefined {
  if (image.kind !== 'image' || image.by || factor.kind !== 'factor') return undefined;
  const { times, epsilon, steps: after } = factor;
  return { ...image, by: { times, epsilon }, steps: after };
}

function mul(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const [a, b] = [region.of(node), region.of(node, 1)];
  if (a && b) {
    const form =
      node.input[0] === node.input[1]
        ? squareOf(a.form)
        : (normalizedBy(a.form, b.form) ?? normalizedBy(b.form, a.form));
    const view = together(a.view, b.view);
    return form && view && { form, view };
  }
  const data = a ?? b;
  const [, other = ''] = a ? node.input : [...node.input].reverse();
  return data && changed(region, data, 'scale', other);
}

/** What a constant does to a form, by channel or to all of it. */
function changed(
  region: NormalizationRegion,
  { form, view }: Known,
  kind: ChannelStep['kind'],
  value: string,
): Known | undefined {
  const number = region.number(value);
  if (number !== undefined && kind === 'scale') {
    const all = scaled(form, number);
    if (all) return { form: all, view };
  }
  if (number !== undefined && kind === 'shift' && form.kind === 'variance')
    return { form: { ...form, epsilon: form.epsilon + number }, view };
  // A factor has lost its axis of channels, and gets one of its own from what it is multiplied with.
  if (form.kind === 'factor' && kind === 'scale') return scaledFactor(region, { form, view }, value);
  if (form.kind !== 'image' || !form.by) return undefined;
  const step = region.channelStep(kind, value, view);
  return step && { form: { ...form, steps: [...form.steps, step] }, view };
}

function scaledFactor(region: NormalizationRegion, { form, view }: Known, value: string): Known | undefined {
  // Where the axis of one element is that the channels were in.
  const views = view.flatMap((axis, place) =>
    axis.length === 0 ? [view.map((one, i) => (i === place ? [1] : one))] : [],
  );
  for (const whole of views) {
    const step = region.channelStep('scale', value, whole);
    if (step && form.kind === 'factor')
      return { form: { ...form, steps: [...form.steps, step] }, view: whole };
  }
  return undefined;
}

function add(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const [a, b] = [region.of(node), region.of(node, 1)];
  if (a && b) return centredBy(a, b, -1) ?? centredBy(b, a, -1);
  const data = a ?? b;
  const [, other = ''] = a ? node.input : [...node.input].reverse();
  return data && changed(region, data, 'shift', other);
}

/** An image less its mean, where `times` of the mean is what is taken off. */
function centredBy(image: Known, mean: Known, times: number): Known | undefined {
  const isPlain = image.form.kind === 'image' && !image.form.centred && !image.form.by;
  const view = together(image.view, mean.view);
  if (!isPlain || mean.form.kind !== 'mean' || !isNear(mean.form.times, times) || !view) return undefined;
  return { form: { ...plain, centred: true } as Form, view };
}

function sub(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const [a, b] = [region.of(node), region.of(node, 1)];
  if (!a || !b) return undefined;
  const isVariance =
    a.form.kind === 'mean square' && isNear(a.form.times, 1) && b.form.kind === 'squared mean';
  const view = together(a.view, b.view);
  if (isVariance && view) return { form: { kind: 'variance', times: 1, epsilon: 0 }, view };
  return centredBy(a, b, 1);
}

function div(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const [a, b] = [region.of(node), region.of(node, 1)];
  if (a && b) {
    const factor = inverse(b.form);
    const form = factor && normalizedBy(a.form, factor);
    const view = together(a.view, b.view);
    return form && view && { form, view };
  }
  if (b) {
    const form = region.number(node.input[0]) === 1 ? inverse(b.form) : undefined;
    return form && { ...b, form };
  }
  const by = region.number(node.input[1]);
  const form = a && by !== undefined && by !== 0 ? scaled(a.form, 1 / by) : undefined;
  return a && form && { ...a, form };
}

/** The operator itself, where the channels come last. */
function layerNormalization(region: NormalizationRegion, node: NodeProto): Known | undefined {
  const data = region.of(node);
  const { graph } = region.context;
  const last = (data?.view.length ?? 0) - 1;
  const axis = intOf(node, 'axis', -1);
  const isOfChannels =
    (axis < 0 ? axis + last + 1 : axis) === last && data && channelPlace(data.view) === last;
  const isAlone = node.output.slice(1).every((value) => !graph.isUsed(value));
  if (!data || !isOfChannels || !isAlone || data.form.kind !== 'image' || data.form.by) return undefined;
  // Of what has been centred it is the same.
  const [, scale = '', bias = ''] = node.input;
  const after = [
    region.channelStep('scale', scale, data.view),
    ...(bias ? [region.channelStep('shift', bias, data.view)] : []),
  ];
  if (after.includes(undefined)) return undefined;
  const by = { times: 1, epsilon: floatOf(node, 'epsilon', 1e-5) };
  const form: Form = { kind: 'image', centred: true, by, steps: after as ChannelStep[] };
  return { form, view: data.view };
}

const steps: ReadonlyMap<string, Step> = new Map<string, Step>([
  ['Add', add],
  ['Clip', clamped],
  ['Div', div],
  ['Expand', expand],
  ['Identity', identity],
  ['LayerNormalization', layerNormalization],
  ['Max', clamped],
  ['Mul', mul],
  ['Neg', unary((form) => scaled(form, -1))],
  ['Pow', pow],
  ['Reciprocal', unary(inverse)],
  ['ReduceMean', reduce],
  ['ReduceSum', reduce],
  ['ReduceSumSquare', reduce],
  ['Relu', clamped],
  ['Sqrt', unary(rootOf)],
  ['Sub', sub],
  ['Transpose', transpose],
  ...[...rearranging].map((opType) => [opType, reshape] as const),
]);
