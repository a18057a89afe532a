import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CudaDescription } from '@tlsc/core-native';

function driverProblems({ driverProblem, devices }: CudaDescription, deviceId: number): string[] {
  if (driverProblem)
    return [`NVIDIA's driver does not work (${driverProblem}); install the one for the card, or mend it`];
  if (deviceId < devices.length) return [];
  const names = devices.map(({ name }, id) => `${id} (${name})`).join(', ');
  return [`there is no card ${deviceId}; the driver has ${names || 'none'}`];
}

/** How to come by ONNX Runtime's libraries for CUDA: onnxruntime-node's own script brings them on Linux, where it has any. */
export function remedyFor(runtimePath: string): string {
  const other =
    'name a GPU build of ONNX Runtime in TLSC_ONNXRUNTIME (on Linux x64 "npm install onnxruntime-node --onnxruntime-node-install=cuda12" ' +
    'brings one, and TLSC_ONNXRUNTIME=onnxruntime-node names it)';
  // The library lies in bin/napi-v6/<platform>/<processor> of the package.
  const script = join(dirname(runtimePath), '..', '..', '..', '..', 'script', 'install.js');
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(script)) return other;
  return `\`node ${script} --onnxruntime-node-install=cuda12\` brings it; or ${other}`;
}

/** The library of CUDA that ONNX Runtime's library needs and the system does not find, as the one or the other system says it. */
function missingDependency(problem: string): string | undefined {
  const name =
    problem.match(/([\w.-]+\.so[\w.]*): cannot open/)?.[1] ?? problem.match(/depends on "([^"]+)"/)?.[1];
  return name?.includes('onnxruntime_providers') ? undefined : name;
}

/** Without the place in ONNX Runtime's source that its messages begin with. */
function essence(problem: string): string {
  return problem.replace(/^.*\[ONNXRuntimeError\] : \d+ : \w+ : /s, '').trim();
}

function libraryProblems({ providerProblem, cudnnProblem }: CudaDescription, without: string): string[] {
  const problems: string[] = [];
  if (providerProblem) {
    const dependency = missingDependency(providerProblem);
    const remedy = dependency
      ? `install the libraries of CUDA that have ${dependency}, in a folder that the system looks in`
      : without;
    problems.push(`ONNX Runtime's library for CUDA does not load (${essence(providerProblem)}); ${remedy}`);
  }
  if (cudnnProblem) {
    problems.push(
      `cuDNN 9 does not load (${cudnnProblem}); install it, in a folder that the system looks in`,
    );
  }
  return problems;
}

/**
 * What sessions on this card lack, each with its remedy (`without`: that for ONNX Runtime's own library); empty where nothing
 * is known to be missing.
 */
export function cudaProblems(found: CudaDescription, deviceId: number, without: string): string[] {
  return [...driverProblems(found, deviceId), ...libraryProblems(found, without)];
}
