import { TlscError } from '../errors.js';
import { showShape } from './feeds.js';
import { type ImageLayout, layoutOf } from './image-layout.js';
import { type ImageType, imageTypes, isImageType } from './image-tensors.js';
import type { InferenceSession, ValueMetadata } from './inference-session.js';

export type TensorMetadata = Extract<ValueMetadata, { isTensor: true }>;

/** What a model says of the images that it takes. */
export interface ImageInput extends TensorMetadata {
  readonly type: ImageType;
  readonly layout: ImageLayout;
}

/**
 * The input of a model that takes the photo, N×C×H×W or N×H×W×C in float32 or float16: the only one but for those in `given`. Throws
 * ERR_UNSUPPORTED_MODEL, which says what it takes instead, or ERR_INVALID_ARGUMENT where inputs are missing in `given`, or unknown.
 */
export function imageInputOf(session: InferenceSession, model: string, given: readonly string[]): ImageInput {
  const refuse = (why: string) => new TlscError('ERR_UNSUPPORTED_MODEL', `${model} ${why}`);
  const names = session.inputNames.join(', ') || 'none';
  const unknown = given.find((name) => !session.inputNames.includes(name));
  if (unknown !== undefined)
    throw inputsError(`${model} has no input ${unknown}; its inputs are ${names}`, unknown);
  const [input, ...others] = session.inputMetadata.filter(({ name }) => !given.includes(name));
  if (!input) throw refuse(`must have one more input, an image; it has ${names}`);
  if (others.length > 0) {
    const message = `${model} has the inputs ${names}; all but the photo's must be given by the option inputs`;
    throw inputsError(message, names);
  }
  if (!input.isTensor || input.shape.length !== 4) {
    const what = input.isTensor ? `of shape ${showShape(input.shape)}` : 'no tensor';
    throw refuse(`must take an image N×C×H×W or N×H×W×C; its input ${input.name} is ${what}`);
  }
  const { type } = input;
  if (!isImageType(type)) {
    throw refuse(`takes ${type || 'other'} images; only ${imageTypes.join(' and ')} can be handled`);
  }
  return { ...input, type, layout: layoutOf(input.shape) };
}

function inputsError(message: string, received: string): TlscError {
  return new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'inputs', received });
}
