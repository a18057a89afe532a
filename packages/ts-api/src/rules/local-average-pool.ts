import type { Graph } from '../graph/graph.js';
import { isOnnxDomain, labelOf, type NodeProto, reducesAll } from '../graph/proto.js';
import { followAll } from '../pooled/follow.js';
import { hasPlanes, planeSizeOf } from '../pooled/planes.js';
import { isMean, kindOf, planeIn, type Start } from '../pooled/starts.js';
import type { Match, Refusal, Rule, RuleContext } from '../rewrite/rule.js';
import { imageTypes, isImageType } from '../session/image-tensors.js';
import { showSize } from '../size.js';

/** What stands in the place of a statistic, the operator that it is reported with first. */
function operatorsOf({ kind }: Start, canWait: boolean): string[] {
  // Over channels, too, a variance is worked out of means, as well.
  if (kind === 'variance') return ['LocalVariance', 'LocalAveragePool'];
  return canWait ? ['LocalAveragePool', 'ReplicateScale'] : ['LocalAveragePool'];
}

/** Whether a mean is one of height and width of N×C×H×W, going by its axes alone. */
function isSpatialMean(graph: Graph, node: NodeProto): boolean {
  if (!isOnnxDomain(node.domain)) return false;
  if (node.opType === 'GlobalAveragePool') return true;
  if (node.opType !== 'ReduceMean') return false;
  const axes = graph.reducedAxes(node);
  if (!axes || reducesAll(node, axes)) return true;
  const has = (front: number, back: number) => axes.includes(front) || axes.includes(back);
  return has(2, -2) && has(3, -1);
}

/** Why the statistic itself, whatever becomes of it, cannot be made local. */
function refuseStart(context: RuleContext, start: Start): Refusal | undefined {
  const { node, image, kind } = start;
  const type = context.types.get(node.input[0] ?? '');
  if (!isImageType(type))
    return {
      reason: `its input is ${type || 'of unknown type'}; only ${imageTypes.join(' and ')} can be converted`,
    };
  if (!hasPlanes(context, start))
    return {
      reason: `its planes are laid in rows of which no image, with height and width, is to be found above it`,
    };
  const plane = planeSizeOf(context, start);
  if (plane.includes(1))
    return {
      reason: `its plane is ${showSize(plane)} at this size, too small to follow what becomes of its mean`,
    };
  if (kind === 'sum' && !start.divisions)
    return {
      reason:
        'it is a sum over height and width that nothing divides by the number of pixels; it grows with the image, and no window can stand for it',
    };
  const centering = followAll(context).findCentering(image);
  if (!centering) return undefined;
  const what = `of what ${labelOf(centering)} has taken a mean off`;
  return { reason: `it is the mean ${what}: a normalization written out in a way that cannot be converted` };
}

/** Axes that are computed at run time: whether they take in planes shows in what is left. */
function refuseComputedAxes(context: RuleContext, node: NodeProto): Refusal | undefined {
  const [input = ''] = node.input;
  const isComputed = node.opType.startsWith('Reduce') && context.graph.reducedAxes(node) === undefined;
  const isReduced = planeIn(context, input) && !planeIn(context, node.output[0] ?? '');
  return isComputed && isReduced ? { reason: 'the axes of its mean are computed at run time' } : undefined;
}

/** Means and variances of planes, and their norms: by any operator, over planes of any layout, at once or one side after the other. */
export const localAveragePool: Rule = {
  name: 'local-average-pool',
  seeks: 'means of planes, their variances, sums that are divided by the number of pixels, and norms',

  recognizes: (_graph, node) => kindOf(node) !== undefined,
  isCertain: isSpatialMean,

  check(context: RuleContext, node): Match | Refusal | undefined {
    const start = followAll(context).branches.get(node)?.start;
    if (!start) return refuseComputedAxes(context, node);
    const { first } = start;
    const isOwn = first?.output.every((value) => context.graph.consumers(value).length === 1);
    const covers = new Set(first && isOwn ? [first] : []);
    const refusal = refuseStart(context, start);
    if (refusal) return { ...refusal, covers };
    const branch = followAll(context).branches.get(node);
    if (!branch || branch.refusal) return { reason: 'it cannot be followed', ...branch?.refusal, covers };
    const isHalf = context.types.get(node.input[0] ?? '') === 'float16';
    return {
      featureSize: planeSizeOf(context, start),
      operators: operatorsOf(start, branch.canWait),
      type: isHalf && isMean(start.kind) ? 'float16' : 'float32',
      validLayers: branch.canWait ? branch.layers : undefined,
      covers,
      rewrite: (window) => followAll(context).choose(node, window),
      finish: () => followAll(context).write(),
    };
  },
};
