// The models of an evaluation, looked at before anything is measured.
import { basename, dirname, extname, resolve } from 'node:path';
import { convert, inspect } from '@tlsc/api';
import type { Network } from './methods/sessions.js';
import { invalidArgument, type Plan } from './options.js';

/** A model to evaluate. */
export interface Candidate extends Network {
  readonly name: string;
  /** The names of the statistics that `convert` makes local. */
  readonly sites: readonly string[];
}

/** What reports call models: their files' names, with the folder in front where two have the same. */
function namesOf(files: readonly string[]): string[] {
  const plain = files.map((file) => basename(file, extname(file)));
  const names = plain.map((name, i) =>
    plain.filter((other) => other === name).length > 1
      ? `${basename(dirname(resolve(files[i] ?? '')))}-${name}`
      : name,
  );
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name}-${i + 1}`));
}

/** Looks at a model, and converts it once: what refuses the model, or an option, does so before anything is measured. */
async function candidateOf(file: string, name: string, plan: Plan): Promise<Candidate> {
  const { trainSize, values, choice, output, signal } = plan;
  const ended = signal ? { signal } : {};
  const { inputs, outputs } = await inspect(file, { trainSize, ...ended });
  const names = outputs.map((one) => one.name);
  if (output === undefined ? names.length > 1 : !names.includes(output))
    throw invalidArgument('output', `one of the outputs of ${file}: ${names.join(', ')}`, output);
  const { report } = await convert(file, { ...values, ...choice, trainSize, ...ended });
  const isFixed = ({ shape }: (typeof inputs)[number]) =>
    shape.length === 4 && shape.slice(1).every((side) => typeof side === 'number');
  const sites = report.sites.map(({ node }) => node);
  return { name, file, plan, sites, isOfOneSize: inputs.some(isFixed) };
}

/** Rejects with what `inspect` and `convert` do. */
export async function candidatesOf(files: readonly string[], plan: Plan): Promise<Candidate[]> {
  const names = namesOf(files);
  const candidates: Candidate[] = [];
  for (const [i, file] of files.entries()) candidates.push(await candidateOf(file, names[i] ?? '', plan));
  return candidates;
}
