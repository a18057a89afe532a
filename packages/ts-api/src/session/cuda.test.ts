import { findRuntime } from '@tlsc/core-native';
import { describe, expect, it } from 'vitest';
import { cudaProblems, remedyFor } from './cuda.js';

const device = { name: 'NVIDIA T4', memory: 2 ** 34, computeCapability: '7.5' };
const complete = {
  driverVersion: '13.0',
  driverProblem: '',
  devices: [device],
  providerProblem: '',
  cudnnProblem: '',
};

// What ONNX Runtime says, 1.29 and 1.30 on Linux and 1.21 on Windows.
const load = '[ONNXRuntimeError] : 1 : FAIL : Failed to load library';

describe('what CUDA lacks', () => {
  it('is nothing where all is there', () => {
    expect(cudaProblems(complete, 0, 'get it')).toEqual([]);
  });

  it.each([
    [
      { driverProblem: 'libcuda.so.1: cannot open shared object file', devices: [] },
      0,
      /driver.*libcuda.*install/,
    ],
    [{}, 1, /no card 1; the driver has 0 \(NVIDIA T4\)/],
    [{ devices: [] }, 0, /no card 0; the driver has none/],
    [
      {
        providerProblem: `${load} /x/libonnxruntime_providers_shared.so with error: /x/libonnxruntime_providers_shared.so: cannot open shared object file: No such file or directory`,
      },
      0,
      /providers_shared.*; get it$/,
    ],
    [
      {
        providerProblem: `${load} /x/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file or directory`,
      },
      0,
      /install the libraries of CUDA that have libcublasLt\.so\.13/,
    ],
    [
      {
        providerProblem:
          'Error loading "C:\\x\\onnxruntime_providers_cuda.dll" which depends on "cublasLt64_12.dll" which is missing. (Error 126)',
      },
      0,
      /install the libraries of CUDA that have cublasLt64_12\.dll/,
    ],
    [
      { providerProblem: 'CUDA execution provider is not enabled in this build.' },
      0,
      /not enabled.*; get it$/,
    ],
    [{ cudnnProblem: 'libcudnn.so.9: cannot open shared object file' }, 0, /cuDNN 9 .*libcudnn.*install/],
  ])('is named, with the remedy: %j', (change, deviceId, message) => {
    expect(cudaProblems({ ...complete, ...change }, deviceId, 'get it')).toEqual([
      expect.stringMatching(message),
    ]);
  });

  it('is named whole', () => {
    const nothing = { ...complete, driverProblem: 'a', devices: [], providerProblem: 'b', cudnnProblem: 'c' };
    expect(cudaProblems(nothing, 0, 'get it')).toHaveLength(3);
  });

  it('has a remedy that fits the runtime', () => {
    expect(remedyFor('/nowhere/libonnxruntime.so.1')).toMatch(
      /^name a GPU build of ONNX Runtime in TLSC_ONNXRUNTIME/,
    );
    const linux = process.platform === 'linux' && process.arch === 'x64';
    expect(remedyFor(findRuntime()).includes('install.js --onnxruntime-node-install=cuda12')).toBe(linux);
  });
});
