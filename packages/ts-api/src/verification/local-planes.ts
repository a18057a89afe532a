// The planes that local operators slide their windows over, and what can be said of a conversion by them.
import { localNodesOf, maxStrideOf, windowOf } from '../conversion/local-operators.js';
import type { Site } from '../conversion/record.js';
import { type ConversionSizes, maxStrideFor, windowFor } from '../conversion/sizes.js';
import { localOperatorOf } from '../fusion/operators.js';
import type { Shapes } from '../graph/measure.js';
import type { Model } from '../graph/model.js';
import { floatOf, isOnnxDomain, labelOf, type NodeProto } from '../graph/proto.js';
import { type Size, showSize } from '../size.js';

/** The plane that a local operator slides its window over. */
export interface LocalPlane {
  readonly node: NodeProto;
  readonly plane: Size;
  readonly window: Size;
}

export function planesOf(model: Model, shapes: Shapes): LocalPlane[] {
  return localNodesOf(model).flatMap((node) => {
    const window = windowOf(node);
    const [, , planeHeight = 0, planeWidth = 0] = shapes.get(node.input[0] ?? '') ?? [];
    return window ? [{ node, plane: [planeHeight, planeWidth], window }] : [];
  });
}

export function covers(planes: readonly LocalPlane[]): boolean {
  return planes.every(({ plane, window }) => plane[0] <= window[0] && plane[1] <= window[1]);
}

/** The planes at another size of the image, as far as they grow with it. */
export function grown(planes: readonly LocalPlane[], from: Size, to: Size): LocalPlane[] {
  return planes.map((one) => ({
    ...one,
    plane: [Math.floor((one.plane[0] * to[0]) / from[0]), Math.floor((one.plane[1] * to[1]) / from[1])],
  }));
}

export function findWrongWindows(planes: readonly LocalPlane[], sizes: ConversionSizes): string[] {
  const isWrong = ({ node, plane, window }: LocalPlane) => {
    const maxStride = maxStrideOf(node);
    if (showSize(windowFor(plane, sizes)) !== showSize(window)) return true;
    return maxStride !== undefined && showSize(maxStrideFor(plane, sizes)) !== showSize(maxStride);
  };
  return planes.filter(isWrong).map(({ node }) => labelOf(node));
}

const normalizations = ['InstanceNormalization', 'GroupNormalization'];

export function findWrongEpsilons(original: Model, converted: Model): string[] {
  const norms = original.graph.node.filter(
    ({ opType, domain }) => isOnnxDomain(domain) && normalizations.includes(opType),
  );
  const epsilonOf = (node: NodeProto) => Math.fround(floatOf(node, 'epsilon', 1e-5));
  const epsilons = new Map(norms.map((node) => [node.output[0], epsilonOf(node)]));
  // One that does more than the normalization computes another value, under the same name.
  const named = new Map(norms.flatMap((node) => (node.name ? [[node.name, epsilonOf(node)] as const] : [])));
  const isWrong = (node: NodeProto) => {
    const isNorm = localOperatorOf(node) === 'LocalInstanceNormalization';
    const epsilon = epsilons.get(node.output[0]) ?? (isNorm ? named.get(node.name) : undefined);
    return epsilon !== undefined && epsilon !== epsilonOf(node);
  };
  return localNodesOf(converted).filter(isWrong).map(labelOf);
}

/** The sites that have no local operator: by name, or, of those without, by how many operators of a kind there are. */
export function findMissingSites(model: Model, sites: readonly Site[]): string[] {
  const unclaimed = new Set(localNodesOf(model));
  const isClaimed = (find: (node: NodeProto) => boolean) => {
    const node = [...unclaimed].find(find);
    return node !== undefined && unclaimed.delete(node);
  };
  const unnamed = sites.filter(
    (site) => !isClaimed((node) => localOperatorOf(node) === site.operator && node.name === site.node),
  );
  return unnamed
    .filter((site) => !isClaimed((node) => localOperatorOf(node) === site.operator))
    .map(({ node }) => node);
}
