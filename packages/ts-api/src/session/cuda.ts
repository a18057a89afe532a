import type { CudaDescription } from '@tlsc/core-native';

function driverProblems({ driverProblem, devices }: CudaDescription, deviceId: number): string[] {
  if (driverProblem)
    return [`NVIDIA's driver does not work (${driverProblem}); install the one for the card, or mend it`];
  if (deviceId < devices.length) return [];
  const names = devices.map(({ name }, id) => `${id} (${name})`).join(', ');
  return [`there is no card ${deviceId}; the driver has ${names || 'none'}`];
}

const withoutLibrary =
  'on Linux `node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12` brings it; or name a GPU build of ONNX Runtime in TLSC_ONNXRUNTIME';

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

function libraryProblems({ providerProblem, cudnnProblem }: CudaDescription): string[] {
  const problems: string[] = [];
  if (providerProblem) {
    const dependency = missingDependency(providerProblem);
    const remedy = dependency
      ? `install the libraries of CUDA that have ${dependency}, in a folder that the system looks in`
      : withoutLibrary;
    problems.push(`ONNX Runtime's library for CUDA does not load (${essence(providerProblem)}); ${remedy}`);
  }
  if (cudnnProblem) {
    problems.push(
      `cuDNN 9 does not load (${cudnnProblem}); install it, in a folder that the system looks in`,
    );
  }
  return problems;
}

/** What sessions on this card lack, each with its remedy; empty where nothing is known to be missing. */
export function cudaProblems(found: CudaDescription, deviceId: number): string[] {
  return [...driverProblems(found, deviceId), ...libraryProblems(found)];
}
