import type { Graph } from '../graph/graph.js';
import { intOf, intsOf, isOnnxDomain, makeNode, type NodeProto } from '../graph/proto.js';
import { followPooled } from '../rewrite/pointwise.js';
import type { Match, Refusal, Rule, RuleContext } from '../rewrite/rule.js';
import type { Size } from '../size.js';

const operator = 'LocalAveragePool';

/** The axes of a reduction, from the attribute (up to opset 17) or the second input; undefined when computed at run time. */
function axesOf(graph: Graph, node: NodeProto): number[] | undefined {
  const axes = node.input[1];
  if (axes) return graph.constantIntegers(axes);
  return intsOf(node, 'axes') ?? [];
}

function isSpatialMean(graph: Graph, node: NodeProto): boolean {
  const axes = axesOf(graph, node);
  if (!axes) return true;
  const sides = [
    [2, -2],
    [3, -1],
  ] as const;
  const spatial = sides.map(([front, back]) => axes.includes(front) || axes.includes(back));
  const reducesAll = axes.length === 0 && intOf(node, 'noop_with_empty_axes', 0) === 0;
  // Axes 1 and 2 are height and width where channels come last.
  const channelsLast = axes.length === 2 && axes.includes(1) && axes.includes(2);
  return reducesAll || channelsLast || spatial.every((is) => is);
}

function checkAxes(graph: Graph, node: NodeProto): Refusal | undefined {
  if (node.opType !== 'ReduceMean') return undefined;
  const axes = axesOf(graph, node);
  if (!axes) return { reason: 'the axes of its mean are computed at run time' };
  const normal = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
  if (normal.length === 2 && normal[0] === 2 && normal[1] === 3) return undefined;
  return { reason: `its mean runs over the axes [${axes.join(', ')}], not over height and width alone` };
}

/** GlobalAveragePool, and ReduceMean over height and width (axes by attribute or input, keepdims or not). */
export const localAveragePool: Rule = {
  name: 'local-average-pool',
  operator,

  recognizes(graph, node) {
    if (!isOnnxDomain(node.domain)) return false;
    return (
      node.opType === 'GlobalAveragePool' || (node.opType === 'ReduceMean' && isSpatialMean(graph, node))
    );
  },

  check(context: RuleContext, node): Match | Refusal {
    const { graph, shapes } = context;
    const [input = ''] = node.input;
    const shape = shapes.get(input);
    if (shape?.length !== 4)
      return { reason: `its input has rank ${shape?.length ?? 'unknown'}, not 4 (N×C×H×W)` };
    const wrongAxes = checkAxes(graph, node);
    if (wrongAxes) return wrongAxes;
    const featureSize: Size = [shape[2] ?? 0, shape[3] ?? 0];
    const branch = followPooled(context, node, featureSize);
    if ('reason' in branch) return branch;
    return {
      featureSize,
      rewrite(window) {
        graph.forgetShapes(branch.values);
        for (const reshape of branch.reshapes) graph.bypass(reshape);
        const attributes = { kernel_shape: window };
        graph.replace(
          node,
          makeNode(operator, [input], node.output, { domain: 'tlsc', name: node.name, attributes }),
        );
      },
    };
  },
};
