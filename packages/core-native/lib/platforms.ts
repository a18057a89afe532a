/** What binaries are published for, as `process.platform` and `process.arch` name it; on Linux with glibc. */
export const prebuiltPlatforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'] as const;

export type PrebuiltPlatform = (typeof prebuiltPlatforms)[number];

/** What the kernels of an operator library run on; ONNX Runtime takes one library per session. */
export type OperatorsPlatform = 'cpu' | 'cuda';

/** The package that carries the binaries for a platform: the addon, the operator library and ONNX Runtime's. */
export function packageFor(platform: string): string {
  return `@tlsc/core-native-${platform}`;
}

/** The package that carries the operators for NVIDIA cards; the only one there is. */
export const cudaPackage = '@tlsc/core-native-cuda-linux-x64';

/** The file name of ONNX Runtime's library on a platform; some builds have its version in it. */
export function runtimeFile(platform: NodeJS.Platform): RegExp {
  if (platform === 'win32') return /^onnxruntime\.dll$/;
  if (platform === 'darwin') return /^libonnxruntime(\.\d+)*\.dylib$/;
  return /^libonnxruntime\.so(\.\d+)*$/;
}

/** The file name of tlsc's operator library. */
export function operatorsFile(platform: NodeJS.Platform, operators: OperatorsPlatform): string {
  const stem = operators === 'cuda' ? 'tlsc_ops_cuda' : 'tlsc_ops';
  if (platform === 'win32') return `${stem}.dll`;
  return platform === 'darwin' ? `lib${stem}.dylib` : `lib${stem}.so`;
}
