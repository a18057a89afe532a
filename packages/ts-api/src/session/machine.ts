// What there is on this machine for sessions to take, or why not.
import {
  type CudaDevice,
  describeCuda,
  describeOperators,
  describeRuntime,
  findOperators,
  findRuntime,
  isNativeError,
  type OperatorsPlatform,
} from '@tlsc/core-native';
import { type ErrorCode, TlscError } from '../errors.js';

/** What is in the way, as an error would say it. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface RuntimeDiagnosis {
  readonly file: string;
  readonly version: string;
  /** ONNX Runtime's names of the execution providers that it was built with; libraries of theirs may be missing. */
  readonly providers: readonly string[];
}

export interface OperatorsDiagnosis {
  readonly file: string;
  /** What the kernels run on: the instruction set chosen for this processor, or the cards that they were compiled for. */
  readonly target: string;
}

export interface CudaDiagnosis {
  /** The newest CUDA that the driver runs ('13.0'); '' without a driver that works. */
  readonly driverVersion: string;
  /** In the order of their ids. */
  readonly devices: readonly CudaDevice[];
}

/** What an operator library and a provider run on. */
export type Platform = OperatorsPlatform;

export interface Machine {
  readonly onnxruntime: RuntimeDiagnosis | { readonly problem: Problem };
  readonly operators: Readonly<Record<Platform, OperatorsDiagnosis | { readonly problem: Problem }>>;
  readonly cuda: CudaDiagnosis;
}

/** Any other error is a bug and passes through. */
export function problemOf(error: unknown): { readonly problem: Problem } {
  if (!(error instanceof TlscError) && !isNativeError(error)) throw error;
  return { problem: { code: error.code, message: error.message } };
}

async function diagnoseRuntime(): Promise<Machine['onnxruntime']> {
  try {
    const file = findRuntime();
    return { file, ...(await describeRuntime(file)) };
  } catch (error) {
    return problemOf(error);
  }
}

async function diagnoseOperators(
  platform: Platform,
): Promise<OperatorsDiagnosis | { readonly problem: Problem }> {
  try {
    const file = findOperators(platform);
    return { file, ...(await describeOperators(file)) };
  } catch (error) {
    return problemOf(error);
  }
}

export async function describeMachine(): Promise<Machine> {
  const onnxruntime = await diagnoseRuntime();
  const { driverVersion, devices } = await describeCuda('file' in onnxruntime ? onnxruntime.file : '');
  return {
    onnxruntime,
    operators: { cpu: await diagnoseOperators('cpu'), cuda: await diagnoseOperators('cuda') },
    cuda: { driverVersion, devices },
  };
}
