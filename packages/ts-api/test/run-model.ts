import type { Tensor } from 'onnxruntime-common';
import { floatsOf } from '../src/session/image-tensors.js';
import { InferenceSession } from '../src/session/inference-session.js';
import type { Operators } from './evaluate-operator.js';

/** What a model makes of the image x: the values of its output y, float32 or float16. */
export async function runModel(model: Uint8Array, x: Tensor, operators: Operators): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { operators });
  const { y } = await session.run({ x });
  await session.release();
  return (await floatsOf(y as Tensor)) as Float32Array;
}
