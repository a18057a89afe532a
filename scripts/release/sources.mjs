// What binaries are made of, as one hash: it is kept beside them, and packing compares.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { root } from '../lib.mjs';

const places = [
  'cpp',
  join('packages', 'core-native', 'CMakeLists.txt'),
  join('packages', 'core-native', 'package.json'),
  join('packages', 'core-native', 'src'),
  join('scripts', 'release', 'linux-compilers.mjs'),
  join('scripts', 'release', 'onnxruntime-library.mjs'),
  join('scripts', 'release', 'prebuilds.mjs'),
];
const elsewhere = ['build', 'fuzz'].map((name) => join('cpp', name) + sep);

function filesIn(place) {
  if (/\.\w+$/.test(place)) return [place];
  return readdirSync(join(root, place), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

export function hashOfSources() {
  const files = places
    .flatMap(filesIn)
    .filter((file) => !elsewhere.some((folder) => file.startsWith(folder)));
  const hash = createHash('sha256');
  for (const file of files.sort())
    hash.update(`${file.replaceAll(sep, '/')}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}
