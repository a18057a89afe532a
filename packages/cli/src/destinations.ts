import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { type ImageExtension, imageExtensions, readableExtensions, TlscError } from '@tlsc/api';

/** In the place of a path: standard input, or standard output. */
export const standard = '-';

/** An image and where its restored version goes. */
export interface Destination {
  readonly input: string;
  readonly output: string;
}

export interface PlanOptions {
  /** Whether a folder stands for the images in its folders, too. */
  readonly recursive: boolean;
  /** What results are written as; undefined: as what the image is. */
  readonly format: ImageExtension | undefined;
}

/** An image, and its name in the folder that it was found in. */
interface Found {
  readonly path: string;
  readonly name: string;
}

function isExistingFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // Whatever is wrong with the path, writing to it will say.
  }
}

/** By its extension alone; hidden files are none. */
function isReadable(name: string): boolean {
  return !name.startsWith('.') && readableExtensions.includes(extname(name).toLowerCase());
}

/** The images that lie in a folder, in the order of their names; without `except`, where the results go. */
function imagesIn(
  folder: string,
  { recursive }: PlanOptions,
  except: string,
  refuse: (message: string) => never,
): Found[] {
  const walk = (within: string): Found[] => {
    const path = join(folder, within);
    let names: string[];
    try {
      names = readdirSync(path).sort();
    } catch (error) {
      return refuse(`cannot read the folder ${path}: ${(error as Error).message}`);
    }
    return names.flatMap((name) => {
      const one = join(path, name);
      if (!isExistingFolder(one)) return isReadable(name) ? { path: one, name: join(within, name) } : [];
      // Folders behind links could lead anywhere, and around in circles.
      const isLeftOut = name.startsWith('.') || isLink(one) || identityOf(one) === except;
      return recursive && !isLeftOut ? walk(join(within, name)) : [];
    });
  };
  const images = walk('');
  if (images.length === 0) refuse(`${folder} has no images in it (${readableExtensions.join(', ')})`);
  return images;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function isWritable(path: string): boolean {
  return imageExtensions.some((extension) => extension === extname(path).toLowerCase());
}

/** A name with the extension of the format that it is written in: its own where there is none, which is one that can be written. */
function nameFor(name: string, format: ImageExtension | undefined): string {
  const extension = extname(name);
  const own = imageExtensions.find((known) => known === extension.toLowerCase());
  if (format === undefined && own) return name;
  const base = name.slice(0, name.length - extension.length);
  // Another name of the same format is as good.
  return format === own ? name : `${base}${format ?? '.png'}`;
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
  options: PlanOptions,
  refuse: (message: string) => never,
): Destination[] {
  if (sources.includes(standard) && sources.length > 1) refuse('standard input is to be the only image');
  const folders = sources.filter((path) => path !== standard && isExistingFolder(path));
  const into = identityOf(output);
  const images = sources.flatMap((path) =>
    folders.includes(path) ? imagesIn(path, options, into, refuse) : { path, name: basename(path) },
  );
  if (output === standard) {
    if (images.length > 1 || folders.length > 0) refuse('standard output takes one image');
    return images.map(({ path }) => ({ input: path, output }));
  }
  const intoFolder =
    images.length > 1 || folders.length > 0 || /[\\/]$/.test(output) || isExistingFolder(output);
  if (intoFolder && sources.includes(standard))
    refuse('what standard input is restored to needs the name of a file');
  if (!intoFolder && !isWritable(output))
    refuse(`${output} must end in one of ${imageExtensions.join(', ')}`);
  if (intoFolder && isWritable(output) && !isExistingFolder(output) && !/[\\/]$/.test(output)) {
    refuse(`several images need a folder, and ${output} looks like a file; end it in / if it is one`);
  }
  const { format } = options;
  if (!intoFolder && format && extname(output).toLowerCase() !== format)
    refuse(`${output} does not end in ${format}, as --format says`);
  const plan = images.map(({ path, name }) => ({
    input: path,
    output: intoFolder ? join(output, nameFor(name, format)) : output,
  }));
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

/** One folder after the other: asked for all at once, Node.js 20 never returns where a system like /proc refuses one. */
async function makeFolder(folder: string): Promise<void> {
  if (isExistingFolder(folder)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Somebody else may have made it meanwhile.
    if (error.code !== 'EEXIST' || !isExistingFolder(folder)) throw error;
  });
}

/** Makes the folders of the results. Rejects with ERR_NOT_WRITABLE, before any work is done. */
export async function prepareFolders(plan: readonly Destination[]): Promise<void> {
  const files = plan.filter(({ output }) => output !== standard);
  for (const folder of new Set(files.map(({ output }) => dirname(output)))) {
    try {
      await makeFolder(resolve(folder));
    } catch (cause) {
      const message = `cannot make the folder ${folder}: ${(cause as Error).message}`;
      throw new TlscError('ERR_NOT_WRITABLE', message, { cause });
    }
  }
}
