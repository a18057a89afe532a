// A NAFNet (Chen et al., arXiv 2204.04676) of any width with seeded weights: what real ones take, without their files.
import { create, toBinary } from '@bufbuild/protobuf';
import {
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf';
import { type AttributeValue, build, integers, node } from '../fuzz/build.js';

class Network {
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [];
  #count = 0;
  #seed = 1;

  op(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const output = `v${this.#count++}`;
    this.nodes.push(node(opType, inputs.join(' '), output, attributes));
    return output;
  }

  /** Values around 0 as large as keeps what they are applied to as large as it is, times `gain`. */
  weights(dims: readonly number[], gain: number): string {
    const name = `w${this.#count++}`;
    const count = dims.reduce((product, side) => product * side, 1);
    const deviation = gain / Math.sqrt(count / (dims[0] ?? 1));
    const values = Float32Array.from({ length: count }, () => {
      this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) | 0;
      return ((this.#seed >>> 8) / 2 ** 24 - 0.5) * Math.sqrt(12) * deviation;
    });
    const rawData = new Uint8Array(values.buffer);
    this.constants.push(
      create(TensorProtoSchema, { name, dataType: DataType.FLOAT, dims: dims.map(BigInt), rawData }),
    );
    return name;
  }

  number(value: number): string {
    const name = `c${this.#count++}`;
    this.constants.push(
      create(TensorProtoSchema, { name, dataType: DataType.FLOAT, dims: [], floatData: [value] }),
    );
    return name;
  }

  conv(
    from: string,
    [into, of]: readonly [number, number],
    side: number,
    gain = 1,
    group = 1,
    stride = 1,
  ): string {
    const pad = stride > 1 ? 0 : (side - 1) / 2;
    return this.op('Conv', [from, this.weights([into, of / group, side, side], gain)], {
      kernel_shape: [side, side],
      pads: Array<number>(4).fill(pad),
      strides: [stride, stride],
      group,
    });
  }

  /** Over the channels of each pixel. */
  norm(x: string): string {
    const mean = (of: string) => this.op('ReduceMean', [of], { axes: [1] });
    const centred = this.op('Sub', [x, mean(x)]);
    const variance = mean(this.op('Mul', [centred, centred]));
    return this.op('Div', [centred, this.op('Sqrt', [this.op('Add', [variance, this.number(1e-6)])])]);
  }

  gate(x: string, channels: number): string {
    const axes = this.numbers([1]);
    const half = (from: number, to: number) =>
      this.op('Slice', [x, this.numbers([from]), this.numbers([to]), axes]);
    return this.op('Mul', [half(0, channels), half(channels, 2 * channels)]);
  }

  numbers(values: readonly number[]): string {
    const name = `i${this.#count++}`;
    this.constants.push(integers(name, ...values));
    return name;
  }

  block(x: string, channels: number): string {
    const wide = this.conv(this.norm(x), [2 * channels, channels], 1);
    const gated = this.gate(this.conv(wide, [2 * channels, 2 * channels], 3, 1, 2 * channels), channels);
    const attention = this.conv(this.op('GlobalAveragePool', [gated]), [channels, channels], 1);
    const scaled = this.op('Mul', [gated, attention]);
    const first = this.op('Add', [x, this.conv(scaled, [channels, channels], 1, 0.3)]);
    const second = this.gate(this.conv(this.norm(first), [2 * channels, channels], 1), channels);
    return this.op('Add', [first, this.conv(second, [channels, channels], 1, 0.3)]);
  }
}

/** The bytes of a model of one block on each of so many levels down, one in the middle and one on each level up. Sides are multiples of 2^levels. */
export function nafnet(width: number, levels: number): Uint8Array {
  const net = new Network();
  let channels = width;
  let x = net.conv('x', [channels, 3], 3);
  const skips: string[] = [];
  for (let level = 0; level < levels; level++) {
    x = net.block(x, channels);
    skips.push(x);
    x = net.conv(x, [2 * channels, channels], 2, 1, 1, 2);
    channels *= 2;
  }
  x = net.block(x, channels);
  for (let level = 0; level < levels; level++) {
    const spread = net.conv(x, [2 * channels, channels], 1);
    channels /= 2;
    const larger = net.op('DepthToSpace', [spread], { blocksize: 2, mode: 'CRD' });
    x = net.block(net.op('Add', [larger, skips.pop() as string]), channels);
  }
  const last = net.conv(x, [3, channels], 3, 0.1);
  net.op('Add', ['x', last]);
  const end = net.nodes.at(-1) as NodeProto;
  end.output = ['y'];
  return toBinary(ModelProtoSchema, build({ nodes: net.nodes, constants: net.constants }));
}
