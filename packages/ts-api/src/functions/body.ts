import { create } from '@bufbuild/protobuf';
import { FunctionProtoSchema, OperatorSetIdProtoSchema } from 'onnx-buf';
import {
  type AttributeValue,
  DataType,
  type FunctionProto,
  makeNode,
  type NodeProto,
} from '../graph/proto.js';

/** The domain of tlsc's operators and functions. */
export const domain = 'tlsc';
export const domainVersion = 1n;

/** The lowest opset in which the bodies can be written: 12 brought `Constant.value_ints` and integer `Min`. */
export const lowestOpset = 12;

/** What a body is written for. */
export interface BodyOptions {
  /** Of the model. */
  readonly opset: number;
  /** Whether its nodes carry `max_stride`. */
  readonly fast: boolean;
}

/** Writes the body of a function: each method adds a node and returns the name of what it computes. */
export class Body {
  readonly nodes: NodeProto[] = [];
  #count = 0;

  op(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    this.#count += 1;
    const output = `${opType}_${this.#count}`;
    this.nodes.push(makeNode(opType, inputs, [output], { attributes }));
    return output;
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

  toFloat32(value: string): string {
    return this.op('Cast', [value], { to: DataType.FLOAT });
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
    return create(FunctionProtoSchema, {
      name,
      domain,
      input: [...input],
      output: ['Y'],
      attribute: [...attribute],
      node: this.nodes,
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) })],
    });
  }
}
