export { Tensor } from 'onnxruntime-common';
export { convert, free, inspect, observe, optimize, verify } from './background/index.js';
export type { ConvertOptions } from './conversion/choice.js';
export type { Explanation, Verdict } from './conversion/explain.js';
export { newestOpset } from './conversion/opset-changes.js';
export type { KeptStatistic } from './conversion/plan.js';
export type { ConversionRecord, Site } from './conversion/record.js';
export type { ConversionSizes } from './conversion/sizes.js';
export type { Conversion, ConvertReport } from './convert.js';
export { type Diagnosis, diagnose, type ProviderDiagnosis } from './diagnose.js';
export { type ErrorCode, type ErrorDetails, errorCodes, TlscError } from './errors.js';
export { writeFileAtomic } from './files.js';
export type { FreedModel, FreeOptions, FreeReport } from './free.js';
export type { Freed } from './freeing/free-sizes.js';
export { lowestOpset } from './functions/body.js';
export type { Fused } from './fusion/fuse.js';
export type { FrozenSize } from './graph/frozen-sizes.js';
export type { ModelSource } from './graph/model.js';
export type { ImageSource } from './image/decode.js';
export {
  type EncodeOptions,
  framesExtensions,
  type ImageExtension,
  imageExtensions,
} from './image/encoders.js';
export {
  describeImage,
  encodePhoto,
  type ImageDescription,
  type ReadPhotoOptions,
  readPhoto,
  type WritePhotoOptions,
  writePhoto,
} from './image/files.js';
export { readableExtensions } from './image/formats.js';
export type { OtherInput, OtherInputs } from './image/inputs.js';
export type { PhotoMetadata } from './image/metadata.js';
export type { Photo } from './image/photo.js';
export { type RestoredPhoto, restore } from './image/restore.js';
export {
  type RestoredImage,
  type RestoreFileOptions,
  restoreFile,
  restoreImage,
} from './image/restore-file.js';
export type { RestoreOptions } from './image/restorer.js';
export { type ChannelOrder, channelOrders, type ValueOptions } from './image/values.js';
export type {
  FusedOperator,
  Inspection,
  InspectOptions,
  LocalOperator,
  Statistic,
  ValueDescription,
} from './inspect.js';
export type { ObservedModel, ObservedSite, ObserveOptions } from './observe.js';
export type {
  OptimizeCheck,
  OptimizedModel,
  OptimizeOptions,
  OptimizeReport,
} from './optimize.js';
export type { PiecesOptions } from './pieces/options.js';
export type { Pieces, PiecesBound, PiecesCheck } from './pieces/report.js';
export { createPool } from './pool/create-pool.js';
export type {
  ModelDescription,
  PoolOptions,
  PoolRestoreFileOptions,
  PoolRestoreOptions,
  TurnOptions,
} from './pool/options.js';
export type { Parallelism } from './pool/parallelism.js';
export type { Passage, PoolStats, RunRequest, Supplied } from './pool/passage.js';
export type { RestorationPool } from './pool/restoration-pool.js';
export type { Feeds } from './session/feeds.js';
export {
  type Fetches,
  InferenceSession,
  type Outputs,
  type RunOptions,
  type ValueMetadata,
} from './session/inference-session.js';
export type { OutputLocation, OutputLocations } from './session/locations.js';
export type {
  CudaDiagnosis,
  Machine,
  OperatorsDiagnosis,
  Platform,
  Problem,
  RuntimeDiagnosis,
} from './session/machine.js';
export type { SessionOptions } from './session/options.js';
export type { CudaProvider, ExecutionProvider, OtherProvider } from './session/providers.js';
export type { Sides } from './session/sides.js';
export { largestSide, type Size, type SizeOption } from './size.js';
export type { FullCheck, SelfCheck, Verification, VerifyOptions } from './verify.js';
export { type WriteModelOptions, writeModel } from './write-model.js';
