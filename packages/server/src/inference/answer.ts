// What an inference made, as the protocol has it.
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '@tlsc/api';
import { bytesOf, datatypeOf } from './datatypes.js';

export interface NamedOutput {
  readonly name: string;
  readonly tensor: Tensor;
  readonly isBinary: boolean;
}

/** What an answer begins with. */
export interface Opening {
  readonly model_name: string;
  readonly id?: string | undefined;
}

/** Values that are written between two turns of the event loop. */
const perTurn = 8192;

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  // JSON has no NaN and no infinity: JSON.stringify makes null of them.
  return JSON.stringify(value);
}

async function* valuesOf({ type, data }: Tensor): AsyncGenerator<string> {
  const values = data as ArrayLike<unknown>;
  const show = type === 'bool' ? (value: unknown) => String(value !== 0) : textOf;
  for (let begin = 0; begin < values.length; begin += perTurn) {
    const end = Math.min(begin + perTurn, values.length);
    let text = begin === 0 ? '' : ',';
    for (let i = begin; i < end; i++) text += i === begin ? show(values[i]) : `,${show(values[i])}`;
    yield text;
    await setImmediate();
  }
}

/** How an output is described, without a brace at the end. */
function describe({ name, tensor }: NamedOutput): string {
  const { type, dims } = tensor;
  return JSON.stringify({ name, datatype: datatypeOf(type), shape: dims }).slice(0, -1);
}

async function* jsonOf(
  opening: Opening,
  outputs: readonly NamedOutput[],
  raw: ReadonlyMap<string, Uint8Array>,
) {
  yield `${JSON.stringify(opening).slice(0, -1)},"outputs":[`;
  for (const [i, output] of outputs.entries()) {
    yield `${i === 0 ? '' : ','}${describe(output)}`;
    const bytes = raw.get(output.name);
    if (bytes) {
      yield `,"parameters":{"binary_data_size":${bytes.byteLength}}}`;
      continue;
    }
    yield ',"data":[';
    yield* valuesOf(output.tensor);
    yield ']}';
  }
  yield ']}';
}

/** An answer, ready to be sent. */
export interface InferenceAnswer {
  readonly type: 'application/json' | 'application/octet-stream';
  /** Bytes of the JSON, where others come behind it; the bytes of all. */
  readonly lengths: { readonly json: number; readonly all: number } | undefined;
  readonly body: Readable;
}

/** JSON alone is written as it is sent; before bytes its length has to be known. */
export async function answerOf(opening: Opening, outputs: readonly NamedOutput[]): Promise<InferenceAnswer> {
  const raw = new Map(
    outputs.filter(({ isBinary }) => isBinary).map(({ name, tensor }) => [name, bytesOf(tensor)] as const),
  );
  const text = jsonOf(opening, outputs, raw);
  if (raw.size === 0) return { type: 'application/json', lengths: undefined, body: Readable.from(text) };
  const parts: string[] = [];
  for await (const part of text) parts.push(part);
  const json = Buffer.from(parts.join(''));
  const all = [...raw.values()].reduce((sum, { byteLength }) => sum + byteLength, json.byteLength);
  return {
    type: 'application/octet-stream',
    lengths: { json: json.byteLength, all },
    body: Readable.from([json, ...raw.values()]),
  };
}
