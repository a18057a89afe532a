import type { NativeProvider } from '@tlsc/core-native';
import { invalidArgument } from '../errors.js';
import { type Check, checkOptions, isBoolean, oneOf, wholeNumber } from '../options.js';

/** NVIDIA's cards. */
export interface CudaProvider {
  readonly name: 'cuda';
  /** Which card, as the driver counts them. Default: 0. */
  readonly deviceId?: number;
  /** Bytes of the card's memory that the session may take. Default: no limit. */
  readonly gpuMemLimit?: number;
  /** By how much more the session asks for when its memory is used up. Default: 'kNextPowerOfTwo'. */
  readonly arenaExtendStrategy?: 'kNextPowerOfTwo' | 'kSameAsRequested';
  /**
   * How cuDNN chooses a convolution's algorithm: by rule, or ('EXHAUSTIVE', ONNX Runtime's own default) by trying all of them anew
   * for every size of image. Default: 'HEURISTIC'.
   */
  readonly cudnnConvAlgoSearch?: 'EXHAUSTIVE' | 'HEURISTIC' | 'DEFAULT';
  /** Lets convolutions and products of float32 round their factors to 10 bits, on cards that can. Default: true, as ONNX Runtime's. */
  readonly useTf32?: boolean;
}

/** Others that ONNX Runtime takes by name, with options of their own. */
export interface OtherProvider {
  readonly name: 'CoreML' | 'DML' | 'OpenVINO' | 'QNN' | 'VitisAI' | 'WebGPU' | 'XNNPACK';
  readonly [option: string]: string | number | boolean;
}

/** An execution provider by its name ('cpu', 'cuda', or as ONNX Runtime has it), or with options. */
export type ExecutionProvider = string | { readonly name: 'cpu' } | CudaProvider | OtherProvider;

type CudaOption = Exclude<keyof CudaProvider, 'name'>;

/** ONNX Runtime's names of the options, and what each may be. */
const cudaOptions: Record<CudaOption, readonly [string, Check<unknown>, string]> = {
  deviceId: ['device_id', ...wholeNumber(0, 1023)],
  gpuMemLimit: ['gpu_mem_limit', ...wholeNumber(1, Number.MAX_SAFE_INTEGER)],
  arenaExtendStrategy: ['arena_extend_strategy', ...oneOf('kNextPowerOfTwo', 'kSameAsRequested')],
  cudnnConvAlgoSearch: ['cudnn_conv_algo_search', ...oneOf('EXHAUSTIVE', 'HEURISTIC', 'DEFAULT')],
  useTf32: ['use_tf32', isBoolean, 'true or false'],
};

function toCuda(options: Omit<CudaProvider, 'name'>): NativeProvider {
  checkOptions(options, cudaOptions);
  const settings: Record<string, string> = { cudnn_conv_algo_search: 'HEURISTIC' };
  for (const [option, [key, check, expected]] of Object.entries(cudaOptions)) {
    const value = options[option as CudaOption];
    if (value === undefined) continue;
    if (!check(value)) throw invalidArgument(option, expected, value);
    settings[key] = String(typeof value === 'boolean' ? Number(value) : value);
  }
  return { name: 'cuda', options: settings };
}

/** CPU and CUDA go by several names: 'CUDAExecutionProvider' is Python's and ONNX Runtime's own. */
function nameOf(name: string): string {
  const short = name.replace(/ExecutionProvider$/, '').toLowerCase();
  return short === 'cpu' || short === 'cuda' ? short : name;
}

function toProvider(provider: unknown): NativeProvider {
  const given = typeof provider === 'string' ? { name: provider } : provider;
  if (
    typeof given !== 'object' ||
    given === null ||
    !('name' in given) ||
    typeof given.name !== 'string' ||
    given.name === ''
  ) {
    throw invalidArgument(
      'executionProviders',
      'a list of provider names, or of objects with a name',
      provider,
    );
  }
  const { name: givenName, ...options } = given;
  const name = nameOf(given.name);
  if (name === 'cuda') return toCuda(options);
  if (name === 'cpu' && Object.keys(options).length > 0)
    throw invalidArgument('executionProviders', 'without options for the CPU', provider);
  const settings = Object.entries(options).map(([key, value]) => [key, String(value)]);
  return { name, options: Object.fromEntries(settings) };
}

/** Throws ERR_INVALID_ARGUMENT. Those behind the CPU are left out: they would get nothing to run. */
export function toProviders(list: unknown): NativeProvider[] {
  if (!Array.isArray(list) || list.length === 0)
    throw invalidArgument('executionProviders', 'a list of at least one', list);
  const providers = list.map(toProvider);
  const names = providers.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw invalidArgument('executionProviders', 'a list that names each only once', twice);
  const cpu = names.indexOf('cpu');
  return cpu < 0 ? providers : providers.slice(0, cpu + 1);
}
