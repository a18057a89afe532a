import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NativeErrorCode, nativeError } from './errors.js';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const runtimeFile = {
  win32: /^onnxruntime\.dll$/,
  darwin: /^libonnxruntime(\.\d+)*\.dylib$/,
  linux: /^libonnxruntime\.so(\.\d+)*$/,
}[process.platform as string];

/** What the kernels of an operator library run on; ONNX Runtime takes one library per session. */
export type OperatorsPlatform = 'cpu' | 'cuda';

function operatorsFile(platform: OperatorsPlatform): string {
  const stem = platform === 'cuda' ? 'tlsc_ops_cuda' : 'tlsc_ops';
  return { win32: `${stem}.dll`, darwin: `lib${stem}.dylib` }[process.platform as string] ?? `lib${stem}.so`;
}

/** The library in `place`, which is the file itself or the folder that holds it. */
function libraryIn(place: string, pattern: RegExp | undefined): string | undefined {
  if (!existsSync(place)) return undefined;
  if (!statSync(place).isDirectory()) return place;
  const name = readdirSync(place).find((entry) => pattern?.test(entry));
  return name && join(place, name);
}

function named(
  place: string,
  source: string,
  pattern: RegExp | undefined,
  code: NativeErrorCode,
  what: string,
): string {
  const file = libraryIn(resolve(place), pattern);
  if (file) return file;
  throw nativeError(code, `no ${what} at ${place} (named by ${source})`);
}

/** The folder in which onnxruntime-node carries ONNX Runtime for this platform. */
function packagedRuntime(): string {
  let manifest: string;
  try {
    manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  } catch (cause) {
    throw nativeError('ERR_RUNTIME_NOT_FOUND', 'the package onnxruntime-node is not installed', cause);
  }
  return join(dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch);
}

/**
 * The file of the ONNX Runtime library: the one named by the caller (file or folder), else by the environment variable
 * TLSC_ONNXRUNTIME, else the one that the package onnxruntime-node carries. Throws ERR_RUNTIME_NOT_FOUND.
 */
export function findRuntime(place?: string): string {
  const code = 'ERR_RUNTIME_NOT_FOUND';
  const what = 'ONNX Runtime library';
  if (place) return named(place, 'the option onnxruntime', runtimeFile, code, what);
  const variable = process.env.TLSC_ONNXRUNTIME;
  if (variable) return named(variable, 'TLSC_ONNXRUNTIME', runtimeFile, code, what);
  return named(packagedRuntime(), 'the package onnxruntime-node', runtimeFile, code, what);
}

/** `place`, or the folder that it lies in where it is the library for another platform. */
function folderOfAnother(place: string, platform: OperatorsPlatform): string {
  const another = operatorsFile(platform === 'cuda' ? 'cpu' : 'cuda');
  return basename(place) === another ? dirname(place) : place;
}

/**
 * The file of tlsc's operator library for `platform`: the one named by the caller (file or folder), else by TLSC_OPERATORS,
 * else the one built beside the addon. Where the library for the other platform is named, this one is looked for beside it.
 * Throws ERR_OPERATORS_NOT_FOUND.
 */
export function findOperators(platform: OperatorsPlatform = 'cpu', place?: string): string {
  const file = operatorsFile(platform);
  const find = (where: string, source: string) =>
    named(
      folderOfAnother(where, platform),
      source,
      new RegExp(`^${file.replace('.', '\\.')}$`),
      'ERR_OPERATORS_NOT_FOUND',
      `operator library (${file})`,
    );
  if (place) return find(place, 'the option operatorLibrary');
  const variable = process.env.TLSC_OPERATORS;
  if (variable) return find(variable, 'TLSC_OPERATORS');
  const task = platform === 'cuda' ? 'npm run cuda' : 'npm run setup';
  return find(
    join(packageRoot, 'build', 'Release'),
    `@tlsc/core-native; "${task}" in the repository builds it`,
  );
}
