// Whether the outputs of a converted model show what its local operators do. Where an output shows nothing of an operator, that it
// is as in the original proves nothing of this operator.
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema } from 'onnx-buf';
import type { Tensor } from 'onnxruntime-common';
import { localNodesOf, windowOf } from '../conversion/local-operators.js';
import { throwIfAborted } from '../errors.js';
import { Graph } from '../graph/graph.js';
import type { ElementTypes, Shapes } from '../graph/measure.js';
import { encodeModel, type LoadedModel, type Model } from '../graph/model.js';
import { noiseOf, paintNoise } from '../graph/noise.js';
import { DataType, labelOf, makeNode, makeTensorInfo, shallowCopy } from '../graph/proto.js';
import { trialFeeds } from '../graph/trial-feeds.js';
import { isRunFailure, type TrialValues, trialValuesOf } from '../graph/trial-values.js';
import { type ImageType, toImageTensor } from '../session/image-tensors.js';
import { InferenceSession } from '../session/inference-session.js';
import { modeFor } from '../session/many-nodes.js';
import type { Size } from '../size.js';
import { compare } from './compare.js';

/** How many times the tolerance an output must change for an operator to count as seen. */
const clearly = 2;

/** What a local operator reads is multiplied by up to this: by some 3, and unevenly, which normalizations do not take off again. */
const largestFactor = 5;

/** A local operator with a window, and the input of the disturbed model that multiplies what it reads. */
interface Site {
  readonly label: string;
  /** What the operator reads. */
  readonly read: string;
  readonly factor: string;
  readonly type: ImageType;
}

/** An image size, and the shapes that the model's values have there. */
export interface View {
  readonly size: Size;
  readonly shapes: Shapes;
}

/** The model with a product in front of each local operator that has a window, whose other factor is one more input. */
function disturbed(model: Model, types: ElementTypes): { bytes: Uint8Array; sites: Site[] } {
  const graph = shallowCopy(GraphProtoSchema, model.graph);
  const names = new Graph(model.graph);
  const sites: Site[] = [];
  const local = new Set(localNodesOf(model).filter(windowOf));
  graph.input = [...model.graph.input];
  graph.node = model.graph.node.flatMap((node) => {
    if (!local.has(node)) return [node];
    const [read = '', ...others] = node.input;
    const [factor, product] = [names.freeName('tlsc_factor'), names.freeName('tlsc_product')];
    const type = types.get(read) === 'float16' ? 'float16' : 'float32';
    const elemType = type === 'float16' ? DataType.FLOAT16 : DataType.FLOAT;
    graph.input.push(makeTensorInfo(factor, elemType, [undefined, undefined, undefined, undefined]));
    sites.push({ label: labelOf(node), read, factor, type });
    const copy = shallowCopy(NodeProtoSchema, node);
    copy.input = [product, ...others];
    return [makeNode('Mul', [read, factor], [product], { name: product }), copy];
  });
  const copy = shallowCopy(ModelProtoSchema, model);
  copy.graph = graph;
  return { bytes: encodeModel(copy), sites };
}

/** 1 for all values, or for each another between 1 and `largestFactor`. */
function factorFor({ type, factor }: Site, dims: readonly number[] = [1, 1, 1, 1]): Tensor {
  const next = noiseOf(factor);
  const length = dims.reduce((product, side) => product * side, 1);
  const values = new Float32Array(length).fill(1);
  if (length > 1) for (let i = 0; i < length; i++) values[i] = 1 + (largestFactor - 1) * next();
  return toImageTensor(type, values, dims);
}

export interface Influence {
  /** The local operators of which no output shows anything. */
  readonly blindSites: readonly string[];
  /** What inputs that are no images were fed. */
  readonly values: TrialValues;
}

interface Question {
  /** At least one; at the others it is looked for what the first did not show. */
  readonly views: readonly [View, ...View[]];
  readonly types: ElementTypes;
  readonly tolerance: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Multiplies what each local operator with a window reads by noise between 1 and 5, one operator after the other, and sees whether any
 * output changes by clearly more than the tolerance. Of the choices of values for inputs that are no images it takes the one that shows
 * the most, and of several such the first. Costs a run on the kernels per operator and view, and one more per view. Rejects with
 * ERR_RUN_FAILED when the model runs on no choice, and what `trialFeeds` and `InferenceSession` do.
 */
export async function findInfluence(
  { model, name }: LoadedModel,
  { views, types, tolerance, signal }: Question,
): Promise<Influence> {
  throwIfAborted(signal);
  const { bytes, sites } = disturbed(model, types);
  const { externalDataFolder } = model;
  const session = await InferenceSession.create(bytes, {
    ...modeFor(model.graph.node.length),
    externalDataFolder,
    logSeverityLevel: 4,
  });
  const look = async ({ size, shapes }: View, values: TrialValues, asked: readonly Site[]) => {
    const feeds = await trialFeeds(model, size, name, paintNoise, values);
    for (const site of sites) feeds[site.factor] = await factorFor(site);
    const options = signal ? { signal } : {};
    const reference = await session.run(feeds, options);
    // Infinities and NaN show nothing, unless it is the disturbance that brought them about.
    const allFinite = (await compare(reference, reference)) === 0;
    const blind: Site[] = [];
    for (const site of asked) {
      const disturbance = { [site.factor]: await factorFor(site, shapes.get(site.read)) };
      const change = await compare(reference, await session.run({ ...feeds, ...disturbance }, options));
      if (!allFinite || change <= clearly * tolerance) blind.push(site);
    }
    return blind;
  };
  try {
    const [first, ...others] = views;
    let best: { values: TrialValues; blind: Site[] } | undefined;
    let failure: unknown;
    for (const values of trialValuesOf(model, first.size)) {
      try {
        const blind = await look(first, values, sites);
        if (!best || blind.length < best.blind.length) best = { values, blind };
        if (blind.length === 0) break;
      } catch (error) {
        if (!isRunFailure(error)) throw error;
        failure ??= error;
      }
    }
    if (!best) throw failure;
    for (const view of others)
      if (best.blind.length > 0) best.blind = await look(view, best.values, best.blind);
    return { blindSites: best.blind.map(({ label }) => label), values: best.values };
  } finally {
    await session.release();
  }
}
