// What mutated inputs and rough treatment do to tlsc. Models and images, and the soak, are compiled with the `test` project.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure, root, run } from '../lib.mjs';
import { fuzzKernels } from './native.mjs';

const compiled = join(root, 'test', 'dist');

function secondsIn(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '300' } } });
  const seconds = Number(values.seconds);
  if (seconds >= 1) return seconds;
  throw new Failure(`--seconds: expected a number from 1 on, received ${values.seconds}`);
}

function fuzzFiles(kind, args) {
  run(process.execPath, [join(compiled, 'fuzz', `${kind}.js`), ...args]);
}

/** A kind and its options (those of files: test/fuzz/options.ts), or `--seconds` for all kinds together. */
export async function fuzz(args) {
  const [kind, ...others] = args;
  if (kind === 'models' || kind === 'images') fuzzFiles(kind, others);
  else if (kind === 'kernels') await fuzzKernels(secondsIn(others));
  else if (kind === undefined || kind.startsWith('-')) {
    const each = Math.ceil(secondsIn(args) / 3);
    await fuzzKernels(each);
    for (const files of ['models', 'images']) fuzzFiles(files, ['--seconds', String(each)]);
  } else throw new Failure(`cannot fuzz ${kind}`, 'Kinds: kernels, models, images; none means all.');
}

export function soak(args) {
  run(process.execPath, ['--expose-gc', join(compiled, 'soak', 'soak.js'), ...args]);
}
