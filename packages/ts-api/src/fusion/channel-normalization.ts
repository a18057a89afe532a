import { DataType, makeNode, type NodeProto } from '../graph/proto.js';
import { type ChannelParameter, ChannelParameters } from '../rewrite/channel-parameters.js';
import { isWeights } from '../rewrite/weights.js';
import type { ImageType } from '../session/image-tensors.js';
import { type Fusion, type FusionContext, isImage } from './context.js';
import type { ChannelStep, Deviation } from './normalization-forms.js';
import { NormalizationRegion } from './normalization-region.js';
import { asItIs, sameView } from './views.js';

/** What may stand between an image and the first step of its normalization. */
const rearranging = new Set(['Identity', 'Reshape', 'Transpose']);

const firstSteps = new Set(['LayerNormalization', 'ReduceMean', 'ReduceSum']);

/** The image that a node may be the first step of the normalization of. */
function imageAbove(context: FusionContext, node: NodeProto): string | undefined {
  const { graph } = context;
  if (!firstSteps.has(node.opType)) return undefined;
  for (let value = node.input[0] ?? ''; ; ) {
    if (isImage(context, value)) return value;
    const above = graph.producer(value);
    if (!above || !rearranging.has(above.opType)) return undefined;
    value = above.input[0] ?? '';
  }
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

/** Whether all that is computed on the way to `last` is for it alone. Who asks for shapes does not compute anything. */
function isForOneResult(region: NormalizationRegion, last: NodeProto): boolean {
  const { graph } = region.context;
  const own = stepsTo(region, last);
  const isOwn = (reader: NodeProto) => own.has(reader) || reader.opType === 'Shape';
  return [...own].every(
    (node) =>
      node === last ||
      node.output.every((value) => !graph.isOutput(value) && graph.consumers(value).every(isOwn)),
  );
}

/** The element type of the constants among what the nodes read. */
function typeOf(
  { context: { graph } }: NormalizationRegion,
  nodes: Iterable<NodeProto>,
): ImageType | undefined {
  for (const { input } of nodes)
    for (const value of input) {
      const tensor = graph.constant(value);
      if (tensor && isWeights(tensor)) return tensor.dataType === DataType.FLOAT ? 'float32' : 'float16';
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
  return made;
}

/** The normalization of an image over its channels that the node is the first step of; undefined where it is of none. */
export function channelNormalization(context: FusionContext, node: NodeProto): Fusion | undefined {
  const image = imageAbove(context, node);
  const region = image === undefined ? undefined : new NormalizationRegion(context, image);
  const result = region && resultOf(region);
  if (!result || result.by.times <= 0 || result.by.epsilon < 0) return undefined;
  const nodes = stepsTo(region, result.node);
  const type = typeOf(region, nodes);
  const isShifted = result.steps.some(({ kind }) => kind === 'shift');
  if (!type || !isForOneResult(region, result.node) || (isShifted && !result.centred)) return undefined;
  const operator = result.centred ? 'ChannelLayerNormalization' : 'ChannelVarianceNormalization';
  return { operator, node: result.node, type, rewrite: () => rewrite(region, result, type, operator) };
}
