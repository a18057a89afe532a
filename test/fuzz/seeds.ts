// The models that mutants are made of: small, so that each takes milliseconds, and unlike each other.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { convert, TlscError } from '@tlsc/api';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { build, integers, node, weights } from './build.js';

export interface Seed {
  readonly name: string;
  readonly model: ModelProto;
}

const written: Readonly<Record<string, () => ModelProto>> = {
  'channel attention': () =>
    build({
      nodes: [
        node('Conv', 'x w b', 'f', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
        node('GlobalAveragePool', 'f', 'm'),
        node('Conv', 'm v', 's', { kernel_shape: [1, 1] }),
        node('Sigmoid', 's', 'g'),
        node('Mul', 'f g', 'p'),
        node('Add', 'p x', 'y'),
      ],
      constants: [weights('w', 3, 3, 3, 3), weights('b', 3), weights('v', 3, 3, 1, 1)],
    }),
  normalizations: () =>
    build({
      nodes: [
        node('InstanceNormalization', 'x s b', 'i', { epsilon: 1e-5 }),
        node('Relu', 'i', 'r'),
        node('GroupNormalization', 'r s b', 'g', { num_groups: 3, epsilon: 1e-5 }),
        node('ReduceMean', 'g axes', 'm', { keepdims: 1 }),
        node('Sub', 'g m', 'd'),
        node('LayerNormalization', 'd e', 'y', { axis: -3 }),
      ],
      constants: [weights('s', 3), weights('b', 3), integers('axes', 2, 3), weights('e', 3, 1, 1)],
      opset: 21,
    }),
  'down and up': () =>
    build({
      nodes: [
        node('MaxPool', 'x', 'q', { kernel_shape: [2, 2], strides: [2, 2] }),
        node('AveragePool', 'q', 'a', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
        node('ConvTranspose', 'a w', 't', { strides: [2, 2], kernel_shape: [2, 2] }),
        node('Resize', 't _ scales', 'u', { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }),
        node('Pad', 'u pads', 'v', { mode: 'reflect' }),
        node('Slice', 'v from to axes steps', 'y'),
      ],
      constants: [
        weights('w', 3, 3, 2, 2),
        Object.assign(weights('scales', 4), { floatData: [1, 1, 1, 1] }),
        integers('pads', 0, 0, 1, 1, 0, 0, 1, 1),
        integers('from', 1, 1),
        integers('to', -1, -1),
        integers('axes', 2, 3),
        integers('steps', 1, 1),
      ],
    }),
  'split and shapes': () =>
    build({
      nodes: [
        node('Split', 'x parts', 'a b', { axis: 1 }),
        node('Concat', 'b a', 'c', { axis: 1 }),
        node('Shape', 'c', 'n'),
        node('Gather', 'n zero', 'k', { axis: 0 }),
        node('Concat', 'k flat', 'to', { axis: 0 }),
        node('Reshape', 'c to', 'r'),
        node('Transpose', 'r', 't', { perm: [0, 2, 1] }),
        node('MatMul', 'r t', 'mm'),
        node('Softmax', 'mm', 'sm', { axis: -1 }),
        node('MatMul', 'sm r', 'o'),
        node('Reshape', 'o n', 'y', { allowzero: 0 }),
      ],
      constants: [integers('parts', 1, 2), integers('zero', 0), integers('flat', 3, -1)],
    }),
  'whole numbers': () =>
    build({
      nodes: [
        node('Shape', 'x', 'n'),
        node('Cast', 'x', 'i', { to: 7 }),
        node('Div', 'i two', 'd'),
        node('Mod', 'd three', 'm'),
        node('TopK', 'm one', 'v k', { axis: 3 }),
        node('Expand', 'v n', 'e'),
        node('Tile', 'e reps', 't'),
        node('Where', 'cond t e', 'w'),
        node('Cast', 'w', 'y', { to: 1 }),
      ],
      constants: [
        integers('two', 2),
        integers('three', 3),
        integers('one', 1),
        integers('reps', 1, 1, 1, 1),
        Object.assign(integers('cond', 1), { dataType: 9, int64Data: [], int32Data: [1] }),
      ],
    }),
  rearranged: () =>
    build({
      nodes: [
        node('SpaceToDepth', 'x', 's', { blocksize: 2 }),
        node('Conv', 's w', 'c', { kernel_shape: [1, 1], group: 3 }),
        node('DepthToSpace', 'c', 'd', { blocksize: 2, mode: 'CRD' }),
        node('Flatten', 'd', 'f', { axis: 2 }),
        node('Gemm', 'f f f', 'g', { transB: 1, alpha: 0.5 }),
        node('Unsqueeze', 'g axes', 'u'),
        node('ReduceSum', 'u axes', 'z', { keepdims: 1 }),
        node('Squeeze', 'z axes', 'q'),
        node('Unsqueeze', 'q axes', 'y'),
      ],
      constants: [weights('w', 12, 4, 1, 1), integers('axes', 0, 1)],
    }),
  sequences: () =>
    build({
      nodes: [
        node('SplitToSequence', 'x', 's', { axis: 1, keepdims: 1 }),
        node('SequenceAt', 's one', 'a'),
        node('SequenceInsert', 's a', 't'),
        node('ConcatFromSequence', 't', 'c', { axis: 1 }),
        node('Optional', 'c', 'o'),
        node('OptionalGetElement', 'o', 'g'),
        node('LRN', 'g', 'y', { size: 3 }),
      ],
      constants: [Object.assign(integers('one', 1), { dims: [] })],
    }),
  'rows and tables': () =>
    build({
      nodes: [
        node('Squeeze', 'x batch', 'r'),
        node('LSTM', 'r w u', 'h _ _', { hidden_size: 4, direction: 'forward' }),
        node('Einsum', 'r h', 'e', { equation: 'abc,adbe->dce' }),
        node('GatherND', 'x idx', 'g', { batch_dims: 1 }),
        node('ScatterND', 'x idx g', 'k'),
        node('GridSample', 'x grid', 'p', { mode: 'bilinear' }),
        node('CumSum', 'k axis', 'y'),
      ],
      constants: [
        integers('batch', 0),
        weights('w', 1, 16, 16),
        weights('u', 1, 16, 4),
        Object.assign(integers('idx', 0, 1), { dims: [1n, 2n, 1n] }),
        weights('grid', 1, 4, 4, 2),
        integers('axis', 2),
      ],
    }),
  quantized: () =>
    build({
      nodes: [
        node('QuantizeLinear', 'x s z', 'q'),
        node('DequantizeLinear', 'q s z', 'd'),
        node('Conv', 'd w', 'c', { kernel_shape: [1, 1] }),
        node('GlobalAveragePool', 'c', 'm'),
        node('PRelu', 'm a', 'p'),
        node('Mul', 'd p', 'u'),
        node('Clip', 'u lo hi', 'y'),
      ],
      constants: [
        Object.assign(weights('s'), { dims: [], floatData: [0.1] }),
        Object.assign(integers('z', 0), { dims: [], dataType: 2, int64Data: [], int32Data: [0] }),
        weights('w', 3, 3, 1, 1),
        weights('a', 3, 1, 1),
        Object.assign(weights('lo'), { dims: [], floatData: [-1] }),
        Object.assign(weights('hi'), { dims: [], floatData: [1] }),
      ],
    }),
};

/** Bytes of constants that a seed may have, and nodes. */
const most = { bytes: 8_000, nodes: 20 };

function sizeOf({ rawData, floatData }: TensorProto): number {
  return rawData.length + 4 * floatData.length;
}

/** The bytes of the constants that a graph holds under these names, initializers or nodes. */
function bytesOf({ initializer, node: nodes }: GraphProto, names: ReadonlySet<string>): number {
  const constants = nodes.flatMap(({ output, attribute }) =>
    attribute.flatMap(({ t }) => (t ? [{ name: output[0] ?? '', tensor: t }] : [])),
  );
  const all = [...initializer.map((tensor) => ({ name: tensor.name, tensor })), ...constants];
  return all.reduce((sum, { name, tensor }) => sum + (names.has(name) ? sizeOf(tensor) : 0), 0);
}

/** The front of a model that is too large: as many nodes as there is room for, and what the last of them computes. */
function crop(model: ModelProto): ModelProto {
  const { graph } = model;
  if (!graph) return model;
  const isConstant = ({ opType }: NodeProto) => opType === 'Constant';
  const others = graph.node.filter((one) => !isConstant(one));
  const used = new Set<string>();
  const kept: NodeProto[] = [];
  for (const one of others.slice(0, most.nodes)) {
    for (const name of one.input) used.add(name);
    if (bytesOf(graph, used) > most.bytes) break;
    kept.push(one);
  }
  const last = kept.at(-1)?.output[0];
  if (kept.length === others.length || last === undefined) return model;
  const needed = new Set(kept.flatMap(({ input }) => input));
  graph.node = [...graph.node.filter((one) => isConstant(one) && needed.has(one.output[0] ?? '')), ...kept];
  graph.initializer = graph.initializer.filter(({ name }) => needed.has(name));
  graph.valueInfo = graph.valueInfo.filter(({ name }) => needed.has(name));
  graph.output = [create(ValueInfoProtoSchema, { name: last })];
  return model;
}

/** Seen from test/dist/fuzz/; those beside the repository, where they are. */
const friendly = ['../../fixtures/models', '../../../../shared/models', '../../../../shared/wild'];
const hostile = ['../../fixtures/hostile/models', '../../../../shared/hostile'];

const largestFile = 2_000_000;

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith('.onnx'))
    .sort()
    .map((name) => join(folder, name));
}

function read(file: string): Seed[] {
  const bytes = readFileSync(file);
  if (bytes.length > largestFile) return [];
  try {
    const model = crop(fromBinary(ModelProtoSchema, bytes));
    return toBinary(ModelProtoSchema, model).length < 4 * most.bytes ? [{ name: file, model }] : [];
  } catch {
    return []; // Some of the hostile ones are no models at all.
  }
}

/** What becomes of a seed; none where there is nothing to convert. */
async function converted({ name, model }: Seed): Promise<Seed[]> {
  try {
    const { model: bytes, report } = await convert(toBinary(ModelProtoSchema, model), { trainSize: 16 });
    if (report.sites.length === 0) return [];
    return [{ name: `${name}, converted`, model: fromBinary(ModelProtoSchema, bytes) }];
  } catch (error) {
    if (error instanceof TlscError) return [];
    throw error;
  }
}

function readAll(folders: readonly string[]): Seed[] {
  return folders.flatMap((folder) => filesIn(fileURLToPath(new URL(folder, import.meta.url)))).flatMap(read);
}

/** Networks of one family begin alike. */
function withoutTwins(seeds: readonly Seed[]): Seed[] {
  const text = ({ model }: Seed) => Buffer.from(toBinary(ModelProtoSchema, model)).toString('latin1');
  return [...new Map(seeds.map((seed) => [text(seed), seed])).values()];
}

export interface Seeds {
  readonly friendly: readonly Seed[];
  readonly hostile: readonly Seed[];
}

/** The same wherever the same files are: mutants are counted on that. */
export async function readSeeds(): Promise<Seeds> {
  const own = Object.entries(written).map(([name, make]) => ({ name, model: make() }));
  const sources = withoutTwins([...own, ...readAll(friendly)]);
  const results: Seed[] = [];
  for (const seed of sources) results.push(...(await converted(seed)));
  return { friendly: [...sources, ...results], hostile: withoutTwins(readAll(hostile)) };
}
