import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import { Edges, readsOf } from './edges.js';
import { withValues } from './external-data.js';
import { Names } from './names.js';
import {
  DataType,
  type GraphProto,
  holdsIntegers,
  integersIn,
  intsOf,
  isOnnxDomain,
  makeNode,
  type NodeOptions,
  type NodeProto,
  subgraphsOf,
  type TensorProto,
  type ValueInfoProto,
} from './proto.js';

/** The names of all values in the graph and in the subgraphs of its nodes, and of those that it gives a type all the same. */
function namesIn(graph: GraphProto): string[] {
  return [...graph.input, ...graph.initializer, ...graph.valueInfo]
    .map(({ name }) => name)
    .concat(graph.sparseInitializer.map(({ values }) => values?.name ?? ''))
    .concat(graph.node.flatMap((node) => [...node.output, ...subgraphsOf(node).flatMap(namesIn)]));
}

/** A graph with the questions that rewriting asks of it, and the edits it makes. Values are named by their strings. */
export class Graph {
  readonly proto: GraphProto;
  readonly #externalDataFolder: string | undefined;
  readonly #edges: Edges;
  readonly #initializers: Map<string, TensorProto>;
  /** From the first new name on. */
  #names: Names | undefined;
  /** What was found out since the last edit. */
  #positions: Map<NodeProto, number> | undefined;
  #constants = new Map<string, boolean>();

  /** `externalDataFolder` is the one of the model that the graph is of. */
  constructor(proto: GraphProto, externalDataFolder?: string) {
    this.proto = proto;
    this.#externalDataFolder = externalDataFolder;
    this.#edges = new Edges(proto.node);
    this.#initializers = new Map(proto.initializer.map((tensor) => [tensor.name, tensor]));
  }

  get nodes(): readonly NodeProto[] {
    return this.proto.node;
  }

  producer(value: string): NodeProto | undefined {
    return this.#edges.producer(value);
  }

  /** The nodes that read the value, each once. */
  consumers(value: string): readonly NodeProto[] {
    return this.#edges.consumers(value);
  }

  isOutput(value: string): boolean {
    return this.proto.output.some((output) => output.name === value);
  }

  /** Whether anything reads the value, the model hands it out, or it is a scale or zero point of another's quantization. */
  isUsed(value: string): boolean {
    return this.isOutput(value) || this.consumers(value).length > 0 || this.#isParameter(value);
  }

  /** The value that Identity nodes hand on as this one: exporters write constants that are shared so. */
  originOf(value: string): string {
    for (let origin = value; ; ) {
      const node = this.producer(origin);
      if (node?.opType !== 'Identity' || !isOnnxDomain(node.domain)) return origin;
      origin = node.input[0] ?? '';
    }
  }

  /** The tensor of an initializer or a Constant node. Its values may lie in another file: `withValues` has them. */
  constant(value: string): TensorProto | undefined {
    const origin = this.originOf(value);
    const initializer = this.#initializers.get(origin);
    if (initializer) return initializer;
    const node = this.producer(origin);
    if (node?.opType !== 'Constant' || !isOnnxDomain(node.domain)) return undefined;
    return node.attribute.find((entry) => entry.name === 'value')?.t;
  }

  /** The tensor with its values in it, wherever they lie. */
  withValues(tensor: TensorProto): TensorProto {
    return withValues(tensor, this.#externalDataFolder);
  }

  /** Whether the value is the same at every run: nothing that it is computed from is an input, or random. */
  isConstant(value: string): boolean {
    const known = this.#constants;
    const waiting = [value];
    // A value waits until all that it is computed from is known.
    for (let name = waiting.at(-1); name !== undefined; name = waiting.at(-1)) {
      const node = this.producer(name);
      const isGiven =
        name === '' || this.constant(name) || (node?.opType === 'Constant' && isOnnxDomain(node.domain));
      const isOpaque =
        !node || node.input.length === 0 || !isOnnxDomain(node.domain) || subgraphsOf(node).length > 0;
      const unknown = isGiven || isOpaque ? undefined : node.input.find((input) => !known.has(input));
      if (unknown !== undefined) waiting.push(unknown);
      else {
        known.set(name, isGiven ? true : !isOpaque && node.input.every((input) => known.get(input)));
        waiting.pop();
      }
    }
    return known.get(value) ?? false;
  }

  /** Where the node stands among the others; -1 where it is not in the graph. */
  positionOf(node: NodeProto): number {
    this.#positions ??= new Map(this.nodes.map((one, i) => [one, i]));
    return this.#positions.get(node) ?? -1;
  }

  /** The values of a constant integer tensor, however it is written down. */
  constantIntegers(value: string): number[] | undefined {
    const tensor = this.constant(value);
    if (tensor) return holdsIntegers(tensor) ? integersIn(this.withValues(tensor)) : undefined;
    const node = this.producer(this.originOf(value));
    if (node?.opType !== 'Constant' || !isOnnxDomain(node.domain)) return undefined;
    const [entry] = node.attribute;
    if (entry?.name === 'value_ints') return entry.ints.map(Number);
    if (entry?.name === 'value_int') return [Number(entry.i)];
    return undefined;
  }

  /** The axes of a Reduce… node, by attribute or by second input; undefined when they are computed at run time. */
  reducedAxes(node: NodeProto): number[] | undefined {
    const axes = node.input[1];
    return axes ? this.constantIntegers(axes) : (intsOf(node, 'axes') ?? []);
  }

  /**
   * Puts `replacement` in the place of `node`, whose outputs it must compute. What only `node` needed goes with it; what was noted
   * about it, or about the node that it finishes, is now said of the replacement.
   */
  replace(node: NodeProto, replacement: NodeProto, noted = node): void {
    if (noted.docString !== '') replacement.docString = noted.docString;
    replacement.metadataProps = noted.metadataProps;
    this.proto.node[this.#indexOf(node)] = replacement;
    this.#edges.remove(node);
    this.#edges.add(replacement);
    for (const input of node.input) this.#removeIfUnused(input);
  }

  /** Puts `nodes` in the place of `node`, whose outputs they must compute. What only `node` needed goes with it. */
  expand(node: NodeProto, nodes: readonly NodeProto[]): void {
    this.proto.node.splice(this.#indexOf(node), 1, ...nodes);
    this.#edges.remove(node);
    for (const one of nodes) this.#edges.add(one);
    this.#names = undefined;
    for (const value of new Set(readsOf(node))) this.#removeIfUnused(value);
  }

  /** Removes a node that computes nothing that is used, with what only it needed. */
  removeIfUnused(node: NodeProto): void {
    const [first = ''] = node.output;
    if (this.producer(first) === node) this.#removeIfUnused(first);
  }

  /**
   * Removes a node that hands its first input on unchanged: who read its output reads the input instead. What only it
   * needed (a shape that was computed for a Reshape) goes with it. The output must not be one of the graph's. Does nothing to
   * a node that has been bypassed before.
   */
  bypass(node: NodeProto): void {
    if (!this.nodes.includes(node)) return;
    const [from = ''] = node.input;
    const [to = ''] = node.output;
    for (const consumer of this.consumers(to)) this.#rewire(consumer, to, from);
    for (const value of [...this.#remove(node), ...node.input.slice(1)]) this.#removeIfUnused(value);
  }

  /** A name, made of `base`, that neither a value nor a node has. */
  freeName(base: string): string {
    this.#names ??= new Names([...namesIn(this.proto), ...this.nodes.map(({ name }) => name)]);
    return this.#names.number(base);
  }

  /** Adds a constant, named after its name, which may be taken; returns the name that it got. */
  addInitializer(tensor: TensorProto): string {
    tensor.name = this.freeName(tensor.name);
    this.proto.initializer.push(tensor);
    this.#initializers.set(tensor.name, tensor);
    return tensor.name;
  }

  /** Adds an input that has this value unless another is fed; nothing may have its name. */
  addOptionalInput(value: TensorProto, info: ValueInfoProto): void {
    this.proto.initializer.push(value);
    this.proto.input.push(info);
    this.#initializers.set(value.name, value);
    this.#names = undefined;
  }

  /** Adds an int64 constant, one number of no axes or a list, named after `base`; returns its name. */
  addIntegers(base: string, values: number | readonly number[]): string {
    const [list, dims] = typeof values === 'number' ? [[values], []] : [values, [BigInt(values.length)]];
    const int64Data = list.map(BigInt);
    return this.addInitializer(
      create(TensorProtoSchema, { name: base, dataType: DataType.INT64, dims, int64Data }),
    );
  }

  /**
   * Puts a node right in front of `next`: `opType` of `input`, whose output, named after `base`, is returned.
   */
  insertBefore(
    next: NodeProto,
    base: string,
    opType: string,
    input: readonly string[],
    options: Omit<NodeOptions, 'name'> = {},
  ): string {
    const name = this.freeName(base);
    this.insert(next, makeNode(opType, input, [name], { ...options, name }));
    return name;
  }

  /** Puts a node of new names right in front of `next`. */
  insert(next: NodeProto, node: NodeProto): void {
    this.proto.node.splice(this.#indexOf(next), 0, node);
    this.#edges.add(node);
  }

  /** Has the node read `replacement` wherever it reads `value`, which goes if only the node needed it. */
  replaceInput(node: NodeProto, value: string, replacement: string): void {
    this.#rewire(node, value, replacement);
    this.#removeIfUnused(value);
  }

  /** Drops what the model says of the shapes of values that an edit has changed. */
  forgetShapes(values: ReadonlySet<string>): void {
    this.proto.valueInfo = this.proto.valueInfo.filter(({ name }) => !values.has(name));
  }

  #removeIfUnused(value: string): void {
    const waiting = [value];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next === '' || this.isUsed(next)) continue;
      // One that is an input too (as all were before IR version 4) stays: without its default the input would be required.
      if (this.proto.input.some(({ name }) => name === next)) continue;
      const node = this.producer(next);
      if (!node) {
        const initializer = next;
        this.proto.initializer = this.proto.initializer.filter(({ name }) => name !== initializer);
        waiting.push(...this.#forget([next]));
      } else if (!node.output.some((name) => this.isUsed(name))) {
        waiting.push(...this.#remove(node), ...node.input.toReversed());
      }
    }
  }

  /** Removes the node; returns what may be of no use any more. */
  #remove(node: NodeProto): string[] {
    this.proto.node.splice(this.#indexOf(node), 1);
    this.#edges.remove(node);
    return this.#forget(node.output);
  }

  /** Drops what the model says of values that are gone; returns the parameters of their quantization, which may be of no use any more. */
  #forget(values: readonly string[]): string[] {
    this.forgetShapes(new Set(values));
    const { quantizationAnnotation: annotations } = this.proto;
    const dropped = annotations.filter(({ tensorName }) => values.includes(tensorName));
    this.proto.quantizationAnnotation = annotations.filter((one) => !dropped.includes(one));
    return dropped.flatMap(({ quantParameterTensorNames }) =>
      quantParameterTensorNames.map((parameter) => parameter.value),
    );
  }

  #isParameter(value: string): boolean {
    return this.proto.quantizationAnnotation.some(({ quantParameterTensorNames }) =>
      quantParameterTensorNames.some((parameter) => parameter.value === value),
    );
  }

  /** For an edit. */
  #indexOf(node: NodeProto): number {
    this.#positions = undefined;
    this.#constants.clear();
    const index = this.proto.node.indexOf(node);
    if (index < 0) throw new Error(`${node.opType} ${node.name} is not in the graph`);
    return index;
  }

  /** Has the node read `to` wherever it reads `from`. */
  #rewire(node: NodeProto, from: string, to: string): void {
    this.#constants.clear();
    this.#edges.remove(node);
    node.input = node.input.map((name) => (name === from ? to : name));
    this.#edges.add(node);
  }
}
