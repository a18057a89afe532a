// An inference request on its way through the pool, from whatever protocol it comes.
import {
  type ModelDescription,
  type Outputs,
  type Passage,
  type RestorationPool,
  type Tensor,
  TlscError,
} from '@tlsc/api';
import { failureOf, notFound, RequestError } from '../errors.js';
import type { Metrics } from '../observe/metrics.js';
import type { NamedOutput } from './answer.js';
import { datatypeOf, tensorOver } from './datatypes.js';
import type { ParsedInput, ParsedRequest } from './parse.js';

/** The first name that is there twice. */
function twiceIn(values: readonly { readonly name: string }[]): string | undefined {
  const seen = new Set<string>();
  for (const { name } of values) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function feedsOf(inputs: readonly ParsedInput[]): Readonly<Record<string, Tensor>> {
  const twice = twiceIn(inputs);
  if (twice !== undefined) throw new RequestError(400, 'ERR_INPUT_MISMATCH', `input ${twice} is there twice`);
  return Object.fromEntries(
    inputs.map(({ name, datatype, shape, values }) => [name, tensorOver(datatype, name, shape, values)]),
  );
}

/** What is wanted, in its order: all outputs where none is named. */
function wantedOf(
  { outputs, isBinary }: ParsedRequest,
  { outputMetadata }: ModelDescription,
): readonly Omit<NamedOutput, 'tensor'>[] {
  const wanted = outputs?.length ? outputs : outputMetadata.map(({ name }) => ({ name, isBinary }));
  const twice = twiceIn(wanted);
  if (twice !== undefined)
    throw new RequestError(400, 'ERR_INVALID_ARGUMENT', `output ${twice} is asked for twice`);
  for (const { name, isBinary: asBytes } of wanted) {
    const known = outputMetadata.find((output) => output.name === name);
    if (!known) {
      const names = outputMetadata.map((output) => output.name).join(', ');
      throw new RequestError(400, 'ERR_INVALID_ARGUMENT', `there is no output ${name}, but ${names}`);
    }
    if (known.isTensor && datatypeOf(known.type) === 'FP16' && !asBytes)
      throw new RequestError(
        400,
        'ERR_INVALID_ARGUMENT',
        `output ${name} is FP16, which JSON has not: ask for its bytes`,
      );
  }
  return wanted;
}

export interface Inference {
  readonly outputs: readonly NamedOutput[];
  readonly id: string | undefined;
}

/** Runs a model on what `read` gets once it has been let in. */
export async function infer(
  { pool, metrics }: { readonly pool: RestorationPool; readonly metrics: Metrics },
  model: string,
  read: () => Promise<ParsedRequest>,
  signal: AbortSignal,
): Promise<Inference> {
  if (!pool.models.includes(model)) throw notFound(model);
  let id: string | undefined;
  let wanted: readonly Omit<NamedOutput, 'tensor'>[] = [];
  // Of the model that this request will have, whatever is put in its place meanwhile.
  const description = pool.describe(model);
  const request = async () => {
    const parsed = await read();
    id = parsed.id;
    wanted = wantedOf(parsed, description);
    return { feeds: feedsOf(parsed.inputs), fetches: wanted.map(({ name }) => name) };
  };
  try {
    const { outputs, waited, worked }: Passage & { outputs: Outputs } = await pool.run(request, {
      model,
      signal,
    });
    metrics.record({ kind: 'infer', model, result: 'ok', waited, worked });
    return { id, outputs: wanted.map((output) => ({ ...output, tensor: outputs[output.name] as Tensor })) };
  } catch (error) {
    metrics.record({ kind: 'infer', model, result: failureOf(error).code });
    throw error instanceof TlscError && error.code === 'ERR_RUN_FAILED'
      ? new RequestError(400, error.code, error.message)
      : error;
  }
}
