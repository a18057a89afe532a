// Tensors whose values lie in files beside the model (ONNX's external data). They stay there: a model of any size is a small
// graph in memory, and what a rule needs of a tensor is read when it needs it.
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  TensorProto_DataLocation as DataLocation,
  type SparseTensorProto,
  TensorProtoSchema,
} from 'onnx-buf';
import { invalidArgument, TlscError } from '../errors.js';
import type { Model } from './model.js';
import {
  type AttributeProto,
  DataType,
  type GraphProto,
  holdsIntegers,
  type NodeProto,
  shallowCopy,
  subgraphsOf,
  type TensorProto,
} from './proto.js';

/** Bits of an element; a type that is not listed (strings) has no external form. */
const bitsOf: Readonly<Record<number, number>> = {
  [DataType.INT2]: 2,
  [DataType.UINT2]: 2,
  [DataType.INT4]: 4,
  [DataType.UINT4]: 4,
  [DataType.FLOAT4E2M1]: 4,
  [DataType.BOOL]: 8,
  [DataType.INT8]: 8,
  [DataType.UINT8]: 8,
  [DataType.FLOAT8E4M3FN]: 8,
  [DataType.FLOAT8E4M3FNUZ]: 8,
  [DataType.FLOAT8E5M2]: 8,
  [DataType.FLOAT8E5M2FNUZ]: 8,
  [DataType.FLOAT8E8M0]: 8,
  [DataType.FLOAT16]: 16,
  [DataType.BFLOAT16]: 16,
  [DataType.INT16]: 16,
  [DataType.UINT16]: 16,
  [DataType.FLOAT]: 32,
  [DataType.INT32]: 32,
  [DataType.UINT32]: 32,
  [DataType.DOUBLE]: 64,
  [DataType.INT64]: 64,
  [DataType.UINT64]: 64,
  [DataType.COMPLEX64]: 64,
  [DataType.COMPLEX128]: 128,
};

/** Where the values of a tensor lie. */
export interface Slice {
  /** Relative to the model's folder. */
  readonly location: string;
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}

export interface ExternalTensor {
  readonly tensor: TensorProto;
  readonly slice: Slice;
}

export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === DataLocation.EXTERNAL;
}

function tensorsOfSparse(sparse: readonly (SparseTensorProto | undefined)[]): TensorProto[] {
  return sparse.flatMap((one) => [one?.values, one?.indices]).filter((tensor) => tensor !== undefined);
}

function tensorsOfAttribute({ t, tensors, sparseTensor, sparseTensors }: AttributeProto): TensorProto[] {
  return [...(t ? [t] : []), ...tensors, ...tensorsOfSparse([sparseTensor, ...sparseTensors])];
}

function tensorsOfNode(node: NodeProto): TensorProto[] {
  return [...node.attribute.flatMap(tensorsOfAttribute), ...subgraphsOf(node).flatMap(tensorsOfGraph)];
}

function tensorsOfGraph({ initializer, sparseInitializer, node }: GraphProto): TensorProto[] {
  return [...initializer, ...tensorsOfSparse(sparseInitializer), ...node.flatMap(tensorsOfNode)];
}

/** Where the values of an external tensor lie, as it says. */
function sliceOf(tensor: TensorProto): Slice {
  const entry = (key: string) => tensor.externalData.find((one) => one.key === key)?.value;
  const count = tensor.dims.reduce((product, side) => product * Number(side), 1);
  const size = Math.ceil((count * (bitsOf[tensor.dataType] ?? 0)) / 8);
  return {
    location: entry('location') ?? '',
    offset: Number(entry('offset') ?? 0),
    length: Number(entry('length') ?? size),
  };
}

/** Every external tensor of a model that `checkModel` has let through: each lies where it says. */
export function externalTensorsOf(model: Model): ExternalTensor[] {
  const tensors = [
    ...tensorsOfGraph(model.graph),
    ...model.functions.flatMap(({ node, attributeProto }) => [
      ...node.flatMap(tensorsOfNode),
      ...attributeProto.flatMap(tensorsOfAttribute),
    ]),
  ];
  return tensors.filter(isExternal).map((tensor) => ({ tensor, slice: sliceOf(tensor) }));
}

/** Throws ERR_INVALID_ARGUMENT unless `folder` is a path, or not given. */
export function checkFolder(folder: unknown): void {
  if (folder === undefined || (typeof folder === 'string' && folder !== '')) return;
  throw invalidArgument('externalDataFolder', 'the path of a folder', folder);
}

function readSlice(folder: string, { location, offset, length }: Slice): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const file = openSync(join(folder, location), 'r');
  try {
    for (let done = 0; done < length; ) {
      const count = readSync(file, bytes, done, length - done, offset + done);
      if (count === 0) throw new TlscError('ERR_INVALID_MODEL', `${location} has become shorter meanwhile`);
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

function putValues(tensor: TensorProto, folder: string, slice: Slice): void {
  tensor.rawData = readSlice(folder, slice);
  tensor.dataLocation = DataLocation.DEFAULT;
  tensor.externalData = [];
}

/** The tensor with its values in it; where they lie in a file of the folder, which has been checked, a copy that has them. */
export function withValues(tensor: TensorProto, folder: string | undefined): TensorProto {
  if (!isExternal(tensor) || folder === undefined) return tensor;
  const copy = shallowCopy(TensorProtoSchema, tensor);
  putValues(copy, folder, sliceOf(tensor));
  return copy;
}

/** As many bytes as shapes, axes and the like never have. */
const largestShape = 1024;

/**
 * Puts the values of small integer tensors back into the model: where it needs them for shapes, ONNX Runtime refuses those that lie
 * in files. Returns the tensors that stay external.
 */
export function inlineShapes(tensors: readonly ExternalTensor[], folder: string): ExternalTensor[] {
  const isShape = ({ tensor, slice }: ExternalTensor) =>
    holdsIntegers(tensor) && slice.length <= largestShape;
  for (const { tensor, slice } of tensors.filter(isShape)) putValues(tensor, folder, slice);
  return tensors.filter((one) => !isShape(one));
}
