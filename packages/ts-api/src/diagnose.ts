import { isTrialOutput, trialInput, trialModel } from './diagnosis/trial-model.js';
import { fromNative, TlscError } from './errors.js';
import { InferenceSession } from './session/inference-session.js';
import { describeMachine, type Machine, type Platform, type Problem, problemOf } from './session/machine.js';
import { version } from './version.js';

/** How a model of one local operator fares on an execution provider. */
export type ProviderDiagnosis =
  | { readonly works: true; readonly operators: 'native' | 'portable' }
  | { readonly works: false; readonly problem: Problem };

export interface Diagnosis extends Machine {
  /** Of @tlsc/api. */
  readonly version: string;
  readonly node: string;
  /** Operating system and processor, as Node.js calls them. */
  readonly platform: string;
  readonly executionProviders: Readonly<Record<Platform, ProviderDiagnosis>>;
}

async function tryProvider(name: Platform): Promise<ProviderDiagnosis> {
  try {
    const session = await InferenceSession.create(trialModel(), {
      executionProviders: [name],
      logSeverityLevel: 4,
    });
    const { y } = await session.run({ x: trialInput() });
    await session.release();
    if (y && isTrialOutput(y.data as Float32Array)) return { works: true, operators: session.operators };
    throw new TlscError('ERR_RUN_FAILED', 'the model of one local operator gives wrong values');
  } catch (error) {
    return { works: false, ...problemOf(error) };
  }
}

/**
 * Finds out what works on this machine: which ONNX Runtime and operator libraries sessions would take, which cards there are, and
 * whether a model of one local operator runs on the CPU and on CUDA. Rejects only with ERR_ADDON_NOT_FOUND.
 */
export async function diagnose(): Promise<Diagnosis> {
  let machine: Machine;
  try {
    machine = await describeMachine();
  } catch (error) {
    throw fromNative(error);
  }
  return {
    version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    ...machine,
    executionProviders: { cpu: await tryProvider('cpu'), cuda: await tryProvider('cuda') },
  };
}
