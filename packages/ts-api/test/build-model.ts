// Builds the small models that tests need.
import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { float16Bits } from '../../../test/fixtures/float16.js';
import { encodeModel, type Model } from '../src/graph/model.js';
import {
  type AttributeValue,
  DataType,
  type FunctionProto,
  makeNode,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../src/graph/proto.js';

/** A constant of float32 values. */
export function floats(name: string, dims: readonly number[], values?: readonly number[]): TensorProto {
  const count = dims.reduce((product, side) => product * side, 1);
  // Without values: small, different, reproducible.
  const floatData = values ?? Array.from({ length: count }, (_, i) => Math.sin(i + 1) / 2);
  return create(TensorProtoSchema, {
    name,
    dataType: DataType.FLOAT,
    dims: dims.map(BigInt),
    floatData: [...floatData],
  });
}

/** The same in float16, rounded. */
export function halves(name: string, dims: readonly number[], values?: readonly number[]): TensorProto {
  const tensor = floats(name, dims, values);
  const int32Data = tensor.floatData.map(float16Bits);
  return create(TensorProtoSchema, { name, dataType: DataType.FLOAT16, dims: tensor.dims, int32Data });
}

export function integers(name: string, values: readonly number[]): TensorProto {
  const dims = [BigInt(values.length)];
  return create(TensorProtoSchema, { name, dataType: DataType.INT64, dims, int64Data: values.map(BigInt) });
}

export function valueInfo(
  name: string,
  shape: readonly (number | string)[],
  elemType: DataType = DataType.FLOAT,
): ValueInfoProto {
  const dim = shape.map((side) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof side === 'number'
          ? { case: 'dimValue', value: BigInt(side) }
          : { case: 'dimParam', value: side },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, { elemType, shape: create(TensorShapeProtoSchema, { dim }) });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}

/** Image `x` and image `y` of a model that works in another type than float32. */
export function imagesIn(elemType: DataType): Pick<GraphParts, 'input' | 'output'> {
  return {
    input: [valueInfo('x', image, elemType)],
    output: [valueInfo('y', ['n', 'c', 'h', 'w'], elemType)],
  };
}

export interface GraphParts {
  readonly node: readonly NodeProto[];
  readonly initializer?: readonly TensorProto[];
  readonly input?: readonly ValueInfoProto[];
  readonly output?: readonly ValueInfoProto[];
  readonly valueInfo?: readonly ValueInfoProto[];
}

export const channels = 3;
export const image = ['batch', channels, 'height', 'width'] as const;

/** A graph from the image `x` to the image `y`, unless other inputs and outputs are given. */
export function buildGraph({
  node,
  initializer = [],
  input,
  output,
  valueInfo: infos = [],
}: GraphParts): GraphProto {
  return create(GraphProtoSchema, {
    name: 'test',
    node: [...node],
    initializer: [...initializer],
    input: [...(input ?? [valueInfo('x', image)])],
    output: [...(output ?? [valueInfo('y', ['n', 'c', 'h', 'w'])])],
    valueInfo: [...infos],
  });
}

export interface FunctionParts {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly node: readonly NodeProto[];
  /** Attributes that callers give. */
  readonly attribute?: readonly string[];
  /** Attributes with defaults. */
  readonly defaults?: Readonly<Record<string, AttributeValue>>;
  readonly valueInfo?: readonly ValueInfoProto[];
  readonly domain?: string;
  readonly overload?: string;
  /** The versions of the domains that it uses. Default: opset 17. */
  readonly imports?: Readonly<Record<string, number>>;
}

/** The domain of functions, unless another is given. */
export const ownDomain = 'own';

/** A function of the model's own. */
export function buildFunction(
  name: string,
  {
    input,
    output,
    node,
    attribute = [],
    defaults = {},
    valueInfo: infos = [],
    domain = ownDomain,
    overload = '',
    imports = { '': 17 },
  }: FunctionParts,
): FunctionProto {
  return create(FunctionProtoSchema, {
    name,
    domain,
    overload,
    input: [...input],
    output: [...output],
    attribute: [...attribute],
    attributeProto: makeNode('', [], [], { attributes: defaults }).attribute,
    node: [...node],
    valueInfo: [...infos],
    opsetImport: Object.entries(imports).map(([key, version]) =>
      create(OperatorSetIdProtoSchema, { domain: key, version: BigInt(version) }),
    ),
  });
}

/** Adds functions, and the import of their domains. */
export function withFunctions(model: Model, functions: readonly FunctionProto[]): Model {
  model.functions.push(...functions);
  for (const domain of new Set(functions.map((one) => one.domain)))
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: 1n }));
  return model;
}

/** An If of `condition`; each branch hands out the last thing that it computes. */
export function choose(
  condition: string,
  output: string,
  branches: { readonly whenTrue: readonly NodeProto[]; readonly whenFalse: readonly NodeProto[] },
  name = 'choice',
): NodeProto {
  const node = makeNode('If', [condition], [output], { name });
  for (const [branch, nodes] of [
    ['then_branch', branches.whenTrue],
    ['else_branch', branches.whenFalse],
  ] as const) {
    const result = create(ValueInfoProtoSchema, { name: nodes.at(-1)?.output[0] ?? '' });
    const g = buildGraph({ node: nodes, input: [], output: [result] });
    g.name = branch;
    node.attribute.push(
      create(AttributeProtoSchema, { name: branch, type: AttributeProto_AttributeType.GRAPH, g }),
    );
  }
  return node;
}

export interface Versions {
  readonly opset?: number;
  readonly irVersion?: number;
}

export function buildModel(parts: GraphParts, { opset = 17, irVersion = 8 }: Versions = {}): Model {
  return create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) })],
    graph: buildGraph(parts),
  }) as Model;
}

export function buildBytes(parts: GraphParts, versions: Versions = {}): Uint8Array {
  return encodeModel(buildModel(parts, versions));
}
