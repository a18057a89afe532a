// Group normalization as exporters write it where there is no operator for it: InstanceNormalization of images reshaped to
// N × groups × rest, reshaped back and, since its own parameters go by group, scaled and shifted channel by channel.
import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, labelOf, type NodeProto } from '../graph/proto.js';
import { isUnary } from '../pooled/pointwise-operators.js';
import { showSize } from '../size.js';
import { type Refusal, type RuleContext, shapeOf } from './rule.js';

/** Whether the node hands its input on as it is. */
function handsOn(graph: Graph, node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain)) return false;
  if (node.opType === 'Identity') return true;
  // Without a mask to tell of it and a third input to ask for it, it drops nothing.
  const [, mask = ''] = node.output;
  return node.opType === 'Dropout' && !node.input[2] && (mask === '' || !graph.isUsed(mask));
}

function isCast({ domain, opType }: NodeProto): boolean {
  return isOnnxDomain(domain) && opType === 'Cast';
}

/** A Reshape and the nodes of one operand between it and what reads it. */
interface Reshaping {
  readonly reshape: NodeProto;
  readonly between: readonly NodeProto[];
}

/** The Reshape that made what the node reads, with nothing but steps of one operand between. */
export function findReshaping(graph: Graph, node: NodeProto): Reshaping | undefined {
  const between: NodeProto[] = [];
  for (let above = graph.producer(node.input[0] ?? ''); above; above = graph.producer(above.input[0] ?? '')) {
    if (!isOnnxDomain(above.domain)) return undefined;
    if (above.opType === 'Reshape') return { reshape: above, between };
    if (!isUnary(above)) return undefined;
    between.push(above);
  }
  return undefined;
}

/** The one node that reads a value, under the name that it reads it by, which handing on may have changed. */
interface Reader {
  readonly node: NodeProto;
  readonly value: string;
}

/** Undefined where several nodes read the value, none does, or the model hands it out. */
function soleReader(graph: Graph, value: string): Reader | undefined {
  for (let name = value; ; ) {
    const [node, ...others] = graph.consumers(name);
    if (!node || others.length > 0 || graph.isOutput(name)) return undefined;
    if (!handsOn(graph, node)) return { node, value: name };
    name = node.output[0] ?? '';
  }
}

/** Whether a tensor of these sides, broadcast to N × channels × H × W, has one value per channel. */
function isPerChannel(dims: readonly number[], channels: number): boolean {
  const [width = 1, height = 1, count = 1, batch = 1, ...more] = [...dims].reverse();
  return more.length === 0 && width * height * batch === 1 && (count === 1 || count === channels);
}

/** A node that scales or shifts an image channel by channel by constants. */
interface ChannelStep {
  readonly node: NodeProto;
  readonly parameter: string;
}

function channelStepAfter(
  context: RuleContext,
  value: string,
  opType: 'Mul' | 'Add',
  channels: number,
): ChannelStep | undefined {
  const { graph } = context;
  const reader = soleReader(graph, value);
  if (reader?.node.opType !== opType || !isOnnxDomain(reader.node.domain)) return undefined;
  const { node } = reader;
  const parameter = node.input[1 - node.input.indexOf(reader.value)] ?? '';
  const dims = shapeOf(context, parameter);
  if (!dims || !isPerChannel(dims, channels) || !graph.isConstant(parameter)) return undefined;
  return { node, parameter };
}

/** Whether the value was reshaped from these sides, and since then only normalized or treated one by one. */
function wasShaped({ graph, shapes }: RuleContext, value: string, sides: readonly number[]): boolean {
  let node = graph.producer(value);
  while (node && isOnnxDomain(node.domain) && (isUnary(node) || node.opType === 'InstanceNormalization'))
    node = graph.producer(node.input[0] ?? '');
  return node?.opType === 'Reshape' && showSize(shapes.get(node.input[0] ?? '') ?? []) === showSize(sides);
}

/** A group normalization written out. */
export interface GroupedNormalization {
  /** The image before it is reshaped. */
  readonly image: string;
  readonly groups: number;
  /** The values, constant ones, that scale and shift its channels afterwards, where there are such. */
  readonly scale: string | undefined;
  readonly shift: string | undefined;
  /** The Casts, to the type that it is computed in and back, between it and the reshapes: float16 is written so around what wants float32. */
  readonly to?: NodeProto | undefined;
  readonly back?: NodeProto | undefined;
  /** The node that computes what comes of it all; all others between the image and it serve this alone. */
  readonly last: NodeProto;
}

/**
 * The group normalization that an InstanceNormalization behind a Reshape is the heart of; undefined if what it normalizes are
 * planes like any, however they came about. A refusal says why the groups cannot be told, or are not whole channels.
 */
export function findGroupedNormalization(
  context: RuleContext,
  node: NodeProto,
): GroupedNormalization | Refusal | undefined {
  const { graph, shapes } = context;
  const found = findReshaping(graph, node);
  const [image = ''] = found?.reshape.input ?? [];
  const whole = shapes.get(image);
  const grouped = shapes.get(node.input[0] ?? '');
  const keepsPlanes = showSize(grouped?.slice(2) ?? []) === showSize(whole?.slice(2) ?? []);
  if (!found || whole?.length !== 4 || !grouped || keepsPlanes) return undefined;

  // Rows, of which attention makes images again, or groups of another normalization.
  if (
    grouped.length === 4 &&
    (context.growth.of(image, -1) === 'pixels' || wasShaped(context, image, grouped))
  )
    return undefined;

  const { reshape, between } = found;
  const [to, ...casts] = between.filter(isCast);
  const step = casts[0] ?? between.find((one) => one !== to && !handsOn(graph, one));
  if (step) return { reason: `${labelOf(step)} (${step.opType}) lies between it and ${labelOf(reshape)}` };
  const [batch = 0, channels = 0] = whole;
  const [, groups = 0] = grouped;
  if (grouped[0] !== batch || channels % groups !== 0) {
    const reshaped = `its input is reshaped from ${showSize(whole)} to ${showSize(grouped)} by ${labelOf(reshape)}`;
    return { reason: `${reshaped}, to groups that are not whole channels` };
  }
  const first = soleReader(graph, node.output[0] ?? '');
  const cast = first && isCast(first.node) ? first.node : undefined;
  const back = cast ? soleReader(graph, cast.output[0] ?? '') : first;
  if (back?.node.opType !== 'Reshape' || back.node.input[0] !== back.value)
    return { reason: `what it makes of its groups is used elsewhere than in one reshape back to images` };
  const [result = ''] = back.node.output;
  const ungrouped = shapes.get(result) ?? [];
  if (showSize(ungrouped) !== showSize(whole)) {
    const sizes = `${showSize(ungrouped)}, not back to ${showSize(whole)}`;
    return { reason: `its groups are reshaped by ${labelOf(back.node)} to ${sizes}` };
  }
  // Parameters in another type than the normalization's stay where they are.
  if (cast) return { image, groups, scale: undefined, shift: undefined, to, back: cast, last: back.node };
  const product = channelStepAfter(context, result, 'Mul', channels);
  const sum = channelStepAfter(context, product?.node.output[0] ?? result, 'Add', channels);
  const last = sum?.node ?? product?.node ?? back.node;
  return { image, groups, scale: product?.parameter, shift: sum?.parameter, to, last };
}
