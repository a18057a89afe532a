import type { Graph } from './graph.js';
import { attributeOf, DataType, isOnnxDomain, type NodeProto, type TensorProto } from './proto.js';

/** As long a chain of nodes as is followed; exporters write none as long. */
const mostSteps = 32;

/** The only value of a tensor of bools or integers. */
function scalarIn(tensor: TensorProto): number | undefined {
  const { dataType, dims, int32Data, int64Data, rawData } = tensor;
  if (dims.some((side) => side !== 1n)) return undefined;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  if (dataType === DataType.BOOL) return int32Data[0] ?? rawData[0];
  if (dataType === DataType.INT32)
    return int32Data[0] ?? (rawData.length === 4 ? view.getInt32(0, true) : undefined);
  if (dataType !== DataType.INT64) return undefined;
  const long = int64Data[0] ?? (rawData.length === 8 ? view.getBigInt64(0, true) : undefined);
  return long === undefined ? undefined : Number(long);
}

type Step = (...operands: readonly number[]) => number;

/** On scalars; bools are 0 and 1. */
const steps: Readonly<Record<string, Step>> = {
  And: (a = 0, b = 0) => a && b,
  Equal: (a, b) => Number(a === b),
  Greater: (a = 0, b = 0) => Number(a > b),
  GreaterOrEqual: (a = 0, b = 0) => Number(a >= b),
  Identity: (a = 0) => a,
  Less: (a = 0, b = 0) => Number(a < b),
  LessOrEqual: (a = 0, b = 0) => Number(a <= b),
  Not: (a) => 1 - Number(a),
  Or: (a = 0, b = 0) => a || b,
};

const integerTypes: readonly number[] = [DataType.INT32, DataType.INT64];

/** What conditions come to that are the same at every run: of constants, and of the ranks of tensors. */
export class ConstantConditions {
  /** Values of which a rank was missing. */
  readonly unknownRanks = new Set<string>();
  /** By value and steps left: a value that is read twice at every step would take twice as long at every step. */
  readonly #known = new Map<string, number | undefined>();

  /** `changeable` are the initializers that whoever runs the model may set. */
  constructor(
    readonly graph: Graph,
    readonly changeable: ReadonlySet<string>,
    readonly ranks: ReadonlyMap<string, number>,
  ) {}

  /** The bool or integer that `value` is at every run, if it is one. */
  valueOf(value: string, left = mostSteps): number | undefined {
    if (left === 0 || this.changeable.has(value)) return undefined;
    const key = `${left} ${value}`;
    if (!this.#known.has(key)) this.#known.set(key, this.#evaluate(value, left));
    return this.#known.get(key);
  }

  #evaluate(value: string, left: number): number | undefined {
    const node = this.graph.producer(value);
    if (!node) {
      const tensor = this.graph.constant(value);
      return tensor && scalarIn(this.graph.withValues(tensor));
    }
    if (!isOnnxDomain(node.domain)) return undefined;
    if (node.opType === 'Constant') return this.#valueOfConstant(node);
    if (node.opType === 'Size') return this.#rankAsked(node);
    if (node.opType === 'Cast') return this.#cast(node, left);
    const operands = node.input.map((input) => this.valueOf(input, left - 1));
    const known = operands.filter((operand) => operand !== undefined);
    return known.length === operands.length ? steps[node.opType]?.(...known) : undefined;
  }

  #valueOfConstant(node: NodeProto): number | undefined {
    const [entry] = node.attribute;
    if (entry?.name === 'value_int') return Number(entry.i);
    return entry?.t && scalarIn(this.graph.withValues(entry.t));
  }

  #cast(node: NodeProto, left: number): number | undefined {
    const operand = this.valueOf(node.input[0] ?? '', left - 1);
    const to = Number(attributeOf(node, 'to')?.i);
    if (operand === undefined) return undefined;
    if (to === DataType.BOOL) return Number(operand !== 0);
    return integerTypes.includes(to) ? operand : undefined;
  }

  /** The number of entries that a shape has is a rank. */
  #rankAsked(node: NodeProto): number | undefined {
    const shape = this.graph.producer(node.input[0] ?? '');
    if (shape?.opType !== 'Shape' || !isOnnxDomain(shape.domain) || shape.attribute.length > 0)
      return undefined;
    const [value = ''] = shape.input;
    const rank = this.graph.constant(value)?.dims.length ?? this.ranks.get(value);
    if (rank === undefined) this.unknownRanks.add(value);
    return rank;
  }
}
