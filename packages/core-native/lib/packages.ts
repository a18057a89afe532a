import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const requireHere = createRequire(import.meta.url);
const nodeGypBuild = requireHere('node-gyp-build') as { path(folder: string): string };

/** The folder of an installed package that this one may use; undefined where it is not installed. */
export function folderOfPackage(name: string): string | undefined {
  try {
    return dirname(requireHere.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The addon that lies in a package by node-gyp-build's rules: built there, else prebuilt; undefined where none fits. */
export function addonIn(folder: string): string | undefined {
  try {
    return nodeGypBuild.path(folder);
  } catch {
    return undefined;
  }
}

/** Loads a CommonJS module or an addon. */
export function load(file: string): unknown {
  return requireHere(file);
}
