import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NativeErrorCode, nativeError } from './errors.js';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const runtimeFile = {
  win32: /^onnxruntime\.dll$/,
  darwin: /^libonnxruntime(\.\d+)*\.dylib$/,
  linux: /^libonnxruntime\.so(\.\d+)*$/,
}[process.platform as string];

const operatorsFile =
  { win32: 'tlsc_ops.dll', darwin: 'libtlsc_ops.dylib' }[process.platform as string] ?? 'libtlsc_ops.so';

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
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
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

/**
 * The file of tlsc's operator library: the one named by the caller, else by TLSC_OPERATORS, else the one built beside
 * the addon. Throws ERR_OPERATORS_NOT_FOUND.
 */
export function findOperators(place?: string): string {
  const code = 'ERR_OPERATORS_NOT_FOUND';
  const pattern = new RegExp(`^${operatorsFile.replace('.', '\\.')}$`);
  const what = `operator library (${operatorsFile})`;
  if (place) return named(place, 'the option operatorLibrary', pattern, code, what);
  const variable = process.env.TLSC_OPERATORS;
  if (variable) return named(variable, 'TLSC_OPERATORS', pattern, code, what);
  return named(
    join(packageRoot, 'build', 'Release', operatorsFile),
    '@tlsc/core-native',
    pattern,
    code,
    what,
  );
}
