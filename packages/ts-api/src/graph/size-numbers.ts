// Numbers that a model works out of the sizes of its values.
import { toBinary } from '@bufbuild/protobuf';
import { AttributeProtoSchema, NodeProtoSchema } from 'onnx-buf';
import { readsOf } from './edges.js';
import type { Graph } from './graph.js';
import { isOnnxDomain, type NodeProto, shallowCopy, subgraphsOf } from './proto.js';

/** What numbers are worked out of shapes by. */
const counting = new Set(
  (
    'Abs Add And Cast Ceil Clip Concat Div Equal Erf Exp Expand Flatten Floor Gather Greater GreaterOrEqual Identity Less LessOrEqual Log ' +
    'Max Mean Min Mod Mul Neg Not Or Pow ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Reciprocal Relu Reshape Round Sigmoid Sign ' +
    'Slice Softplus Split Sqrt Squeeze Sub Sum Tanh Tile Transpose Unsqueeze Where Xor'
  ).split(' '),
);

/** The values that are worked out of the shapes of others, and of constants. */
export function sizeNumbers(graph: Graph): ReadonlySet<string> {
  const numbers = new Set<string>();
  for (const node of graph.nodes) {
    if (!isOnnxDomain(node.domain)) continue;
    const isAsked = node.opType === 'Shape' || node.opType === 'Size';
    const isWorkedOut =
      counting.has(node.opType) &&
      node.input.some((value) => numbers.has(value)) &&
      node.input.every((value) => value === '' || numbers.has(value) || graph.isConstant(value));
    if (isAsked || isWorkedOut) for (const value of node.output) numbers.add(value);
  }
  return numbers;
}

/** Numbers that exporters work out although they are constant. */
function isOfConstants(graph: Graph, { domain, input, opType }: NodeProto): boolean {
  return isOnnxDomain(domain) && counting.has(opType) && input.every((value) => graph.isConstant(value));
}

/** Constants of more values are told apart by their names. */
const fewValues = 16;

/** What a node computes, written so that nodes that compute the same have the same. */
function formulaOf(graph: Graph, { opType, input, attribute }: NodeProto): string {
  const operands = input.map((value) => {
    const numbers = graph.constantIntegers(value);
    if (!numbers || numbers.length > fewValues) return value;
    const { dataType, dims } = graph.constant(value) ?? {};
    return JSON.stringify([dataType, dims?.map(Number), numbers]);
  });
  const attributes = attribute.map((one) =>
    Buffer.from(toBinary(AttributeProtoSchema, one)).toString('latin1'),
  );
  return JSON.stringify([opType, operands, attributes.sort()]);
}

/** Nodes that compute every size once, and the values that are left out, each with the one that it is the same as. */
export interface Merged {
  readonly nodes: readonly NodeProto[];
  readonly twins: ReadonlyMap<string, string>;
}

/**
 * The nodes of a graph without those that work out of sizes what others have worked out before: exporters write that anew at each use,
 * which is most of the graph in networks of many windows.
 */
export function mergeSizeNumbers(graph: Graph): Merged {
  const numbers = sizeNumbers(graph);
  const twins = new Map<string, string>();
  const made = new Map<string, NodeProto>();
  const nodes: NodeProto[] = [];
  const inner = new Set(graph.nodes.flatMap((node) => (subgraphsOf(node).length > 0 ? readsOf(node) : [])));
  for (const node of graph.nodes) {
    const isMerged = node.input.some((value) => twins.has(value));
    const merged = isMerged ? shallowCopy(NodeProtoSchema, node) : node;
    if (isMerged) merged.input = node.input.map((value) => twins.get(value) ?? value);
    const isNumber = node.output.every((value) => numbers.has(value)) || isOfConstants(graph, node);
    const isMergeable = isNumber && !node.output.some((value) => inner.has(value));
    const formula = isMergeable ? formulaOf(graph, merged) : undefined;
    const twin = formula === undefined ? undefined : made.get(formula);
    if (twin) for (const [i, value] of node.output.entries()) twins.set(value, twin.output[i] ?? '');
    else {
      nodes.push(merged);
      if (formula !== undefined) made.set(formula, merged);
    }
  }
  return { nodes, twins };
}
