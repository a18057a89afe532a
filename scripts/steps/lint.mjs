// One formatter and linter per language: Biome for TypeScript, clang-format for C++.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root, run } from '../lib.mjs';
import { checkIncludes } from './includes.mjs';

const requireFrom = createRequire(join(root, 'package.json'));

function cppFiles() {
  const folders = ['cpp', join('packages', 'core-native', 'src')];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => /\.(h|cc|cu|cuh)$/.test(name) && !/(^|[\\/])build[\\/]/.test(name))
      .map((name) => join(folder, name)),
  );
}

function clangFormat(...args) {
  run(process.execPath, [requireFrom.resolve('clang-format/index.js'), ...args, ...cppFiles()], {
    advice: 'npm run format puts it right.',
  });
}

function biome(...args) {
  run(process.execPath, [requireFrom.resolve('@biomejs/biome/bin/biome'), ...args], {
    advice: 'npm run format puts formatting and import order right.',
  });
}

export function lint() {
  biome('check', '--error-on-warnings');
  clangFormat('--dry-run', '-Werror');
  checkIncludes(cppFiles());
}

export function format() {
  biome('check', '--write');
  clangFormat('-i');
}
