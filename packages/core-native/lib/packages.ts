import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const requireHere = createRequire(import.meta.url);

/** The folder of an installed package that this one may use; undefined where it is not installed. */
export function folderOfPackage(name: string): string | undefined {
  try {
    return dirname(requireHere.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The version of the package in a folder. */
export function versionOf(folder: string): string {
  return (requireHere(join(folder, 'package.json')) as { version: string }).version;
}

/** The addon that lies in a package by node-gyp-build's rules: built there, else prebuilt; undefined where none fits. */
export function addonIn(folder: string): string | undefined {
  try {
    const nodeGypBuild = requireHere('node-gyp-build') as { path(folder: string): string };
    const file = nodeGypBuild.path(folder);
    // It looks beside the program, too, where any other addon may lie.
    return file.startsWith(join(folder, sep)) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** Loads a CommonJS module or an addon. */
export function load(file: string): unknown {
  return requireHere(file);
}
