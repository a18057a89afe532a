import {
  createSession,
  describeCuda,
  findOperators,
  isNativeError,
  type NativeError,
  type NativeProvider,
  type NativeSession,
  type NativeSessionOptions,
  nativeError,
} from '@tlsc/core-native';
import { abortable, onAbort } from '../abort.js';
import { runInBackground } from '../background/run.js';
import { hasRecord } from '../conversion/record.js';
import { fromNative, TlscError, throwIfAborted } from '../errors.js';
import { cudaProblems, remedyFor } from './cuda.js';
import type { SessionSettings } from './options.js';

export interface OpenedSession {
  readonly native: NativeSession;
  readonly providers: readonly NativeProvider[];
  readonly operators: 'native' | 'portable';
  /** What was asked for, or is better, and could not be had. */
  readonly warnings: readonly TlscError[];
}

/** Opens the model on the providers that can be had. Throws what `InferenceSession.create` says, in part as NativeErrors. */
export async function openSession(
  model: string | Uint8Array,
  settings: SessionSettings,
  signal: AbortSignal | undefined,
): Promise<OpenedSession> {
  const problems: TlscError[] = [];
  let { providers } = settings;
  while (providers.length > 0) {
    const library = chooseLibrary(settings, providers);
    try {
      const native = await load(
        { ...settings.native, model, providers, operatorsPath: library.path },
        signal,
      );
      await checkCudnn(native, providers, settings.native.runtimePath);
      const isConcerned = library.missing && hasRecord(native.metadata);
      return {
        native,
        providers,
        operators: library.path ? 'native' : 'portable',
        warnings: isConcerned ? [...problems, library.missing] : problems,
      };
    } catch (error) {
      const culprit = providers.find(({ name }) => isNativeError(error) && name === error.culprit);
      if (culprit === undefined || !isNativeError(error)) throw error;
      problems.push(await explain(error, culprit, settings.native.runtimePath));
      providers = providers.filter((provider) => provider !== culprit);
    }
  }
  const messages = problems.map(({ message }) => message);
  throw new TlscError('ERR_PROVIDER_UNAVAILABLE', messages.join('\n'), { cause: problems.at(-1)?.cause });
}

interface ChosenLibrary {
  /** '': none. */
  readonly path: string;
  /** Why there is none, although it would be better. */
  readonly missing?: TlscError;
}

/** The one for the provider that comes first; the CPU's would drag every tensor of a session on CUDA to the CPU. */
function chooseLibrary(
  { operators, operatorLibrary }: SessionSettings,
  [first]: readonly NativeProvider[],
): ChosenLibrary {
  if (operators === 'portable') return { path: '' };
  const platform = first?.name === 'cuda' ? 'cuda' : 'cpu';
  try {
    return { path: findOperators(platform, operatorLibrary) };
  } catch (cause) {
    if (platform === 'cpu' || operators === 'native' || !isNativeError(cause)) throw cause;
    const message = `the local operators run as function bodies of the model, which is slower: ${cause.message}`;
    return { path: '', missing: new TlscError(cause.code, message, { cause }) };
  }
}

/** ONNX Runtime may look for cuDNN at the first convolution only, when it is too late for another provider. */
async function checkCudnn(
  native: NativeSession,
  providers: readonly NativeProvider[],
  runtimePath: string,
): Promise<void> {
  if (!providers.some(({ name }) => name === 'cuda')) return;
  const { cudnnProblem } = await describeCuda(runtimePath);
  if (!cudnnProblem) return;
  await native.release();
  throw Object.assign(nativeError('ERR_PROVIDER_UNAVAILABLE', cudnnProblem), { culprit: 'cuda' });
}

async function explain(
  cause: NativeError,
  provider: NativeProvider,
  runtimePath: string,
): Promise<TlscError> {
  if (provider.name !== 'cuda') return fromNative(cause) as TlscError;
  const deviceId = Number(provider.options.device_id ?? 0);
  const problems = cudaProblems(await describeCuda(runtimePath), deviceId, remedyFor(runtimePath));
  const message =
    problems.length > 0
      ? ['execution provider cuda cannot be had:', ...problems.map((problem) => `  ${problem}`)].join('\n')
      : cause.message;
  return new TlscError('ERR_PROVIDER_UNAVAILABLE', message, { cause });
}

/**
 * Shapes in files beside the model, which ONNX Runtime refuses where it needs them when it loads a model, are put into it once ONNX
 * Runtime has said so.
 */
async function load(options: NativeSessionOptions, signal: AbortSignal | undefined): Promise<NativeSession> {
  try {
    return await loadOnce(options, signal);
  } catch (error) {
    if (!isNativeError(error) || error.code !== 'ERR_INVALID_MODEL' || !/external/i.test(error.message))
      throw error;
    const { model, externalDataFolder } = options;
    const own = await runInBackground('embedShapes', [model, externalDataFolder || undefined], signal);
    const embedded = { ...options, model: own.bytes, externalDataFolder: own.externalDataFolder ?? '' };
    return loadOnce(embedded, signal);
  }
}

/** Settles at once when it is aborted; what ONNX Runtime goes on to load until it hears of it is let go. */
async function loadOnce(
  options: NativeSessionOptions,
  signal: AbortSignal | undefined,
): Promise<NativeSession> {
  throwIfAborted(signal);
  const { session, cancel } = createSession(options);
  const stop = onAbort(signal, () => {
    cancel();
    session.then((late) => late.release()).catch(() => {});
  });
  return abortable(session, signal).finally(stop);
}
