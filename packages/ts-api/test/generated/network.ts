// Writes networks for tests, node by node, in the words of their opset.

import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf';
import { encodeModel } from '../../src/graph/model.js';
import {
  type AttributeValue,
  DataType,
  type GraphProto,
  makeNode,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../../src/graph/proto.js';
import { buildModel, floats, halves, integers, valueInfo } from '../build-model.js';
import type { Numbers } from './definitions.js';

/** How a network is written down, whatever it computes. */
export interface Style {
  readonly opset: number;
  readonly type: 'float32' | 'float16';
  readonly constants: 'initializers' | 'nodes' | 'both';
  readonly names: 'all' | 'some' | 'none';
  readonly irVersion: number;
  /** Whether the model says which shapes its values have. */
  readonly declared: boolean;
}

/** An image on its way through the network. */
export interface Image {
  readonly value: string;
  readonly channels: number;
  /** How often it has been halved; negative where it has been doubled. */
  readonly level: number;
}

/** A global statistic of the network: what computes `output` will be local. */
export interface Statistic {
  /** Names one of `definitions`. */
  readonly kind: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly numbers: Numbers;
}

type Attributes = Readonly<Record<string, AttributeValue>>;

export class Network {
  readonly statistics: Statistic[] = [];
  /** All images so far, for skips. */
  readonly images: Image[] = [];
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #infos: ValueInfoProto[] = [];
  readonly #shared = new Map<string, string>();
  #count = 0;
  #takesBatches = true;

  constructor(
    readonly style: Style,
    readonly inputChannels: number,
  ) {}

  /** How many halvings an image must survive. */
  get deepest(): number {
    return Math.max(0, ...this.images.map(({ level }) => level));
  }

  /** Whether it takes more images than one at a time. */
  get takesBatches(): boolean {
    return this.#takesBatches;
  }

  /** A shape has been written that is right for one image. */
  refuseBatches(): void {
    this.#takesBatches = false;
  }

  #free(stem: string): string {
    this.#count += 1;
    return `${stem}_${this.#count}`;
  }

  /** Adds a node and names what it computes. */
  op(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.ops(opType, inputs, 1, attributes)[0] as string;
  }

  ops(opType: string, inputs: readonly string[], outputs: number, attributes: Attributes = {}): string[] {
    const names = Array.from({ length: outputs }, () => this.#free(opType.toLowerCase()));
    const { names: named } = this.style;
    const name = named === 'all' || (named === 'some' && this.#count % 2 === 0) ? `/${names[0]}` : '';
    this.#nodes.push(makeNode(opType, inputs, names, { name, attributes }));
    return names;
  }

  #constant(tensor: TensorProto): string {
    const { constants } = this.style;
    if (constants === 'initializers' || (constants === 'both' && this.#count % 2 === 0)) {
      this.#initializers.push(tensor);
      return tensor.name;
    }
    const node = makeNode('Constant', [], [tensor.name]);
    const type = AttributeProto_AttributeType.TENSOR;
    node.attribute.push(create(AttributeProtoSchema, { name: 'value', type, t: tensor }));
    this.#nodes.push(node);
    return tensor.name;
  }

  ints(...list: readonly number[]): string {
    return this.#constant(integers(this.#free('ints'), list));
  }

  /** Of no rank: an index. */
  index(at: number): string {
    const tensor = integers(this.#free('index'), [at]);
    tensor.dims = [];
    return this.#constant(tensor);
  }

  /** Scales of a Resize, bounds of a Clip: float32 in the one, whatever the network is of in the other. */
  floats(dims: readonly number[], list: readonly number[], type: Style['type'] = 'float32'): string {
    const name = this.#free('floats');
    return this.#constant(type === 'float32' ? floats(name, dims, list) : halves(name, dims, list));
  }

  /** Weights that keep a sum over `fanIn` values as large as these are; the same for all that ask to share them. */
  weights(dims: readonly number[], fanIn: number, { shared = false, around = 0 } = {}): string {
    const key = `${dims} ${fanIn} ${around}`;
    const known = shared ? this.#shared.get(key) : undefined;
    if (known !== undefined) return known;
    const seed = this.#count;
    const count = dims.reduce((product, side) => product * side, 1);
    const list = Array.from(
      { length: count },
      (_, i) => around + Math.sin(i * 7.3 + seed * 1.7 + 1) * Math.sqrt(2 / fanIn),
    );
    const name = this.floats(dims, list, this.style.type);
    this.#shared.set(key, name);
    return name;
  }

  /** Says that the value has this shape, where the style is to say so. */
  declare(value: string, dims: readonly (number | string)[]): string {
    const type = this.style.type === 'float32' ? DataType.FLOAT : DataType.FLOAT16;
    if (this.style.declared) this.#infos.push(valueInfo(value, dims, type));
    return value;
  }

  image(value: string, channels: number, level: number): Image {
    this.declare(value, ['batch', channels, `height_of_${value}`, `width_of_${value}`]);
    const image = { value, channels, level };
    this.images.push(image);
    return image;
  }

  statistic(kind: string, inputs: readonly string[], output: string, numbers: Numbers = {}): string {
    this.statistics.push({ kind, inputs, output, numbers });
    return output;
  }

  split(value: string, axis: number, lengths: readonly number[]): string[] {
    if (this.style.opset < 13) return this.ops('Split', [value], lengths.length, { axis, split: lengths });
    return this.ops('Split', [value, this.ints(...lengths)], lengths.length, { axis });
  }

  squeeze(value: string, ...axes: readonly number[]): string {
    if (this.style.opset < 13) return this.op('Squeeze', [value], { axes });
    return this.op('Squeeze', [value, this.ints(...axes)]);
  }

  unsqueeze(value: string, ...axes: readonly number[]): string {
    if (this.style.opset < 13) return this.op('Unsqueeze', [value], { axes });
    return this.op('Unsqueeze', [value, this.ints(...axes)]);
  }

  reduceMean(value: string, axes: readonly number[], keepdims: number): string {
    return this.reduce('ReduceMean', value, axes, keepdims);
  }

  /** Axes became an input of ReduceSum in opset 13, of the others in 18. */
  reduce(opType: string, value: string, axes: readonly number[], keepdims: number): string {
    const sinceOpset = opType === 'ReduceSum' ? 13 : 18;
    if (this.style.opset < sinceOpset) return this.op(opType, [value], { axes, keepdims });
    return this.op(opType, [value, this.ints(...axes)], { keepdims });
  }

  /** Joins lists of integers. */
  join(...lists: readonly string[]): string {
    return this.op('Concat', lists, { axis: 0 });
  }

  /** Some sides of a value, as a list. */
  sides(value: string, from: number, to: number): string {
    const shape = this.op('Shape', [value]);
    return this.op('Slice', [shape, this.ints(from), this.ints(to)]);
  }

  /** Ends the network with this image. `batch` is the number of images that it takes, or any. */
  finish({ value, channels }: Image, batch: number | string): { bytes: Uint8Array; graph: GraphProto } {
    this.#nodes.push(makeNode('Identity', [value], ['y']));
    const elemType = this.style.type === 'float32' ? DataType.FLOAT : DataType.FLOAT16;
    const model = buildModel(
      {
        node: this.#nodes,
        initializer: this.#initializers,
        valueInfo: this.#infos,
        input: [valueInfo('x', [batch, this.inputChannels, 'height', 'width'], elemType)],
        output: [valueInfo('y', ['batch', channels, 'out_height', 'out_width'], elemType)],
      },
      { opset: this.style.opset, irVersion: this.style.irVersion },
    );
    return { bytes: encodeModel(model), graph: model.graph };
  }
}
