// The parameters of a normalization, one value per channel, where the model has them per group or in several steps.
import { create } from '@bufbuild/protobuf';
import { TensorProtoSchema } from 'onnx-buf';
import type { Graph } from '../graph/graph.js';
import { DataType, type NodeProto } from '../graph/proto.js';
import type { ImageType } from '../session/image-tensors.js';
import { isWeights, makeWeights, weightsOf } from './weights.js';

/** One value per channel. Known at one place at least. */
export interface ChannelParameter {
  /** The values, where they are constant. */
  readonly values?: readonly number[] | undefined;
  /** Of shape [C], where the model has it. */
  readonly name?: string | undefined;
}

/** Makes parameters, putting what has to be computed at run time in front of the node that they are for. */
export class ChannelParameters {
  constructor(
    readonly graph: Graph,
    readonly node: NodeProto,
    readonly type: ImageType,
    readonly channels: number,
  ) {}

  /** Of a value of these sides with one element, one per group of channels, or one per channel. */
  of(value: string, dims: readonly number[]): ChannelParameter {
    const tensor = this.graph.constant(value);
    const members = this.channels / dims.reduce((product, side) => product * side, 1);
    const name = dims.length === 1 && members === 1 ? value : undefined;
    if (tensor && isWeights(tensor)) {
      const values = weightsOf(this.graph.withValues(tensor));
      return { values: [...values].flatMap((one) => Array(members).fill(one)), name };
    }
    if (name !== undefined) return { name };
    if (members === 1) return { name: this.#reshape(value, [-1]) };
    const column = this.#reshape(value, [-1, 1]);
    const shape = this.#shape([1, members]);
    return {
      name: this.#reshape(this.graph.insertBefore(this.node, value, 'Expand', [column, shape]), [-1]),
    };
  }

  multiply(a: ChannelParameter, b: ChannelParameter): ChannelParameter {
    if (isAll(a, 1) || isAll(b, 0)) return b;
    if (isAll(b, 1) || isAll(a, 0)) return a;
    if (!a.values || !b.values) return this.#combine('Mul', a, b);
    const { values } = b;
    return { values: a.values.map((one, i) => one * (values[i] as number)) };
  }

  add(a: ChannelParameter, b: ChannelParameter): ChannelParameter {
    if (isAll(a, 0)) return b;
    if (isAll(b, 0)) return a;
    if (!a.values || !b.values) return this.#combine('Add', a, b);
    const { values } = b;
    return { values: a.values.map((one, i) => one + (values[i] as number)) };
  }

  /** The name of the value, [C], that the parameter is; where there is none, a new initializer, named after `name`. */
  toValue({ values = [], name: known }: ChannelParameter, name: string): string {
    if (known !== undefined) return known;
    const dataType = this.type === 'float32' ? DataType.FLOAT : DataType.FLOAT16;
    const like = create(TensorProtoSchema, { name, dataType });
    return this.graph.addInitializer(makeWeights(like, [this.channels], Float32Array.from(values)));
  }

  #combine(opType: 'Mul' | 'Add', a: ChannelParameter, b: ChannelParameter): ChannelParameter {
    const name = `${this.node.output[0]}_parameter`;
    const input = [a, b].map((one) => this.toValue(one, name));
    return { name: this.graph.insertBefore(this.node, name, opType, input) };
  }

  #reshape(value: string, shape: readonly number[]): string {
    return this.graph.insertBefore(this.node, value, 'Reshape', [value, this.#shape(shape)]);
  }

  #shape(shape: readonly number[]): string {
    return this.graph.addIntegers(`${this.node.output[0]}_shape`, shape);
  }
}

function isAll({ values = [] }: ChannelParameter, constant: number): boolean {
  return values.length > 0 && values.every((value) => value === constant);
}
