import { TlscError } from '../errors.js';
import { domain } from '../functions/body.js';
import { isFused } from '../fusion/operators.js';
import type { Model } from '../graph/model.js';
import { intsOf, type NodeProto, subgraphsOf } from '../graph/proto.js';
import type { Size } from '../size.js';

/** The nodes that a conversion has put into the model in the place of global statistics, or those that do their work. */
export function localNodesOf(model: Model): NodeProto[] {
  return model.graph.node.filter(
    (node) => node.domain === domain && (!isFused(node) || windowOf(node) !== undefined),
  );
}

/** The window of a local operator; undefined for one that has none. */
export function windowOf(node: NodeProto): Size | undefined {
  return pairOf(node, 'kernel_shape');
}

/** How far the samples of its window may lie apart in fast mode; undefined in exact mode. */
export function maxStrideOf(node: NodeProto): Size | undefined {
  return pairOf(node, 'max_stride');
}

function pairOf(node: NodeProto, attribute: string): Size | undefined {
  const [height, width] = intsOf(node, attribute) ?? [];
  return height === undefined || width === undefined ? undefined : [height, width];
}

function hasLocal(nodes: readonly NodeProto[]): boolean {
  return nodes.some(
    (node) => node.domain === domain || subgraphsOf(node).some((inner) => hasLocal(inner.node)),
  );
}

/** Whether anything in the model is of tlsc's domain, be it only an import or a function that nothing calls. */
export function isConverted({ opsetImport, functions, graph }: Model): boolean {
  return (
    [...opsetImport, ...functions].some((entry) => entry.domain === domain) ||
    [graph, ...functions].some(({ node }) => hasLocal(node))
  );
}

/** Throws ERR_ALREADY_CONVERTED. */
export function refuseConverted(model: Model, name: string): void {
  if (!isConverted(model)) return;
  throw new TlscError(
    'ERR_ALREADY_CONVERTED',
    `${name} has been converted, or has something else of domain ${domain} in it; give the original model`,
  );
}
