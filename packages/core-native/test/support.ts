import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createSession,
  findOperators,
  findRuntime,
  type NativeErrorCode,
  type NativeInput,
  type NativeRun,
  type NativeSession,
  type NativeSessionOptions,
  type NativeTensor,
} from '@tlsc/core-native';
import { afterAll, expect } from 'vitest';
import { type ElementType, encode } from './tiny-model.js';

/** Complete options around a model; errors of ONNX Runtime are tested, so its log stays silent. */
export function options(
  model: string | Uint8Array,
  changes: Partial<NativeSessionOptions> = {},
): NativeSessionOptions {
  return {
    model,
    runtimePath: findRuntime(),
    operatorsPath: findOperators(),
    intraOpNumThreads: 0,
    interOpNumThreads: 0,
    executionMode: 0,
    graphOptimizationLevel: 99,
    providers: [{ name: 'cpu', options: {} }],
    profileFilePrefix: '',
    logId: 'test',
    logSeverityLevel: 4,
    runLogSeverityLevel: 4,
    externalDataFolder: '',
    ...changes,
  };
}

export async function load(
  model: string | Uint8Array,
  changes?: Partial<NativeSessionOptions>,
): Promise<NativeSession> {
  return createSession(options(model, changes)).session;
}

/** A folder that goes when the test file has run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-core-native-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function float32(
  name: string,
  dims: readonly number[],
  fill: number | readonly number[] = 0,
): NativeTensor & { readonly name: string } {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = typeof fill === 'number' ? new Float32Array(size).fill(fill) : Float32Array.from(fill);
  return { name, type: 'float32', dims, data };
}

/** What `expect(...).rejects.toEqual` and `expect(...).toThrow` compare an error of the addon with. */
export function failure(code: NativeErrorCode, message: RegExp = /./): Error {
  return expect.objectContaining({ code, message: expect.stringMatching(message) });
}

/** The value of `promise`, which must be the only one. */
export async function only(promise: Promise<NativeTensor[]>): Promise<NativeTensor> {
  const [tensor, ...rest] = await promise;
  expect(rest).toEqual([]);
  if (!tensor) throw new Error('no output');
  return tensor;
}

/** x → y of one type and any shape of this rank. */
export function identityModel(type: ElementType = 'float32', rank = 1): Uint8Array {
  const shape = Array.from({ length: rank }, (_, i) => `d${i}`);
  return encode({
    inputs: [{ name: 'x', type, shape }],
    outputs: [{ name: 'y', type, shape }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
}

/** x [n] → y_i = x + i for every i below `count`. */
export function fanModel(count: number): Uint8Array {
  const indices = Array.from({ length: count }, (_, i) => i);
  return encode({
    inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
    outputs: indices.map((i) => ({ name: `y${i}`, type: 'float32', shape: ['n'] })),
    nodes: indices.map((i) => ({ op: 'Add', inputs: ['x', `c${i}`], outputs: [`y${i}`] })),
    initializers: indices.map((i) => ({
      name: `c${i}`,
      type: 'float32',
      dims: [1],
      data: Float32Array.of(i),
    })),
  });
}

interface CpuRun extends NativeRun {
  readonly outputs: Promise<NativeTensor[]>;
}

/** A run whose outputs come to ordinary memory. */
export function start(
  session: NativeSession,
  inputs: readonly NativeInput[],
  names: readonly string[],
): CpuRun {
  const run = session.run(
    inputs,
    names.map((name) => ({ name, location: 'cpu' })),
  );
  return { ...run, outputs: run.outputs as Promise<NativeTensor[]> };
}

/** The output y of a model with one input. */
export function run(session: NativeSession, input: NativeInput): Promise<NativeTensor> {
  return only(start(session, [input], ['y']).outputs);
}

/** x [n, n] → y = xᵏ by `nodes` products of matrices: the time of a run is that of n³. */
export function chainModel(nodes = 400): Uint8Array {
  const shape = ['n', 'n'];
  return encode({
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: [{ name: 'y', type: 'float32', shape }],
    nodes: Array.from({ length: nodes }, (_, i) => ({
      op: 'MatMul',
      inputs: ['x', i === 0 ? 'x' : `t${i - 1}`],
      outputs: [i === nodes - 1 ? 'y' : `t${i}`],
    })),
  });
}

/** With `chainModel()`: several seconds if left alone, some ten milliseconds per node. */
export const longSize = 1024;

export function chainModelFile(): string {
  const file = join(temporaryFolder(), 'chain.onnx');
  writeFileSync(file, chainModel());
  return file;
}

/** The identity matrix goes through the chain unchanged. */
export function startChain(session: NativeSession, size: number): CpuRun {
  const identity = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  return start(session, [float32('x', [size, size], identity)], ['y']);
}

/** Collects garbage until finalizers have run, which Node-API does on later turns of the event loop. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 4; ++i) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
