// Names for what moves from one graph into another: the body of a function, a branch of If.
import { clone } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { Names } from './names.js';
import {
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  shallowCopy,
  subgraphsOf,
  type TensorProto,
  type ValueInfoProto,
} from './proto.js';

/** The names of all nodes in the graph and in the subgraphs of its nodes. */
function nodeNamesIn(graph: GraphProto): string[] {
  return graph.node.flatMap((node) => [node.name, ...subgraphsOf(node).flatMap(nodeNamesIn)]);
}

/** The names of all values that the graph has, and of those in the subgraphs of its nodes, each as often as there is such a value. */
function valueNamesIn(graph: GraphProto): string[] {
  const own = [...graph.input, ...graph.initializer, ...graph.valueInfo]
    .map(({ name }) => name)
    .concat(graph.sparseInitializer.map(({ values }) => values?.name ?? ''))
    .concat(graph.node.flatMap(({ output }) => output));
  return [
    ...new Set(own),
    ...graph.node.flatMap((node) => subgraphsOf(node).flatMap((inner) => valueNamesIn(inner))),
  ];
}

/** The names in use in a graph and its subgraphs. */
export class GraphNames {
  readonly values: Names;
  readonly nodes: Names;

  constructor(graph: GraphProto) {
    this.values = new Names(valueNamesIn(graph));
    this.nodes = new Names(nodeNamesIn(graph));
  }
}

/** The node with every graph that it carries replaced. */
export function withSubgraphs(node: NodeProto, replace: (graph: GraphProto) => GraphProto): NodeProto {
  const copy = shallowCopy(NodeProtoSchema, node);
  copy.attribute = node.attribute.map((attribute) => replaceGraphs(attribute, replace));
  return copy;
}

function replaceGraphs(
  attribute: AttributeProto,
  replace: (graph: GraphProto) => GraphProto,
): AttributeProto {
  if (!attribute.g && attribute.graphs.length === 0) return attribute;
  const copy = shallowCopy(AttributeProtoSchema, attribute);
  if (attribute.g) copy.g = replace(attribute.g);
  copy.graphs = attribute.graphs.map(replace);
  return copy;
}

/** Gives what an attribute of a node that moves becomes; undefined where it goes. */
export type Substitution = (attribute: AttributeProto) => AttributeProto | undefined;

/** What the values of a function's body, or of a branch, are called where they move to. Subgraphs in it have scopes of their own. */
export class Scope {
  readonly #renamed = new Map<string, string>();

  /**
   * New names begin with `prefix`, a function's call; without one, in a branch, what moves keeps its names but for those that something else has. `outside` is asked
   * for the names of values that do not move.
   */
  constructor(
    readonly names: GraphNames,
    readonly prefix: string | undefined,
    readonly outside: (value: string) => string,
  ) {}

  has(value: string): boolean {
    return this.#renamed.has(value);
  }

  /** Has `value` be called `name`. */
  bind(value: string, name: string): void {
    this.#renamed.set(value, name);
  }

  /** A new name for `value`, unless it has got one. */
  define(value: string): string {
    if (value === '') return '';
    const known = this.#renamed.get(value);
    if (known !== undefined) return known;
    const { values } = this.names;
    const name = this.prefix === undefined ? values.keep(value) : values.take(`${this.prefix}/${value}`);
    this.bind(value, name);
    return name;
  }

  /** What a value that is read is called. */
  resolve(value: string): string {
    return value === '' ? '' : (this.#renamed.get(value) ?? this.outside(value));
  }

  nodeName({ name, opType }: NodeProto): string {
    const { nodes } = this.names;
    if (this.prefix !== undefined) return nodes.take(`${this.prefix}/${name || opType}`);
    return name === '' ? '' : nodes.keep(name);
  }

  /** The node under the names of this scope. What its attributes hold is shared, not copied. */
  moveNode(node: NodeProto, substitute: Substitution = (attribute) => attribute): NodeProto {
    const copy = shallowCopy(NodeProtoSchema, node);
    copy.name = this.nodeName(node);
    copy.input = node.input.map((value) => this.resolve(value));
    // An optional input at the end that is missing is left out.
    if (copy.input.length > 0 && node.input.at(-1) !== '') while (copy.input.at(-1) === '') copy.input.pop();
    copy.attribute = node.attribute.flatMap((attribute) => {
      const own = substitute(attribute);
      // What a caller hands in has the names of the caller's graph.
      if (own !== attribute) return own ? [own] : [];
      return [replaceGraphs(attribute, (graph) => this.#moveGraph(graph, substitute))];
    });
    copy.output = node.output.map((value) => this.define(value));
    return copy;
  }

  moveTensor(tensor: TensorProto): TensorProto {
    const copy = shallowCopy(TensorProtoSchema, tensor);
    copy.name = this.define(tensor.name);
    return copy;
  }

  /** What is said of the type of a value. */
  moveInfo(info: ValueInfoProto): ValueInfoProto {
    const copy = clone(ValueInfoProtoSchema, info);
    copy.name = this.resolve(info.name);
    if (this.prefix === undefined || copy.type?.value.case !== 'tensorType') return copy;
    // The names of free dimensions in a function have nothing to do with those of the graph.
    for (const dimension of copy.type.value.value.shape?.dim ?? [])
      if (dimension.value.case === 'dimParam') dimension.value = { case: undefined };
    return copy;
  }

  /** What a graph holds beside its nodes, and the nodes, for the graph `into`. */
  moveContents(from: GraphProto, into: GraphProto, substitute?: Substitution): NodeProto[] {
    into.initializer = [...into.initializer, ...from.initializer.map((tensor) => this.moveTensor(tensor))];
    into.sparseInitializer = [
      ...into.sparseInitializer,
      ...from.sparseInitializer.map((sparse) => {
        const copy = shallowCopy(SparseTensorProtoSchema, sparse);
        if (sparse.values) copy.values = this.moveTensor(sparse.values);
        return copy;
      }),
    ];
    const nodes = from.node.map((node) => this.moveNode(node, substitute));
    const infos = from.valueInfo.filter(({ name }) => this.has(name)).map((info) => this.moveInfo(info));
    into.valueInfo = [...into.valueInfo, ...infos];
    const annotations = from.quantizationAnnotation.map((annotation) => {
      const copy = shallowCopy(TensorAnnotationSchema, annotation);
      copy.tensorName = this.resolve(annotation.tensorName);
      copy.quantParameterTensorNames = annotation.quantParameterTensorNames.map((entry) => {
        const parameter = shallowCopy(StringStringEntryProtoSchema, entry);
        parameter.value = this.resolve(entry.value);
        return parameter;
      });
      return copy;
    });
    into.quantizationAnnotation = [...into.quantizationAnnotation, ...annotations];
    return nodes;
  }

  #moveGraph(graph: GraphProto, substitute: Substitution): GraphProto {
    const inner = new Scope(this.names, this.prefix, (value) => this.resolve(value));
    const copy = shallowCopy(GraphProtoSchema, graph);
    for (const { name } of graph.input) inner.define(name);
    copy.input = graph.input.map((input) => inner.moveInfo(input));
    copy.initializer = [];
    copy.sparseInitializer = [];
    copy.valueInfo = [];
    copy.quantizationAnnotation = [];
    copy.node = inner.moveContents(graph, copy, substitute);
    copy.output = graph.output.map((output) => inner.moveInfo(output));
    return copy;
  }
}
