import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { findAddon } from './addon.js';
import { type NativeErrorCode, nativeError } from './errors.js';
import { folderOfPackage, packageRoot, versionOf } from './packages.js';
import { cudaPackage, type OperatorsPlatform, operatorsFile, runtimeFile } from './platforms.js';

const runtimePackage = 'onnxruntime-node';

/** What a library is called in messages, how its file is, and the code of the error where there is none. */
interface Kind {
  readonly what: string;
  readonly isFile: (name: string) => boolean;
  readonly code: NativeErrorCode;
}

const runtimeKind: Kind = {
  what: 'ONNX Runtime library',
  isFile: (name) => runtimeFile(process.platform).test(name),
  code: 'ERR_RUNTIME_NOT_FOUND',
};

function operatorsKind(platform: OperatorsPlatform): Kind {
  const file = operatorsFile(process.platform, platform);
  return {
    what: `operator library (${file})`,
    isFile: (name) => name === file,
    code: 'ERR_OPERATORS_NOT_FOUND',
  };
}

/** The library in `place`, which is the file itself or the folder that holds it. */
function libraryIn(place: string, { isFile }: Kind): string | undefined {
  if (!existsSync(place)) return undefined;
  if (!statSync(place).isDirectory()) return place;
  const name = readdirSync(place).find(isFile);
  return name && join(place, name);
}

function named(place: string, source: string, kind: Kind): string {
  const file = libraryIn(resolve(place), kind);
  if (file) return file;
  throw nativeError(kind.code, `no ${kind.what} at ${place} (named by ${source})`);
}

/** Where onnxruntime-node carries ONNX Runtime for this platform. */
function runtimeOfPackage(folder: string): string | undefined {
  return libraryIn(join(folder, 'bin', 'napi-v6', process.platform, process.arch), runtimeKind);
}

/** A file, a folder, the folder of onnxruntime-node, or that word, which means the installed one whatever lies in the working folder. */
function namedRuntime(place: string, source: string): string {
  const folder = place === runtimePackage ? folderOfPackage(runtimePackage) : resolve(place);
  if (folder === undefined)
    throw nativeError(
      'ERR_RUNTIME_NOT_FOUND',
      `the package ${runtimePackage} (named by ${source}) is not installed`,
    );
  return runtimeOfPackage(folder) ?? named(folder, source, runtimeKind);
}

/**
 * The file of the ONNX Runtime library: the one named by the caller (a file, a folder, or 'onnxruntime-node' for that package),
 * else by the environment variable TLSC_ONNXRUNTIME, else the one beside the addon, else (in a checkout) onnxruntime-node's.
 * Throws ERR_RUNTIME_NOT_FOUND, or ERR_ADDON_NOT_FOUND.
 */
export function findRuntime(place?: string): string {
  if (place) return namedRuntime(place, 'the option onnxruntime');
  const variable = process.env.TLSC_ONNXRUNTIME;
  if (variable) return namedRuntime(variable, 'TLSC_ONNXRUNTIME');
  const packaged = folderOfPackage(runtimePackage);
  const file = libraryIn(dirname(findAddon()), runtimeKind) ?? (packaged && runtimeOfPackage(packaged));
  if (file) return file;
  throw nativeError(
    'ERR_RUNTIME_NOT_FOUND',
    `no ${runtimeKind.what} beside the addon, and none of an installed ${runtimePackage}; name one in TLSC_ONNXRUNTIME`,
  );
}

/** `place`, or the folder that it lies in where it is the library for another platform. */
function folderOfAnother(place: string, platform: OperatorsPlatform): string {
  const another = operatorsKind(platform === 'cuda' ? 'cpu' : 'cuda');
  return another.isFile(basename(place)) ? dirname(place) : place;
}

/** The operators of the package for cards; undefined where it is not installed. */
function packagedCudaOperators(kind: Kind): string | undefined {
  const folder = folderOfPackage(cudaPackage);
  if (folder === undefined) return undefined;
  const [theirs, ours] = [versionOf(folder), versionOf(packageRoot)];
  if (theirs !== ours)
    throw nativeError(
      kind.code,
      `${cudaPackage} has version ${theirs}, @tlsc/core-native ${ours}: "npm install ${cudaPackage}@${ours}"`,
    );
  return libraryIn(join(folder, 'prebuilds', `${process.platform}-${process.arch}`), kind);
}

/**
 * The file of tlsc's operator library for `platform`: the one named by the caller (file or folder), else by TLSC_OPERATORS,
 * else the one beside the addon or, for cards, of the package that carries it. Where the library for the other platform is named,
 * this one is looked for beside it. Throws ERR_OPERATORS_NOT_FOUND, or ERR_ADDON_NOT_FOUND.
 */
export function findOperators(platform: OperatorsPlatform = 'cpu', place?: string): string {
  const kind = operatorsKind(platform);
  if (place) return named(folderOfAnother(place, platform), 'the option operatorLibrary', kind);
  const variable = process.env.TLSC_OPERATORS;
  if (variable) return named(folderOfAnother(variable, platform), 'TLSC_OPERATORS', kind);
  const beside = dirname(findAddon());
  const found = libraryIn(beside, kind);
  if (found) return found;
  if (platform === 'cpu')
    throw nativeError(kind.code, `no ${kind.what} beside the addon in ${beside}; install it anew`);
  const packaged = packagedCudaOperators(kind);
  if (packaged) return packaged;
  throw nativeError(
    kind.code,
    `no ${kind.what}: "npm install ${cudaPackage}" brings it for Linux on x64, "npm run cuda" in a checkout of tlsc builds it`,
  );
}
