import { create } from '@bufbuild/protobuf';
import { FunctionProtoSchema, OperatorSetIdProtoSchema } from 'onnx-buf';
import {
  type AttributeValue,
  DataType,
  type FunctionProto,
  makeNode,
  type NodeOptions,
  type NodeProto,
} from '../graph/proto.js';
import type { ImageType } from '../session/image-tensors.js';

/** The domain of tlsc's operators and functions. */
export const domain = 'tlsc';
export const domainVersion = 1n;

/** The lowest opset in which the bodies can be written: 12 brought `Constant.value_ints` and integer `Min`. */
export const lowestOpset = 12;

/** From this opset on a body can follow the type of its input: 15 brought `CastLike`. */
export const lowestMixedOpset = 15;

/**
 * Functions have no types, and a result has to be cast to some. Either all nodes that call the function have tensors of one
 * type, or ('mixed') each its own, which takes `lowestMixedOpset`.
 */
export type BodyType = ImageType | 'mixed';

/** What a body is written for. */
export interface BodyOptions {
  /** Of the model. */
  readonly opset: number;
  readonly type: BodyType;
  /** Whether its nodes carry `max_stride`. */
  readonly fast: boolean;
}

/** Writes the body of a function: each method adds a node and returns the name of what it computes. */
export class Body {
  readonly nodes: NodeProto[] = [];
  readonly #type: BodyType;
  #count = 0;

  constructor(type: BodyType) {
    this.#type = type;
  }

  op(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    return this.#add(opType, inputs, { attributes });
  }

  /** Another function of ours, which the model must have, too. */
  call(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    return this.#add(opType, inputs, { domain, attributes });
  }

  #add(opType: string, inputs: readonly string[], options: NodeOptions): string {
    this.#count += 1;
    const output = `${opType}_${this.#count}`;
    this.nodes.push(makeNode(opType, inputs, [output], options));
    return output;
  }

  /** So many equal parts of a value along an axis. */
  parts(value: string, count: number, axis: number, opset: number): string[] {
    this.#count += 1;
    const parts = Array.from({ length: count }, (_, i) => `Split_${this.#count}_${i}`);
    const attributes = { axis, ...(opset >= 18 && { num_outputs: count }) };
    this.nodes.push(makeNode('Split', [value], parts, { attributes }));
    return parts;
  }

  /** The two halves of a value along an axis. */
  halves(value: string, axis: number, opset: number): readonly [string, string] {
    const [first = '', second = ''] = this.parts(value, 2, axis, opset);
    return [first, second];
  }

  ints(...values: readonly number[]): string {
    return this.op('Constant', [], { value_ints: values });
  }

  /** The value of one of the function's own attributes. */
  attribute(name: string, type: 'float' | 'int' | 'ints'): string {
    return this.op('Constant', [], { [`value_${type}`]: { reference: name, type } });
  }

  toFloat64(value: string): string {
    return this.op('Cast', [value], { to: DataType.DOUBLE });
  }

  /** For bodies whose arithmetic is float32, which costs tensors of that type nothing. */
  toFloat32(value: string): string {
    return this.#type === 'float32' ? value : this.op('Cast', [value], { to: DataType.FLOAT });
  }

  fromFloat32(value: string): string {
    return this.#type === 'float32' ? value : this.toTypeOfX(value);
  }

  /** Back to the type of X, the function's first input. */
  toTypeOfX(value: string): string {
    if (this.#type === 'mixed') return this.op('CastLike', [value, 'X']);
    const to = this.#type === 'float32' ? DataType.FLOAT : DataType.FLOAT16;
    return this.op('Cast', [value], { to });
  }

  /** Entries start..end-1 of `value` along its axis `axis`; both bounds are one-element tensors. */
  slice(value: string, start: string, end: string, axis: number): string {
    return this.op('Slice', [value, start, end, this.ints(axis)]);
  }

  /** The function named `name`; the last node computes its output. */
  toFunction(
    name: string,
    input: readonly string[],
    attribute: readonly string[],
    opset: number,
  ): FunctionProto {
    const last = this.nodes.at(-1);
    if (last) last.output = ['Y'];
    const imports = [{ domain: '', version: BigInt(opset) }];
    if (this.nodes.some((node) => node.domain === domain)) imports.push({ domain, version: domainVersion });
    return create(FunctionProtoSchema, {
      name,
      domain,
      input: [...input],
      output: ['Y'],
      attribute: [...attribute],
      node: this.nodes,
      opsetImport: imports.map((one) => create(OperatorSetIdProtoSchema, one)),
    });
  }
}
