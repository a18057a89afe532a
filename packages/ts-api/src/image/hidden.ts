// Colours that nobody sees, under an alpha of 0.
import { asItIs, copyImage, fillHidden } from '../session/copy-image.js';
import { alphaMemory } from './encode.js';
import { memoryOf, type Picture, photoOf, pictureOf } from './photo.js';

/** The picture with such colours made up of visible ones around them, so that they get neither into these nor into the mean of a window. */
export async function withoutHidden(picture: Picture): Promise<Picture> {
  const { alpha } = picture.rest;
  if (!alpha?.includes(0)) return picture;
  const { height, width } = picture.pixels;
  const photo = await photoOf(picture);
  const given = alphaMemory(alpha, height, width);
  await fillHidden(memoryOf(photo), await copyImage(given, [asItIs(0)], given));
  return pictureOf(photo);
}
