// What the values of a model are like at two sizes of the image. What follows the image, and along which side, shows when they are
// compared.
import { GraphProtoSchema, ModelProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import { type Size, showSize } from '../size.js';
import { type Measurement, measure, type ProbedModel } from './measure.js';
import type { Model } from './model.js';
import { isOnnxDomain, labelOf, type NodeProto, shallowCopy } from './proto.js';

/** A node that fails, and how. */
export interface Failure {
  /** Name of the node, or its operator and output where it has none. */
  readonly node: string;
  /** Follows the node's name. */
  readonly reason: string;
}

/** What was seen at one image size. Where the model failed, of the nodes before the one that did. */
export interface Sample extends Omit<Measurement, 'types'> {
  readonly size: Size;
  readonly failure: Failure | undefined;
}

export type TwoSizes = readonly [trained: Sample, other: Sample];

/** As many failures as are looked behind. */
const mostFailures = 4;

/** Runs the model at one size; where a node fails, once more up to that node. */
async function sampleAt(probed: ProbedModel, size: Size, signal: AbortSignal | undefined): Promise<Sample> {
  let failure: Failure | undefined;
  let part = probed.model;
  let valued = [...probed.probes.values.keys()];
  for (let attempt = 0; attempt <= mostFailures; attempt++) {
    try {
      const measurement = failure
        ? await measure(part, size, probed.name, { valued, signal })
        : await probed.at(size, signal);
      return { size, ...measurement, failure };
    } catch (error) {
      if (!(error instanceof TlscError) || error.code !== 'ERR_TRAIN_SIZE') throw error;
      const failed = /Name:'(.*?)' Status Message: (.*)/s.exec(error.message);
      const { node: nodes } = part.graph;
      const index = nodes.findIndex((one) => labelOf(one) === failed?.[1]);
      const reason = `cannot run on an image of ${showSize(size)}: ${failed?.[2] ?? error.message}`;
      failure = { node: index < 0 ? 'the model' : (failed?.[1] ?? ''), reason };
      if (index < 0) break;
      const gone = new Set(nodes.slice(index).flatMap(({ output }) => output));
      valued = valued.filter((name) => !gone.has(name));
      part = withNodes(part, nodes.slice(0, index));
    }
  }
  return { size, shapes: new Map(), values: new Map(), failure };
}

function withNodes(model: Model, nodes: NodeProto[]): Model {
  const copy = shallowCopy(ModelProtoSchema, model) as Model;
  copy.graph = shallowCopy(GraphProtoSchema, model.graph);
  copy.graph.node = nodes;
  return copy;
}

/** Images of no more pixels are rather made larger: made smaller, and halved again and again, little would be left of them. */
const smallImage = 48 * 48;

/**
 * Sizes to compare with, as good multiples of powers of two as the size is, as far as can be; the first that the model runs at will do.
 * Height and width change by different factors, so that it shows which of the two an axis follows.
 */
function otherSizes([height, width]: Size): Size[] {
  const smaller: Size[] = [[(height * 3) / 4, width / 2]];
  const larger: Size[] = [
    [height * 2, (width * 3) / 2],
    [height * 2, width * 3],
  ];
  const sizes = height * width > smallImage ? [...smaller, ...larger] : larger;
  return sizes.filter((size) => size.every(Number.isInteger));
}

/** Whether a Pad makes images of this size as large as those of the other, as models do that run at multiples of a size. */
function isPaddedUp(nodes: readonly NodeProto[], [trained, other]: TwoSizes): boolean {
  const differs = (value: string, axis: number) =>
    other.shapes.get(value)?.at(axis) !== trained.shapes.get(value)?.at(axis);
  return nodes.some(
    (node) =>
      node.opType === 'Pad' &&
      isOnnxDomain(node.domain) &&
      [-2, -1].some((axis) => differs(node.input[0] ?? '', axis) && !differs(node.output[0] ?? '', axis)),
  );
}

/** Runs the model at `size` and at another, at which it can run if there is one. Throws what `ProbedModel.at` does. */
export async function sampleTwice(
  probed: ProbedModel,
  size: Size,
  signal?: AbortSignal,
  candidates: readonly Size[] = otherSizes(size),
): Promise<TwoSizes> {
  const trained = await sampleAt(probed, size, signal);
  let best: TwoSizes | undefined;
  for (const candidate of candidates) {
    const both = [trained, await sampleAt(probed, candidate, signal)] as const;
    if (!both[1].failure && !isPaddedUp(probed.model.graph.node, both)) return both;
    if (!best || best[1].failure) best = both;
  }
  return best ?? [trained, trained];
}
