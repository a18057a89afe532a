import { findAddon } from './addon.js';
import { nativeError } from './errors.js';
import { load } from './packages.js';

/** What a tensor of the boundary may hold; float16 travels as its bits in a `Uint16Array`. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface NativeTensor {
  /** onnxruntime-common's name of the element type. */
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** A tensor that stays where the session made it. Its memory is freed when `handle` is collected or given to `dispose`. */
export interface NativeDeviceTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly handle: object;
}

export type NativeInput = { readonly name: string } & (NativeTensor | NativeDeviceTensor);

/**
 * Where an output is to lie: in ordinary memory, in memory that is pinned (which cards copy to fastest), or with the session's
 * device. A session on the CPU has ordinary memory everywhere.
 */
export type NativeLocation = 'cpu' | 'pinned' | 'device';

export interface NativeOutputRequest {
  readonly name: string;
  readonly location: NativeLocation;
}

export interface NativeValueInfo {
  readonly name: string;
  readonly isTensor: boolean;
  /** Empty when JavaScript has no tensor of this type. */
  readonly type: string;
  /** A number is a size, a string the name of a free dimension ('' when it has none). */
  readonly shape: readonly (number | string)[];
}

export interface NativeProvider {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

/** Complete and validated: the addon takes it as it is. */
export interface NativeSessionOptions extends NativeModel {
  /** File of the ONNX Runtime library, see `findRuntime`. */
  readonly runtimePath: string;
  /** File of the operator library, see `findOperators`; '' registers none, so that function bodies run. */
  readonly operatorsPath: string;
  /** 0: ONNX Runtime chooses. */
  readonly intraOpNumThreads: number;
  readonly interOpNumThreads: number;
  /** ONNX Runtime's ExecutionMode: 0 in sequence, 1 in parallel. */
  readonly executionMode: number;
  /** ONNX Runtime's GraphOptimizationLevel: 0, 1, 2 or 99. */
  readonly graphOptimizationLevel: number;
  readonly providers: readonly NativeProvider[];
  /** '' profiles nothing. */
  readonly profileFilePrefix: string;
  readonly logId: string;
  /** 0 verbose, 1 info, 2 warning, 3 error, 4 fatal. */
  readonly logSeverityLevel: number;
  /** The same for what is logged during runs. */
  readonly runLogSeverityLevel: number;
}

export interface NativeRun {
  /** In the order asked for, with a handle where the location is 'device'. */
  readonly outputs: Promise<(NativeTensor | NativeDeviceTensor)[]>;
  /** Rejects `outputs` with ERR_ABORTED, at once when the run has not begun, else after the operator it is in. */
  cancel(): void;
  /** Once `outputs` has resolved: the most bytes that the run took at once, its inputs left out; 0 of a session that is not on the CPU alone. */
  peak(): number;
}

/** What may be handed to ONNX Runtime, and to whoever else reads it. */
export interface NativeModel {
  /** A path, or the bytes of the file, which are copied. */
  readonly model: string | Uint8Array;
  /** Where the external data of a model given as bytes lies; '' for none. A path's own folder is always the place. */
  readonly externalDataFolder: string;
}

export interface NativeLoad {
  readonly session: Promise<NativeSession>;
  /** Rejects `session` with ERR_ABORTED, as soon as ONNX Runtime (1.22 or newer) hears it. */
  cancel(): void;
}

export interface NativeSession {
  readonly inputs: readonly NativeValueInfo[];
  /** Those that have a value in the model unless another is fed. */
  readonly optionalInputs: readonly NativeValueInfo[];
  readonly outputs: readonly NativeValueInfo[];
  /** The model's custom metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly runtimeVersion: string;
  /**
   * Off the event loop. Inputs are copied, 1 MiB at once and what is more than that in as many turns of the event loop as it takes;
   * `outputs` rejects with ERR_INVALID_ARGUMENT where the memory of one goes meanwhile. Memory that the addon made and SharedArrayBuffers
   * are read in place until the run ends. `limit`: the most bytes that it may take at once, its inputs left out, or `outputs` rejects with
   * ERR_OUT_OF_MEMORY; of no use where the session is not on the CPU alone, one operator after the other.
   */
  run(inputs: readonly NativeInput[], outputs: readonly NativeOutputRequest[], limit?: number): NativeRun;
  /** A tensor in pinned memory, its values whatever they are. Rejects with ERR_OUT_OF_MEMORY. */
  allocate(type: string, dims: readonly number[]): Promise<NativeTensor>;
  /** Ends profiling and returns the file's path. */
  endProfiling(): string;
  /** Frees what is kept for another run of the same size. */
  trim(): void;
  /** Frees the session once its runs under way have ended; resolves when that is done. Idempotent. */
  release(): Promise<void>;
}

/** How one image lies in memory, contiguous. */
export interface NativeImageLayout {
  /** Whole numbers stand for the fractions 0 to 1 of their type's largest one. */
  readonly type: 'uint8' | 'uint16' | 'float16' | 'float32';
  /** Whether the channels of a pixel lie side by side, else one behind the other. */
  readonly channelsLast: boolean;
  /** 1 to 4. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A part of an image, in pixels. */
export interface NativeImageRegion {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export interface NativeImage extends NativeImageLayout {
  readonly data: TensorData;
  /** What of it is read, as if that were all of it; all of it unless given. */
  readonly region?: NativeImageRegion;
  /**
   * Whether nobody else has the memory, and it is read in place; else it is copied first, but for memory that the addon made. Not to be said
   * in a worker: when that is terminated, Node.js frees the memory of buffers before the addon can wait for its jobs.
   */
  readonly isHandedOver: boolean;
}

export interface NativeImageTarget extends NativeImageLayout {
  /** Memory that `copyImage` has made, of which this may be a part, to write to; else it makes some. */
  readonly data?: TensorData;
  /** What of it is written; all of it unless given. */
  readonly region?: NativeImageRegion;
}

/**
 * What becomes of a pixel x: channel c of the target is (Σ mix[c][k] · x[k]) · multiply[c] / divide[c] + add[c], in float32. Whole numbers
 * are taken as they are, divide[c] times the largest.
 */
export interface NativeImageMap {
  readonly mix: readonly (readonly number[])[];
  readonly multiply: readonly number[];
  readonly divide: readonly number[];
  readonly add: readonly number[];
}

/** Of the values of an image. */
export interface NativeImageSummary {
  /** Whether all are finite; the next three are of those that are. */
  readonly finite: boolean;
  readonly least: number;
  readonly greatest: number;
  readonly mean: number;
  /** The share of values below -1/2 or above 3/2, or not finite. */
  readonly outside: number;
}

export interface NativeImageCopy {
  /** Undefined where the target has data of its own. */
  readonly data?: TensorData;
  /** If asked for. */
  readonly summary?: NativeImageSummary;
}

export interface RuntimeDescription {
  readonly version: string;
  /** ONNX Runtime's names of the execution providers that it was built with ('CUDAExecutionProvider'). */
  readonly providers: readonly string[];
}

export interface OperatorsDescription {
  /** What the kernels run on: an instruction set as Highway names it, or cards. */
  readonly target: string;
}

export interface CudaDevice {
  readonly name: string;
  /** In bytes. */
  readonly memory: number;
  /** '9.0' */
  readonly computeCapability: string;
}

/** Problems are in the words of the system, the driver or ONNX Runtime; '' where there is none. */
export interface CudaDescription {
  /** The newest CUDA that the driver runs: '13.0'. */
  readonly driverVersion: string;
  readonly driverProblem: string;
  /** In the order of their ids. */
  readonly devices: readonly CudaDevice[];
  /** Of ONNX Runtime's library for CUDA, and of the libraries that it needs to load. */
  readonly providerProblem: string;
  readonly cudnnProblem: string;
}

export interface Binding {
  /** Looks at the model first, as `checkModel` does. */
  createSession(options: NativeSessionOptions): NativeLoad;
  /**
   * Rejects with ERR_INVALID_MODEL, ERR_UNSUPPORTED_MODEL (more of something than any model needs), ERR_MODEL_NOT_FOUND, or
   * ERR_INVALID_ARGUMENT where the model has external data and no folder.
   */
  checkModel(model: NativeModel): Promise<void>;
  /** Memory for `copyImage` to write to, its values whatever they are. Throws ERR_INVALID_ARGUMENT, ERR_OUT_OF_MEMORY. */
  allocateImage(layout: NativeImageLayout): TensorData;
  /**
   * A file as memory that `copyImage` reads in place, and of which nothing stays in memory behind it; nobody may make the file shorter
   * before it is given to `discard`. Throws ERR_INVALID_ARGUMENT, ERR_OUT_OF_MEMORY.
   */
  mapFile(path: string): Uint8Array;
  /**
   * Copies an image into another layout, its pixels mapped on the way, on a thread of the addon's. A target that is smaller gets the upper
   * left; one that is larger is filled up at the bottom and on the right by reflection, or, where that would take more rows or columns
   * than there are, by the last row or column. Whole numbers are clipped and rounded, halves up. A summary can be had of float32 alone.
   * Rejects with ERR_INVALID_ARGUMENT, ERR_OUT_OF_MEMORY.
   */
  copyImage(
    source: NativeImage,
    map: NativeImageMap,
    target: NativeImageTarget,
    summarizes: boolean,
  ): Promise<NativeImageCopy>;
  /** What `copyImage` would sum up; nothing is copied. `target` is float32. */
  summarizeImage(
    source: NativeImage,
    map: NativeImageMap,
    target: NativeImageLayout,
  ): Promise<NativeImageSummary>;
  /**
   * Takes the memory of the addon's behind an array away from JavaScript, at once instead of when it is collected; a job that reads it goes
   * on. Other memory is left alone.
   */
  discard(array: TensorData): void;
  /**
   * Gives the pixels whose alpha is 0 the colours of visible ones around them, in place, on a thread of the addon's. Planes of float32, and
   * alpha of 8 or 16 bits, that `copyImage` has made. Rejects with ERR_INVALID_ARGUMENT, ERR_OUT_OF_MEMORY.
   */
  fillHidden(planes: Omit<NativeImage, 'isHandedOver'>, alpha: TensorData): Promise<void>;
  /** A copy in ordinary memory of the tensor behind a handle. Rejects with ERR_INVALID_ARGUMENT once it is disposed of. */
  download(handle: object): Promise<NativeTensor>;
  /** Frees the tensor behind a handle once no run reads it. Idempotent. */
  dispose(handle: object): void;
  /** Rejects with ERR_RUNTIME_NOT_FOUND. */
  describeRuntime(path: string): Promise<RuntimeDescription>;
  /** Rejects with ERR_OPERATORS_NOT_FOUND. */
  describeOperators(path: string): Promise<OperatorsDescription>;
  describeCuda(runtimePath: string): Promise<CudaDescription>;
  /** Aborts what this thread has under way and waits for its end. */
  close(): void;
  /** Every code of src/errors.h. */
  readonly errorCodes: readonly string[];
}

let binding: Binding | undefined;

/** The addon, loaded on first use. Throws ERR_ADDON_NOT_FOUND. */
export function loadBinding(): Binding {
  if (binding) return binding;
  const file = findAddon();
  try {
    binding = load(file) as Binding;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw nativeError('ERR_ADDON_NOT_FOUND', `the native addon ${file} does not load: ${reason}`, cause);
  }
  // process.exit() runs no cleanup hook in the main thread: the static destructors of ONNX Runtime would meet a thread
  // of ours that is still loading it.
  process.once('exit', binding.close);
  return binding;
}
