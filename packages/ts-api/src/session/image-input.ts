import { TlscError } from '../errors.js';
import { showShape } from './feeds.js';
import type { InferenceSession, ValueMetadata } from './inference-session.js';

export type TensorMetadata = Extract<ValueMetadata, { isTensor: true }>;

/** The one input of a model that takes float32 images, N×C×H×W. Throws ERR_UNSUPPORTED_MODEL, which says what it takes instead. */
export function imageInputOf(session: InferenceSession, model: string): TensorMetadata {
  const refuse = (why: string) => new TlscError('ERR_UNSUPPORTED_MODEL', `${model} ${why}`);
  const [input, ...others] = session.inputMetadata;
  if (!input || others.length > 0) {
    throw refuse(`must have one input, an image; it has ${session.inputNames.join(', ') || 'none'}`);
  }
  if (!input.isTensor || input.shape.length !== 4) {
    const what = input.isTensor ? `of shape ${showShape(input.shape)}` : 'no tensor';
    throw refuse(`must have one input, an image N×C×H×W; its input ${input.name} is ${what}`);
  }
  if (input.type !== 'float32')
    throw refuse(`takes ${input.type} images; only float32 can be handled so far`);
  return input;
}
