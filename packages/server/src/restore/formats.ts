import type { ImageExtension } from '@tlsc/api';
import { RequestError } from '../errors.js';

/** By the names that clients may use. */
const types = {
  png: { extension: '.png', type: 'image/png' },
  jpeg: { extension: '.jpg', type: 'image/jpeg' },
  jpg: { extension: '.jpg', type: 'image/jpeg' },
  webp: { extension: '.webp', type: 'image/webp' },
  avif: { extension: '.avif', type: 'image/avif' },
  tiff: { extension: '.tif', type: 'image/tiff' },
  tif: { extension: '.tif', type: 'image/tiff' },
  gif: { extension: '.gif', type: 'image/gif' },
} as const satisfies Record<string, { extension: ImageExtension; type: string }>;

export type FormatName = keyof typeof types;

/** What an image is answered as. */
export interface Format {
  readonly extension: ImageExtension;
  readonly type: string;
}

export const formatNames = Object.keys(types) as readonly FormatName[];

/** Of images, as HTTP has them. */
export const imageTypes = [...new Set(Object.values(types).map(({ type }) => type))];

function ofType(type: string): Format | undefined {
  return Object.values(types).find((one) => one.type === type);
}

interface Accepted {
  readonly type: string;
  readonly quality: number;
}

function acceptedIn(header: string): Accepted[] {
  return header
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { type, quality: q === undefined ? 1 : Number(q) || 0 };
    })
    .filter(({ type, quality }) => type !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality);
}

/**
 * What to answer with: the one that is asked for by name; else the first that `Accept` names; else, where it takes any image, the type of
 * the image that came, and PNG where that is none of ours. Throws (406) where it takes none of ours.
 */
export function chooseFormat(
  named: FormatName | undefined,
  accept: string | undefined,
  contentType: string | undefined,
): Format {
  if (named) return types[named];
  const accepted = acceptedIn(accept ?? '*/*');
  const chosen = accepted.map(({ type }) => ofType(type)).find((format) => format !== undefined);
  if (chosen) return chosen;
  const isAny = accepted.length === 0 || accepted.some(({ type }) => type === '*/*' || type === 'image/*');
  if (!isAny)
    throw new RequestError(406, 'ERR_NOT_ACCEPTABLE', `images can be had as ${imageTypes.join(', ')}`);
  const [came = ''] = (contentType ?? '').split(';');
  return ofType(came.trim().toLowerCase()) ?? types.png;
}
