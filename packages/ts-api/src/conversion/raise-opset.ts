import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import { invalidArgument, TlscError } from '../errors.js';
import { lowestOpset } from '../functions/body.js';
import { Graph } from '../graph/graph.js';
import { inputsOf, tensorTypeOf } from '../graph/inputs.js';
import type { Shapes } from '../graph/measure.js';
import { type Model, opsetOf } from '../graph/model.js';
import {
  DataType,
  intOf,
  isOnnxDomain,
  labelOf,
  makeNode,
  type NodeOptions,
  type NodeProto,
  subgraphsOf,
} from '../graph/proto.js';
import { makeWeights } from '../rewrite/weights.js';
import { type Change, oldestOpset, opsetChanges, type Surroundings } from './opset-changes.js';

/** What ONNX changed of the node's operator in this opset. */
function changeOf(node: NodeProto, opset: number): Change | undefined {
  return isOnnxDomain(node.domain) ? opsetChanges[opset]?.[node.opType] : undefined;
}

/** Around one node of the model's graph, or of a branch. New constants and names are the whole model's: branches see both. */
class Place implements Surroundings {
  readonly #raise: Raise;
  readonly #nodes: NodeProto[];
  readonly #node: NodeProto;

  constructor(raise: Raise, nodes: NodeProto[], node: NodeProto) {
    this.#raise = raise;
    this.#nodes = nodes;
    this.#node = node;
  }

  rank(value: string): number | undefined {
    return this.#raise.shapes.get(value)?.length;
  }

  integers(base: string, values: number | readonly number[]): string {
    return this.#raise.integers(base, values);
  }

  floats(base: string, values: number | readonly number[]): string {
    return this.#raise.floats(base, values);
  }

  before(
    opType: string,
    input: readonly string[],
    attributes: NonNullable<NodeOptions['attributes']> = {},
  ): string {
    const name = this.#raise.graph.freeName(this.#node.name || (this.#node.output[0] ?? ''));
    const node = makeNode(opType, input, [name], { name, attributes });
    this.#nodes.splice(this.#nodes.indexOf(this.#node), 0, node);
    return name;
  }

  after(opType: string, ...others: readonly string[]): void {
    const [output = ''] = this.#node.output;
    const name = this.#raise.graph.freeName(this.#node.name || output);
    this.#node.output = [name];
    const node = makeNode(opType, [name, ...others], [output], { name });
    this.#nodes.splice(this.#nodes.indexOf(this.#node) + 1, 0, node);
  }

  leaveOut(index: number): void {
    const value = this.#node.input[index] ?? '';
    // A constant of the model may be read in branches alone, where the graph does not look for one that has gone.
    if (this.#nodes === this.#raise.graph.proto.node) this.#raise.graph.replaceInput(this.#node, value, '');
    else this.#node.input[index] = '';
  }
}

/** One run through the opsets; it edits the graph, and notes what it could not. */
class Raise {
  readonly graph: Graph;
  readonly shapes: Shapes;
  readonly refusals: string[] = [];
  readonly #constants = new Map<string, string>();

  constructor({ graph, externalDataFolder }: Model, shapes: Shapes) {
    this.graph = new Graph(graph, externalDataFolder);
    this.shapes = shapes;
  }

  integers(base: string, values: number | readonly number[]): string {
    const key = `${base} ${JSON.stringify(values)}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.graph.addIntegers(base, values);
    this.#constants.set(key, name);
    return name;
  }

  floats(base: string, values: number | readonly number[]): string {
    const isNumber = typeof values === 'number';
    const key = `${base} ${JSON.stringify(values)} float`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const types = this.graph.proto.input.map((input) => tensorTypeOf(input)?.elemType);
    const dataType = isNumber && types.includes(DataType.FLOAT16) ? DataType.FLOAT16 : DataType.FLOAT;
    const like = create(TensorProtoSchema, { name: base, dataType });
    const list = isNumber ? [values] : values;
    const name = this.graph.addInitializer(
      makeWeights(like, isNumber ? [] : [list.length], Float32Array.from(list)),
    );
    this.#constants.set(key, name);
    return name;
  }

  adapt(nodes: NodeProto[], opset: number): void {
    for (const node of [...nodes]) {
      for (const inner of subgraphsOf(node)) this.adapt(inner.node, opset);
      const reason = changeOf(node, opset)?.(node, new Place(this, nodes, node));
      if (reason !== undefined) this.refusals.push(`${labelOf(node)} (${node.opType}) ${reason}`);
    }
  }

  /**
   * ONNX Runtime reads the bodies of functions in the model's opset, whatever they say themselves. In them there are no constants to add,
   * and attributes may be the caller's: where something in one has changed it cannot be raised.
   */
  checkFunction(name: string, nodes: readonly NodeProto[], opset: number): void {
    for (const node of nodes) {
      for (const inner of subgraphsOf(node)) this.checkFunction(name, inner.node, opset);
      if (!changeOf(node, opset)) continue;
      const where = `in the model's function ${name}`;
      this.refusals.push(
        `${labelOf(node)} (${node.opType}) ${where} has another form from opset ${opset} on`,
      );
    }
  }
}

function setOpset(entries: Model['opsetImport'], opset: number): void {
  for (const entry of entries) if (isOnnxDomain(entry.domain)) entry.version = BigInt(opset);
}

/** Whether raising asks of what rank a value is: for the axis of a Softmax that may be the last. */
function asksForRanks({ graph }: Model, from: number, to: number): boolean {
  if (from >= 13 || to < 13) return false;
  const kin = ['Softmax', 'LogSoftmax', 'Hardmax'];
  return graph.node.some((node) => kin.includes(node.opType) && intOf(node, 'axis', 1) !== -1);
}

/**
 * Has the model say in `opset` of ONNX what it says in its own, in place; `measureShapes` is asked only where it matters. Throws
 * ERR_INVALID_ARGUMENT when that would be lower, ERR_UNSUPPORTED_MODEL when the model's own is too low to be converted, or when a node
 * cannot be raised: each is named.
 */
export async function raiseOpset(
  model: Model,
  opset: number,
  name: string,
  measureShapes: () => Promise<Shapes>,
): Promise<void> {
  const own = opsetOf(model);
  if (own < oldestOpset) {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${name} uses opset ${own}; ${oldestOpset} is the lowest that can be converted`,
    );
  }
  if (opset < own) throw invalidArgument('opset', `at least ${own}, the opset of ${name}`, opset);
  const shapes = asksForRanks(model, own, opset) ? await measureShapes() : new Map();
  const raise = new Raise(model, shapes);
  for (let next = own + 1; next <= opset; next++) {
    raise.adapt(model.graph.node, next);
    for (const { name: called, node } of model.functions) raise.checkFunction(called, node, next);
  }
  if (raise.refusals.length > 0) {
    const reasons = raise.refusals.join('\n  ');
    throw new TlscError('ERR_UNSUPPORTED_MODEL', `${name} cannot be raised to opset ${opset}:\n  ${reasons}`);
  }
  for (const { opsetImport } of [model, ...model.functions]) setOpset(opsetImport, opset);
}

/** The lowest opset that rules know. */
const lowestKnown = lowestOpset - 1;

/**
 * Has a model of an older opset than rules know say what it says in that one, in place; whether it was. Throws what `raiseOpset` does.
 */
export async function raiseOld(model: Model, name: string): Promise<boolean> {
  if (opsetOf(model) >= lowestKnown) return false;
  // Before IR version 4 every initializer had to be an input, too: new ones would.
  if (model.irVersion < 4n) {
    model.graph.input = inputsOf(model);
    model.irVersion = 4n;
  }
  await raiseOpset(model, lowestKnown, name, async () => new Map());
  return true;
}
