import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { imageExtensions, TlscError } from '@tlsc/api';

/** An image and where its restored version goes. */
export interface Destination {
  readonly input: string;
  readonly output: string;
}

function isFolder(path: string): boolean {
  return /[\\/]$/.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

function isWritable(path: string): boolean {
  return imageExtensions.some((extension) => extension === extname(path).toLowerCase());
}

/** The image's own name where its format can be written, else the name as PNG. */
function nameIn(folder: string, image: string): string {
  return join(folder, isWritable(image) ? basename(image) : `${basename(image, extname(image))}.png`);
}

/** Says where each image goes, and calls `refuse` where that is not possible. */
export function planOutputs(
  images: readonly string[],
  output: string,
  refuse: (message: string) => never,
): Destination[] {
  const intoFolder = images.length > 1 || isFolder(output);
  if (!intoFolder && !isWritable(output))
    refuse(`${output} must end in one of ${imageExtensions.join(', ')}`);
  const plan = images.map((input) => ({ input, output: intoFolder ? nameIn(output, input) : output }));
  const taken = new Map<string, string>(images.map((input) => [resolve(input), input]));
  for (const { input, output: file } of plan) {
    const other = taken.get(resolve(file));
    if (other !== undefined)
      refuse(
        `${file}, the result for ${input}, would overwrite ${other === input ? 'it' : `that of ${other}`}`,
      );
    taken.set(resolve(file), input);
  }
  return plan;
}

/** Makes the folder of the results. Rejects with ERR_NOT_WRITABLE, before any work is done. */
export async function prepareFolder([first]: readonly Destination[]): Promise<void> {
  if (!first) return;
  const folder = dirname(first.output);
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new TlscError('ERR_NOT_WRITABLE', `cannot make the folder ${folder}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
