// Photos of odd sizes through published networks, which the padding of photos must not change: they pad themselves.
import { InferenceSession, restore, Tensor } from '@tlsc/api';
import { describe, expect, it } from 'vitest';
import { carriedCases, otherCases, type PublishedCase } from '../fixtures/index.js';

const sizes = [
  [1, 1],
  [1, 7],
  [2, 3],
  [13, 31],
  [64, 1],
  [150, 203],
] as const;

function photoOf(channels: number, height: number, width: number) {
  const count = channels * height * width;
  const data = Float32Array.from({ length: count }, (_, i) => ((i * 2654435761) % 1000) / 1000);
  return { tensor: new Tensor('float32', data, [1, channels, height, width]), bitDepth: 8 } as const;
}

async function check({ model, input, restored_output: output, input_shape }: PublishedCase): Promise<void> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 4 });
  const channels = input_shape[1] ?? 3;
  for (const [height, width] of sizes) {
    const photo = photoOf(channels, height, width);
    const restored = await restore(session, photo, { output });
    expect(restored.tensor.dims).toEqual(photo.tensor.dims);
    const outputs = await session.run({ [input]: photo.tensor }, [output]);
    expect(restored.tensor.data).toEqual(outputs[output]?.data);
  }
  await session.release();
}

const ofFloat32 = (cases: readonly PublishedCase[]) => cases.filter(({ dtype }) => dtype === 'float32');

describe('the carried cases', () => {
  it.each(ofFloat32(carriedCases))('$name takes photos of any size', check);
});

describe.skipIf(otherCases.length === 0)('the rest of the collection', () => {
  it.each(ofFloat32(otherCases))('$name takes photos of any size', check, 60_000);
});
