// Which models lie in a folder, and what they are called.
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TlscError } from '@tlsc/api';

/** A file, and what tells whether it has changed. */
export interface ModelFile {
  readonly path: string;
  readonly state: string;
}

/** Names stand in URLs, and are never paths. */
const isName = /^[A-Za-z0-9][\w.-]{0,127}$/;

const localEnding = /\.local$/;

/** What the original of a converted model is called that lies beside it. */
export function originalOf(name: string): string {
  return `${name}.original`;
}

async function onnxFilesAt(path: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (cause: unknown) => {
      throw new TlscError('ERR_MODEL_NOT_FOUND', `there is no ${path}`, { cause });
    },
  );
  if (!isFolder) return [path];
  const names = await readdir(path);
  return names.filter((name) => /\.onnx$/i.test(name)).map((name) => join(path, name));
}

/**
 * Models by name: `nafnet.local.onnx` is nafnet, and so is `nafnet.onnx`, unless both are there; then that one is nafnet.original. Throws
 * ERR_MODEL_NOT_FOUND, or ERR_INVALID_ARGUMENT where two have one name, or a name cannot stand in a URL.
 */
export async function findModels(paths: readonly string[]): Promise<ReadonlyMap<string, ModelFile>> {
  const files = (await Promise.all(paths.map(onnxFilesAt))).flat().sort();
  const stems = files.map((path) => basename(path).replace(/\.onnx$/i, ''));
  const converted = new Set(
    stems.filter((stem) => localEnding.test(stem)).map((stem) => stem.replace(localEnding, '')),
  );
  const models = new Map<string, ModelFile>();
  for (const [i, path] of files.entries()) {
    const stem = stems[i] as string;
    const isOriginal = converted.has(stem);
    const name = isOriginal ? originalOf(stem) : stem.replace(localEnding, '');
    if (!isName.test(name))
      throw new TlscError(
        'ERR_INVALID_ARGUMENT',
        `${path}: models are called by their files, of letters, digits and . _ - alone`,
      );
    const other = models.get(name);
    if (other)
      throw new TlscError('ERR_INVALID_ARGUMENT', `${path} and ${other.path} would both be called ${name}`);
    const { mtimeMs, size } = await stat(path);
    models.set(name, { path, state: `${mtimeMs} ${size}` });
  }
  return models;
}
