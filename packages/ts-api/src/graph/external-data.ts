// Tensors whose values lie in files beside the model (ONNX's external data). They stay there: a model of any size is a small
// graph in memory, and what a rule needs of a tensor is read when it needs it.
import { closeSync, openSync, readSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, posix, relative, win32 } from 'node:path';
import { TensorProto_DataLocation as DataLocation, TensorProtoSchema } from 'onnx-buf';
import { invalidArgument, TlscError } from '../errors.js';
import type { Model } from './model.js';
import {
  DataType,
  type GraphProto,
  holdsIntegers,
  labelOf,
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
  /** How messages speak of it. */
  readonly label: string;
  readonly slice: Slice;
}

export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === DataLocation.EXTERNAL;
}

type Labelled = readonly [tensor: TensorProto | undefined, label: string];

function tensorsOfNode(node: NodeProto): Labelled[] {
  const own = node.attribute.flatMap(({ t, tensors, sparseTensor, sparseTensors }) => [
    ...[t, ...tensors],
    ...[sparseTensor, ...sparseTensors].flatMap((sparse) => [sparse?.values, sparse?.indices]),
  ]);
  return [
    ...own.map((tensor) => [tensor, `the constant of ${labelOf(node)}`] as const),
    ...subgraphsOf(node).flatMap(tensorsOfGraph),
  ];
}

function tensorsOfGraph(graph: GraphProto): Labelled[] {
  const sparse = graph.sparseInitializer.flatMap(({ values, indices }) => [values, indices]);
  return [
    ...[...graph.initializer, ...sparse].map((tensor) => [tensor, `initializer ${tensor?.name}`] as const),
    ...graph.node.flatMap(tensorsOfNode),
  ];
}

function toBytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

/** Whether a path leads out of the folder that it is relative to, on any system. */
function isOutside(path: string): boolean {
  return posix.isAbsolute(path) || win32.isAbsolute(path) || path.split(/[\\/]/).includes('..');
}

/** What the tensor says of where its values lie, or why that cannot be. */
function sliceOf(tensor: TensorProto): Slice | string {
  const entry = (key: string) => tensor.externalData.find((one) => one.key === key)?.value;
  const location = entry('location') ?? '';
  if (location === '') return 'a file without a name';
  if (isOutside(location)) return `${location}, which is outside the model's folder`;
  // ONNX Runtime takes such a name for an address in memory.
  if (location.startsWith('*/') || location.includes('\0')) return `${location}, which is not a file`;
  const count = tensor.dims.reduce((product, side) => product * Number(side), 1);
  const size = Math.ceil((count * (bitsOf[tensor.dataType] ?? Number.NaN)) / 8);
  const offset = toBytes(entry('offset')) ?? 0;
  const length = toBytes(entry('length')) ?? size;
  if (tensor.dims.some((side) => side < 0n)) return `${location}, with a negative size`;
  if (Number.isNaN(size)) return `${location}, where tensors of its type cannot be`;
  if (Number.isNaN(offset) || length !== size)
    return `${location}, of which it takes ${entry('length') ?? size} bytes from ${entry('offset') ?? 0} on; it needs ${size}`;
  return { location, offset, length };
}

/** Every tensor of the model that is external, or claims so. */
function claimsOf(model: Model): { tensor: TensorProto; label: string }[] {
  const everywhere = [
    ...tensorsOfGraph(model.graph),
    ...model.functions.flatMap(({ node }) => node.flatMap(tensorsOfNode)),
  ];
  return everywhere.flatMap(([tensor, label]) => (tensor && isExternal(tensor) ? [{ tensor, label }] : []));
}

interface DataFile {
  readonly path: string;
  readonly size: number;
}

/** The file at `location`; undefined when there is none. Links must not lead out of the folder. */
async function findFile(folder: string, location: string): Promise<DataFile | 'outside' | undefined> {
  const path = await realpath(join(folder, location)).catch(() => undefined);
  if (path === undefined) return undefined;
  const fromFolder = relative(await realpath(folder), path);
  if (isOutside(fromFolder)) return 'outside';
  const info = await stat(path);
  return info.isFile() ? { path, size: info.size } : undefined;
}

/**
 * Every external tensor of the model, and the files that they lie in, which are there and hold them. Throws ERR_INVALID_MODEL, which names
 * tensor and file, when a tensor is said to lie where it cannot; ERR_MODEL_NOT_FOUND when the file is missing.
 */
export async function findExternalData(
  model: Model,
  folder: string | undefined,
  name: string,
): Promise<{ tensors: ExternalTensor[]; files: ReadonlyMap<string, DataFile> }> {
  const files = new Map<string, DataFile>();
  const tensors: ExternalTensor[] = [];
  for (const { tensor, label } of claimsOf(model)) {
    const refuse = (where: string) =>
      new TlscError('ERR_INVALID_MODEL', `${name} keeps ${label} in ${where}`);
    const slice = sliceOf(tensor);
    if (typeof slice === 'string') throw refuse(slice);
    const { location, offset, length } = slice;
    const what = `${name} keeps ${label} in ${location}`;
    if (folder === undefined) throw missingFolder(what);
    const file = files.get(location) ?? (await findFile(folder, location));
    if (!file) throw new TlscError('ERR_MODEL_NOT_FOUND', `${what}: there is no such file in ${folder}`);
    if (file === 'outside') throw refuse(`${location}, a link out of the model's folder`);
    files.set(location, file);
    if (offset + length > file.size)
      throw refuse(`${location}, which ends at ${file.size} bytes, not ${offset + length}`);
    tensors.push({ tensor, label, slice });
  }
  return { tensors, files };
}

function missingFolder(what: string): TlscError {
  const message = `${what}; name the folder of that file in the option externalDataFolder, or give the model's path`;
  return new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'externalDataFolder' });
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
  const slice = sliceOf(tensor);
  if (!isExternal(tensor) || folder === undefined || typeof slice === 'string') return tensor;
  const copy = shallowCopy(TensorProtoSchema, tensor);
  putValues(copy, folder, slice);
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
