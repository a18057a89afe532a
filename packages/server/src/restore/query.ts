import type { PoolRestoreFileOptions } from '@tlsc/api';
import { RequestError } from '../errors.js';
import { type FormatName, formatNames } from './formats.js';

/** What a client may say of a photo, in the query. */
export interface RestoreQuery {
  readonly format?: FormatName;
  readonly quality?: number;
  readonly lossless?: boolean;
  readonly strip?: boolean;
  readonly page?: number;
  readonly output?: string;
  readonly range?: string;
  readonly gray?: 'rgb';
  readonly channels?: 'rgb' | 'bgr' | 'gray' | 'y';
  readonly halo?: number;
  readonly exact?: boolean;
  readonly input?: readonly string[];
  readonly deadline?: number;
}

/** The same in JSON Schema. */
export const restoreQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    format: { type: 'string', enum: formatNames, description: 'What to answer with; stands above Accept.' },
    quality: { type: 'integer', minimum: 1, maximum: 100, description: 'Of JPEG, WebP and AVIF.' },
    lossless: { type: 'boolean', description: 'Have WebP and AVIF lose nothing.' },
    strip: { type: 'boolean', description: 'Leave out EXIF, XMP and density.' },
    page: { type: 'integer', minimum: 0, description: 'The frame or page to restore; all unless given.' },
    output: { type: 'string', description: 'The output that is the image, where the model has several.' },
    range: {
      type: 'string',
      pattern: '^-?\\d+(\\.\\d+)?\\.\\.-?\\d+(\\.\\d+)?$',
      description: 'Black and white, as the network wants them: 0..255 for example.',
    },
    gray: { type: 'string', enum: ['rgb'], description: 'Give gray photos to a network for colours.' },
    channels: { type: 'string', enum: ['rgb', 'bgr', 'gray', 'y'], description: 'What the network takes.' },
    halo: { type: 'integer', minimum: 0, maximum: 65536, description: 'Pixels seen around a piece.' },
    exact: { type: 'boolean', description: 'Have pieces see all that their pixels depend on.' },
    input: {
      type: 'array',
      items: { type: 'string', pattern: '^[^=]+=-?\\d+(\\.\\d+)?$' },
      maxItems: 16,
      description: 'A number for another input of the model: NAME=NUMBER.',
    },
    deadline: {
      type: 'integer',
      minimum: 1,
      maximum: 3_600_000,
      description: 'Milliseconds after which the result is of no use any more.',
    },
  },
} as const;

function rangeOf(text: string): readonly [number, number] {
  const [black = 0, white = 0] = text.split('..').map(Number);
  if (black < white) return [black, white];
  throw new RequestError(400, 'ERR_INVALID_ARGUMENT', `range must be BLACK..WHITE, not ${text}`);
}

function inputsOf(given: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.lastIndexOf('=');
      return [text.slice(0, at), Number(text.slice(at + 1))];
    }),
  );
}

/** What a query says, as a pool wants it. */
export function optionsIn(query: RestoreQuery): PoolRestoreFileOptions {
  const { format: _, range, input, ...rest } = query;
  return { ...rest, ...(range && { range: rangeOf(range) }), ...(input && { inputs: inputsOf(input) }) };
}
