import { makeNode, type NodeProto } from '../graph/proto.js';
import { type ChannelParameter, ChannelParameters } from '../rewrite/channel-parameters.js';
import type { ImageType } from '../session/image-tensors.js';
import { constantIn, typeOf } from './constants.js';
import { type Fusion, type FusionContext, isImage, isReadBy } from './context.js';
import type { ChannelStep, Deviation } from './normalization-forms.js';
import { NormalizationRegion } from './normalization-region.js';
import { asItIs, sameView } from './views.js';

/** What may stand between an image and the first step of its normalization. */
const rearranging = new Set(['Identity', 'Reshape', 'Transpose']);

/** As many of them as exporters write, and some more. */
const mostSteps = 8;

const firstSteps = new Set(['LayerNormalization', 'ReduceMean', 'ReduceSum']);

/** The image that a node may be the first step of the normalization of. */
function imageAbove(context: FusionContext, node: NodeProto): string | undefined {
  const { graph } = context;
  if (!firstSteps.has(node.opType)) return undefined;
  let value = node.input[0] ?? '';
  for (let steps = 0; steps < mostSteps; steps++) {
    if (isImage(context, value)) return value;
    const above = graph.producer(value);
    if (!above || !rearranging.has(above.opType)) return undefined;
    value = above.input[0] ?? '';
  }
  return undefined;
}

/** The regions of one state of the graph: many nodes may ask for the same. */
const regions = new WeakMap<FusionContext, Map<string, NormalizationRegion>>();

function regionOf(context: FusionContext, image: string): NormalizationRegion {
  const known = regions.get(context) ?? new Map<string, NormalizationRegion>();
  regions.set(context, known);
  const region = known.get(image) ?? new NormalizationRegion(context, image);
  known.set(image, region);
  return region;
}

/** What is known of the value that a normalization ends with. */
interface Normalized {
  /** The node that computes it. */
  readonly node: NodeProto;
  readonly centred: boolean;
  readonly by: Deviation;
  readonly steps: readonly ChannelStep[];
}

/** The values that are the image normalized, and laid out as it was. */
function normalizedIn({ nodes, known }: NormalizationRegion): Normalized[] {
  return nodes.flatMap((node) => {
    const { form, view } = known.get(node.output[0] ?? '') ?? {};
    const isNormalized = form?.kind === 'image' && form.by && view && sameView(view, asItIs);
    return isNormalized ? [{ ...form, node, by: form.by }] : [];
  });
}

/** The first of them that something reads which is no further step. */
function resultOf(region: NormalizationRegion): Normalized | undefined {
  const { graph } = region.context;
  const isStep = ({ output: [value = ''] }: NodeProto) => region.known.has(value);
  return normalizedIn(region).find(({ node: { output } }) =>
    output.some((value) => graph.isOutput(value) || !graph.consumers(value).every(isStep)),
  );
}

/** The nodes of the region that `last` needs, itself among them. */
function stepsTo({ context: { graph }, known, image }: NormalizationRegion, last: NodeProto): Set<NodeProto> {
  const found = new Set([last]);
  for (const node of found)
    for (const value of node.input) {
      const above = known.has(value) && value !== image ? graph.producer(value) : undefined;
      if (above) found.add(above);
    }
  return found;
}

/** Whether all that is computed on the way to `last` is for it alone. */
function isForOneResult(region: NormalizationRegion, last: NodeProto): boolean {
  const own = [...stepsTo(region, last)];
  return own.every(
    (node) => node === last || node.output.every((value) => isReadBy(region.context, value, own)),
  );
}

/** The element type of the image, which is that of the constants that it meets; a power's exponent may be of another. */
function typeFor({ context }: NormalizationRegion, nodes: Iterable<NodeProto>): ImageType | undefined {
  for (const { opType, input } of nodes)
    for (const value of opType === 'Pow' ? [] : input) {
      const tensor = constantIn(context, value);
      if (tensor) return typeOf(tensor);
    }
  return undefined;
}

/** Scale and shift that the steps come to together, and the division by what the variance was multiplied with. */
function affineOf(parameters: ChannelParameters, { by, steps }: Normalized) {
  const all = (value: number): ChannelParameter => ({ values: Array(parameters.channels).fill(value) });
  let [scale, shift] = [all(1 / Math.sqrt(by.times)), all(0)];
  for (const { kind, value, dims } of steps) {
    const parameter = parameters.of(value, dims);
    if (kind === 'scale') scale = parameters.multiply(scale, parameter);
    shift = kind === 'scale' ? parameters.multiply(shift, parameter) : parameters.add(shift, parameter);
  }
  return { scale, shift };
}

function rewrite(
  region: NormalizationRegion,
  result: Normalized,
  type: ImageType,
  operator: string,
): NodeProto {
  const { context, image, channels } = region;
  const { node, centred, by } = result;
  const parameters = new ChannelParameters(context.graph, node, type, channels);
  const { scale, shift } = affineOf(parameters, result);
  const named = (parameter: ChannelParameter, name: string) =>
    parameters.toValue(parameter, `${node.output[0]}_${name}`);
  const input = [image, named(scale, 'scale'), ...(centred ? [named(shift, 'bias')] : [])];
  const attributes = { epsilon: { float: by.epsilon / by.times } };
  const options = { domain: 'tlsc', name: node.name, attributes };
  const made = makeNode(operator, input, node.output, options);
  context.graph.replace(node, made);
  regions.delete(context);
  return made;
}

/** The normalization of an image over its channels that the node is the first step of; undefined where it is of none. */
export function channelNormalization(context: FusionContext, node: NodeProto): Fusion | undefined {
  const image = imageAbove(context, node);
  const region = image === undefined ? undefined : regionOf(context, image);
  const result = region && resultOf(region);
  if (!result || result.by.times <= 0 || result.by.epsilon < 0) return undefined;
  const nodes = stepsTo(region, result.node);
  const type = typeFor(region, nodes);
  const isShifted = result.steps.some(({ kind }) => kind === 'shift');
  if (!type || !isForOneResult(region, result.node) || (isShifted && !result.centred)) return undefined;
  const operator = result.centred ? 'ChannelLayerNormalization' : 'ChannelVarianceNormalization';
  return { operator, type, rewrite: () => rewrite(region, result, type, operator) };
}
