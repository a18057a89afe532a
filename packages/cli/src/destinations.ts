import { readdirSync, realpathSync, statSync } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { imageExtensions, readableExtensions, TlscError } from '@tlsc/api';

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

function namesIn(folder: string, refuse: (message: string) => never): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return refuse(`cannot read the folder ${folder}: ${(error as Error).message}`);
  }
}

/** By its extension alone; hidden files are none. */
function isReadable(name: string): boolean {
  return !name.startsWith('.') && readableExtensions.includes(extname(name).toLowerCase());
}

/** The images that lie in a folder itself, in the order of their names; `refuse` is called where there are none. */
function imagesIn(folder: string, refuse: (message: string) => never): string[] {
  const names = namesIn(folder, refuse).filter(isReadable).sort();
  const images = names.map((name) => join(folder, name)).filter((path) => !isExistingFolder(path));
  if (images.length === 0) refuse(`${folder} has no images in it (${readableExtensions.join(', ')})`);
  return images;
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

/** Says where each image goes, a folder standing for those in it, and calls `refuse` where that is not possible. */
export function planOutputs(
  sources: readonly string[],
  output: string,
  refuse: (message: string) => never,
): Destination[] {
  const folders = sources.filter(isExistingFolder);
  const images = sources.flatMap((path) => (folders.includes(path) ? imagesIn(path, refuse) : path));
  const intoFolder =
    images.length > 1 || folders.length > 0 || /[\\/]$/.test(output) || isExistingFolder(output);
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

/** Whether there is something of that name, whatever it is. */
export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
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
