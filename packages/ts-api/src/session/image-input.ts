import { TlscError } from '../errors.js';
import { showShape } from './feeds.js';
import { type ImageLayout, layoutOf } from './image-layout.js';
import { type ImageType, imageTypes, isImageType } from './image-tensors.js';
import type { InferenceSession, ValueMetadata } from './inference-session.js';

type TensorMetadata = Extract<ValueMetadata, { isTensor: true }>;

/** What a model says of the images that it takes. */
export interface ImageInput extends TensorMetadata {
  readonly type: ImageType;
  readonly layout: ImageLayout;
}

/** The one input of a model that takes images, N×C×H×W or N×H×W×C in float32 or float16. Throws ERR_UNSUPPORTED_MODEL, which says what it takes instead. */
export function imageInputOf(session: InferenceSession, model: string): ImageInput {
  const refuse = (why: string) => new TlscError('ERR_UNSUPPORTED_MODEL', `${model} ${why}`);
  const [input, ...others] = session.inputMetadata;
  if (!input || others.length > 0) {
    throw refuse(`must have one input, an image; it has ${session.inputNames.join(', ') || 'none'}`);
  }
  if (!input.isTensor || input.shape.length !== 4) {
    const what = input.isTensor ? `of shape ${showShape(input.shape)}` : 'no tensor';
    throw refuse(`must have one input, an image N×C×H×W or N×H×W×C; its input ${input.name} is ${what}`);
  }
  const { type } = input;
  if (!isImageType(type)) {
    throw refuse(`takes ${type || 'other'} images; only ${imageTypes.join(' and ')} can be handled`);
  }
  return { ...input, type, layout: layoutOf(input.shape) };
}
