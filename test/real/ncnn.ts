// ncnn's files, as waifu2x and Real-CUGAN come in, as ONNX: the layers that these networks have. The format is ncnn's own
// (docs/how-to-use-and-FAQ and src/layer/*.cpp of github.com/Tencent/ncnn).
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** The numbers of a layer by their keys; those that are lists have keys below -23299 in the file. */
type Parameters = ReadonlyMap<number, readonly number[]>;

interface Layer {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly parameters: Parameters;
}

const lists = -23300;

function parametersIn(words: readonly string[]): Parameters {
  return new Map(
    words.map((word) => {
      const [key = '', value = ''] = word.split('=');
      const numbers = value.split(',').map(Number);
      // A list begins with its length.
      return Number(key) <= lists ? [lists - Number(key), numbers.slice(1)] : [Number(key), numbers];
    }),
  );
}

function layersIn(text: string): Layer[] {
  const [magic, , ...lines] = text.trim().split('\n');
  if (magic?.trim() !== '7767517') throw new Error('not a .param file of ncnn');
  return lines.map((line) => {
    const [type = '', , inputCount, outputCount, ...words] = line.trim().split(/\s+/);
    const [inputs, outputs] = [Number(inputCount), Number(outputCount)];
    return {
      type,
      inputs: words.slice(0, inputs),
      outputs: words.slice(inputs, inputs + outputs),
      parameters: parametersIn(words.slice(inputs + outputs)),
    };
  });
}

function fromHalf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits >> 15 ? -value : value;
}

const halves = 0x01306b47;

/** Weights in the order in which layers read them. */
class Weights {
  #at = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Without a word on their type: float32. */
  plain(count: number): Float32Array {
    const values = Float32Array.from({ length: count }, (_, i) =>
      this.#view.getFloat32(this.#at + 4 * i, true),
    );
    this.#at += 4 * count;
    return values;
  }

  /** With one in front. */
  tagged(count: number): Float32Array {
    const tag = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    if (tag === 0) return this.plain(count);
    if (tag !== halves) throw new Error(`weights of a type that is not read here: ${tag.toString(16)}`);
    const values = Float32Array.from({ length: count }, (_, i) =>
      fromHalf(this.#view.getUint16(this.#at + 2 * i, true)),
    );
    this.#at += Math.ceil((2 * count) / 4) * 4;
    return values;
  }
}

type AttributeValue = number | readonly number[] | { readonly float: number } | { readonly text: string };

function attributeOf(name: string, value: AttributeValue) {
  const { INT, INTS, FLOAT, STRING } = AttributeType;
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: INT, i: BigInt(value) });
  if ('float' in value) return create(AttributeProtoSchema, { name, type: FLOAT, f: value.float });
  if ('text' in value)
    return create(AttributeProtoSchema, { name, type: STRING, s: Buffer.from(value.text) });
  return create(AttributeProtoSchema, { name, type: INTS, ints: value.map(BigInt) });
}

class Builder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];

  node(
    opType: string,
    input: readonly string[],
    output: string,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.nodes.push(
      create(NodeProtoSchema, { opType, name: output, input: [...input], output: [output], attribute }),
    );
    return output;
  }

  floats(name: string, dims: readonly number[], values: Float32Array): string {
    const rawData = new Uint8Array(Float32Array.from(values).buffer);
    const { FLOAT: dataType } = TensorProto_DataType;
    this.initializers.push(create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData }));
    return name;
  }

  integers(name: string, values: readonly number[]): string {
    const { INT64: dataType } = TensorProto_DataType;
    const int64Data = values.map(BigInt);
    this.initializers.push(
      create(TensorProtoSchema, { name, dataType, dims: [BigInt(values.length)], int64Data }),
    );
    return name;
  }
}

function numberIn({ parameters }: Layer, key: number, otherwise = 0): number {
  return parameters.get(key)?.[0] ?? otherwise;
}

/** What follows a layer in the same line: nothing, ReLU, a leaky one, or a sigmoid. */
function activated(builder: Builder, layer: Layer, value: string, output: string): void {
  const kind = numberIn(layer, 9);
  const last = builder.nodes.at(-1) as NodeProto;
  const rename = () => {
    last.output[0] = value;
    last.name = value;
  };
  if (kind === 0) return;
  rename();
  if (kind === 1) builder.node('Relu', [value], output);
  else if (kind === 2)
    builder.node('LeakyRelu', [value], output, { alpha: { float: layer.parameters.get(10)?.[0] ?? 0 } });
  else if (kind === 4) builder.node('Sigmoid', [value], output);
  else throw new Error(`activation ${kind} is not read here`);
}

function convolve(builder: Builder, layer: Layer, weights: Weights): void {
  const [input = ''] = layer.inputs;
  const [output = ''] = layer.outputs;
  const isDense = layer.type === 'InnerProduct';
  const outputs = numberIn(layer, 0);
  const side = isDense ? 1 : numberIn(layer, 1);
  const count = isDense ? numberIn(layer, 2) : numberIn(layer, 6);
  const hasBias = numberIn(layer, isDense ? 1 : 5) === 1;
  const inputs = count / outputs / side ** 2;
  const read = weights.tagged(count);
  const isUp = layer.type === 'Deconvolution';
  // Both are by output first in ncnn.
  const kernel = isUp
    ? Float32Array.from(read, (_, i) => {
        const [within, of] = [i % side ** 2, Math.floor(i / side ** 2)];
        return read[((of % outputs) * inputs + Math.floor(of / outputs)) * side ** 2 + within] as number;
      })
    : read;
  const dims = isUp ? [inputs, outputs, side, side] : [outputs, inputs, side, side];
  const names = [builder.floats(`${output}_weight`, dims, kernel)];
  if (hasBias) names.push(builder.floats(`${output}_bias`, [outputs], weights.plain(outputs)));
  const pad = isDense ? 0 : numberIn(layer, 4);
  const stride = isDense ? 1 : numberIn(layer, 3, 1);
  const attributes = { kernel_shape: [side, side], strides: [stride, stride], pads: [pad, pad, pad, pad] };
  builder.node(isUp ? 'ConvTranspose' : 'Conv', [input, ...names], output, attributes);
  activated(builder, layer, `${output}_before`, output);
}

function add(builder: Builder, layer: Layer, weights: Weights): void {
  const { type, inputs, outputs } = layer;
  const [first = '', second = ''] = inputs;
  const [output = ''] = outputs;
  switch (type) {
    case 'Convolution':
    case 'Deconvolution':
    case 'InnerProduct':
      convolve(builder, layer, weights);
      return;
    case 'Split':
      for (const one of outputs) builder.node('Identity', [first], one);
      return;
    case 'Pooling':
      if (numberIn(layer, 0) !== 1 || numberIn(layer, 4) !== 1)
        throw new Error('only global means are read here');
      builder.node('GlobalAveragePool', [first], output);
      return;
    case 'Scale':
      builder.node('Mul', [first, second], output);
      return;
    case 'BinaryOp':
      if (![0, 2].includes(numberIn(layer, 0))) throw new Error('only sums and products are read here');
      builder.node(numberIn(layer, 0) === 2 ? 'Mul' : 'Add', [first, second], output);
      return;
    case 'Eltwise':
      if (numberIn(layer, 0) !== 1) throw new Error('only sums are read here');
      builder.node('Add', [first, second], output);
      return;
    case 'Crop': {
      const border = layer.parameters.get(9)?.[0] ?? numberIn(layer, 0);
      const bounds = [
        [border, border],
        [-border, -border],
        [2, 3],
      ].map((values, i) => builder.integers(`${output}_bound${i}`, values));
      builder.node('Slice', [first, ...bounds], output);
      return;
    }
    default:
      throw new Error(`layer ${type} is not read here`);
  }
}

function image(name: string, output: boolean): ValueInfoProto {
  const side = (text: string) =>
    create(TensorShapeProto_DimensionSchema, {
      value: { case: 'dimParam', value: output ? `${text}_out` : text },
    });
  const three = create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: 3n } });
  const shape = create(TensorShapeProtoSchema, { dim: [side('n'), three, side('h'), side('w')] });
  const value = create(TypeProto_TensorSchema, { elemType: TensorProto_DataType.FLOAT, shape });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}

/**
 * A network of ncnn as ONNX: N × 3 × H × W in, values in [0, 1]. These networks lose a border of so many pixels, `border`: so often the
 * outermost ones are repeated around the image first.
 */
export function fromNcnn(param: string, bin: Uint8Array, border: number): Uint8Array {
  const builder = new Builder();
  const weights = new Weights(bin);
  const [source, ...layers] = layersIn(param);
  const [input = ''] = source?.outputs ?? [];
  const pads = builder.integers('border', [0, 0, border, border, 0, 0, border, border]);
  builder.node('Pad', ['image', pads], input, { mode: { text: 'edge' } });
  for (const layer of layers) add(builder, layer, weights);
  const output = layers.at(-1)?.outputs[0] ?? '';
  const graph = create(GraphProtoSchema, {
    name: 'ncnn',
    node: builder.nodes,
    initializer: builder.initializers,
    input: [image('image', false)],
    output: [image(output, true)],
  });
  const opset = create(OperatorSetIdProtoSchema, { domain: '', version: 17n });
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport: [opset], graph }));
}
