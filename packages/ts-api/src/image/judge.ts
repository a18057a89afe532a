import { TlscError } from '../errors.js';
import type { ImageSummary } from '../session/copy-image.js';
import type { ValueOptions } from './values.js';

/** The share of pixels that may lie far beyond black and white. */
const mostOutside = 0.5;
/** What of a photo lies this far below black, with a mean so much darker than the photo's, is of a range that begins below 0. */
const [farBelow, muchDarker] = [-0.5, 0.3];
/** Less than one step of 8 bits between the darkest and the lightest value is one colour. */
const leastSpan = 1 / 256;

function implausible(what: string, remedy: string): TlscError {
  return new TlscError('ERR_IMPLAUSIBLE_RESULT', `${what}; ${remedy}`, { parameter: 'range' });
}

/**
 * Throws ERR_IMPLAUSIBLE_RESULT where nothing says what a network's values mean, and what it has made of values from 0 to 1 cannot be a
 * photo. `photoOf` sums up the photo itself.
 */
export async function judge(
  summary: ImageSummary,
  photoOf: () => Promise<ImageSummary>,
  values: ValueOptions,
  name: string,
): Promise<void> {
  const { range, outputRange, mean: shift, std } = values;
  if ([range, outputRange, shift, std].some((one) => one !== undefined)) return;
  const { least, greatest, outside, mean } = summary;
  const remedy =
    'say what its values mean by the option range (0..255 or -1..1 for example) or the option outputRange, the option mean and the option std, or the option channels; 0..1 for the first says that this is right';
  const shown = [least, greatest, mean].map((value) => Number(value.toPrecision(3)));
  if (outside > mostOutside)
    throw implausible(
      `the network has made values from ${shown[0]} to ${shown[1]} of ${name}, ${shown[2]} on average, where black is 0 and white 1`,
      remedy,
    );
  const looksWrong = greatest - least < leastSpan || least < farBelow;
  if (!looksWrong) return;
  const photo = await photoOf();
  if (greatest - least < leastSpan && photo.greatest - photo.least > leastSpan)
    throw implausible(`the network has made one colour of ${name}, ${shown[2]} all over`, remedy);
  if (least < farBelow && mean < photo.mean - muchDarker)
    throw implausible(
      `the network has made values from ${shown[0]} to ${shown[1]} of ${name}, much darker than it is, where black is 0 and white 1`,
      remedy,
    );
}
