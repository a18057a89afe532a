import { realpathSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { imageExtensions, TlscError } from '@tlsc/api';

/** An image and where its restored version goes. */
export interface Destination {
  readonly input: string;
  readonly output: string;
}

function isExistingFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // Whatever is wrong with the path, writing to it will say.
  }
}

function isWritable(path: string): boolean {
  return imageExtensions.some((extension) => extension === extname(path).toLowerCase());
}

/** The image's own name where its format can be written, else the name as PNG. */
function nameIn(folder: string, image: string): string {
  return join(folder, isWritable(image) ? basename(image) : `${basename(image, extname(image))}.png`);
}

/** The one path of a file that has several, through links and dots; for a file that is not there, its plain path. */
export function identityOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Says where each image goes, and calls `refuse` where that is not possible. */
export function planOutputs(
  images: readonly string[],
  output: string,
  refuse: (message: string) => never,
): Destination[] {
  const intoFolder = images.length > 1 || /[\\/]$/.test(output) || isExistingFolder(output);
  if (!intoFolder && !isWritable(output))
    refuse(`${output} must end in one of ${imageExtensions.join(', ')}`);
  if (intoFolder && isWritable(output) && !isExistingFolder(output) && !/[\\/]$/.test(output)) {
    refuse(`several images need a folder, and ${output} looks like a file; end it in / if it is one`);
  }
  const plan = images.map((input) => ({ input, output: intoFolder ? nameIn(output, input) : output }));
  const inputs = new Map<string, string>();
  for (const { input } of plan) {
    if (inputs.has(identityOf(input))) refuse(`${input} is given twice`);
    inputs.set(identityOf(input), input);
  }
  const outputs = new Map<string, string>();
  for (const { input, output: file } of plan) {
    const overwritten = inputs.get(identityOf(file));
    if (overwritten !== undefined) refuse(`${file}, the result for ${input}, would overwrite ${overwritten}`);
    const other = outputs.get(identityOf(file));
    if (other !== undefined) refuse(`${file} would be the result for ${other} and for ${input}`);
    outputs.set(identityOf(file), input);
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
