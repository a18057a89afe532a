// Colours that nobody sees, under an alpha of 0.
import { asItIs, copyImage, fillHidden, summarize } from '../session/copy-image.js';
import { alphaMemory } from './file-pixels.js';
import { memoryOf, type Picture, photoOf, pictureOf } from './photo.js';

/** The picture with such colours made up of visible ones around them, so that they get neither into these nor into the mean of a window. */
export async function withoutHidden(picture: Picture): Promise<Picture> {
  const { alpha } = picture.rest;
  if (!alpha) return picture;
  const { height, width } = picture.pixels;
  const given = alphaMemory(alpha, height, width);
  if ((await summarize(given, [asItIs(0)])).least > 0) return picture;
  const photo = await photoOf(picture);
  const { type, channelsLast } = given;
  await fillHidden(
    memoryOf(photo),
    await copyImage(given, [asItIs(0)], { type, channelsLast, height, width }),
  );
  return pictureOf(photo);
}
