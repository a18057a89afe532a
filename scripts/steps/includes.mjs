// The arrows between the C++ folders point one way: addon -> gate, kernels; ort -> kernels, cuda -> base.
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { Failure, root } from '../lib.mjs';

const mayInclude = {
  'cpp/base': ['base'],
  'cpp/gate': ['gate'],
  'cpp/kernels': ['base', 'kernels'],
  'cpp/cuda': ['base', 'kernels', 'cuda'],
  'cpp/ort': ['base', 'kernels', 'cuda', 'ort'],
  'cpp/fuzz': ['base', 'gate', 'kernels', 'ort', 'fuzz'],
  'packages/core-native/src': ['base', 'gate', 'kernels'],
};
const runtimeHeaders = /^(onnxruntime_|napi|node_api)/;
const mayIncludeRuntime = ['cpp/ort', 'cpp/fuzz', 'packages/core-native/src'];

export function checkIncludes(files) {
  const wrong = [];
  for (const file of files) {
    const path = file.split(sep).join('/');
    const home = Object.keys(mayInclude).find((folder) => path.startsWith(`${folder}/`));
    if (!home) continue;
    for (const [, header] of readFileSync(join(root, file), 'utf8').matchAll(
      /^\s*#include ["<]([^">]+)[">]/gm,
    )) {
      const folder = header.match(/^(base|gate|kernels|cuda|ort|fuzz)\//)?.[1];
      if (folder && !mayInclude[home].includes(folder)) wrong.push(`${path} includes ${header}`);
      if (runtimeHeaders.test(header) && !mayIncludeRuntime.includes(home))
        wrong.push(`${path} includes ${header}`);
    }
  }
  if (wrong.length > 0)
    throw new Failure(`includes against the layout's direction:\n  ${wrong.join('\n  ')}`);
}
