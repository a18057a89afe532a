import { describe, expect, it } from 'vitest';
import { toProviders } from './providers.js';

describe('execution providers', () => {
  it('are names, or objects with options as ONNX Runtime spells them', () => {
    const all = {
      name: 'cuda',
      deviceId: 1,
      gpuMemLimit: 2 ** 33,
      arenaExtendStrategy: 'kSameAsRequested',
      cudnnConvAlgoSearch: 'EXHAUSTIVE',
      useTf32: false,
    } as const;
    expect(toProviders([all, 'cpu'])).toEqual([
      {
        name: 'cuda',
        options: {
          device_id: '1',
          gpu_mem_limit: '8589934592',
          arena_extend_strategy: 'kSameAsRequested',
          cudnn_conv_algo_search: 'EXHAUSTIVE',
          use_tf32: '0',
        },
      },
      { name: 'cpu', options: {} },
    ]);
    expect(toProviders([{ name: 'CoreML', EnableOnSubgraph: true, level: 3 }])).toEqual([
      { name: 'CoreML', options: { EnableOnSubgraph: 'true', level: '3' } },
    ]);
  });

  it('search for no convolution anew at every size of image, unless told to', () => {
    expect(toProviders(['cuda'])).toEqual([
      { name: 'cuda', options: { cudnn_conv_algo_search: 'HEURISTIC' } },
    ]);
  });

  it('go by the names that ONNX Runtime has for them, too', () => {
    const names = (list: string[]) => toProviders(list).map(({ name }) => name);
    expect(names(['CUDAExecutionProvider', 'CPUExecutionProvider'])).toEqual(['cuda', 'cpu']);
    expect(names(['CUDA', 'CPU'])).toEqual(['cuda', 'cpu']);
  });

  it('end with the CPU, which leaves the others nothing', () => {
    expect(toProviders(['CoreML', 'cpu', 'cuda']).map(({ name }) => name)).toEqual(['CoreML', 'cpu']);
  });

  it.each<[unknown, string]>([
    ['cpu', 'executionProviders'],
    [[], 'executionProviders'],
    [[null], 'executionProviders'],
    [[7], 'executionProviders'],
    [[''], 'executionProviders'],
    [[{ deviceId: 0 }], 'executionProviders'],
    [['cuda', { name: 'cuda', deviceId: 1 }], 'executionProviders'],
    [[{ name: 'cpu', threads: 2 }], 'executionProviders'],
    [[{ name: 'cuda', device_id: 0 }], 'options'],
    [[{ name: 'cuda', deviceId: -1 }], 'deviceId'],
    [[{ name: 'cuda', deviceId: '0' }], 'deviceId'],
    [[{ name: 'cuda', gpuMemLimit: 0 }], 'gpuMemLimit'],
    [[{ name: 'cuda', arenaExtendStrategy: 'kLarge' }], 'arenaExtendStrategy'],
    [[{ name: 'cuda', cudnnConvAlgoSearch: 'heuristic' }], 'cudnnConvAlgoSearch'],
    [[{ name: 'cuda', useTf32: 1 }], 'useTf32'],
  ])('are refused: %j, and %s is named', (list, parameter) => {
    expect(() => toProviders(list)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', parameter }),
    );
  });
});
