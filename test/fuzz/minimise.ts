// Makes the file of a finding as small as it gets while the finding stays what it is.
import {
  clone,
  type DescField,
  type DescMessage,
  fromBinary,
  type Message,
  toBinary,
} from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { ModelProtoSchema } from 'onnx-buf';

/** Whether the finding is still there. */
export type Test = (bytes: Uint8Array) => Promise<boolean>;

/** Something that can be left out of a message. */
type Cut = (message: Message) => void;

/** How to get from the whole model to a message within it. */
type Path = (message: Message) => Message;

/** All lists, then all single fields, from the outside to the inside: what is large goes first. */
function* cutsOf(schema: DescMessage, message: Message, path: Path): Generator<{ cut: Cut; size: number }> {
  const view = reflect(schema, message);
  const set = view.fields.filter((field) => view.isSet(field));
  for (const field of set) yield* cutsOfField(field, view.get(field), path);
  for (const field of set) {
    if (field.fieldKind === 'message') {
      const inner = (whole: Message) => stored(path(whole), field) as Message;
      yield* cutsOf(field.message, stored(message, field) as Message, inner);
    } else if (field.fieldKind === 'list' && field.listKind === 'message') {
      const list = stored(message, field) as Message[];
      for (const [i, one] of list.entries())
        yield* cutsOf(field.message, one, (whole) => (stored(path(whole), field) as Message[])[i] as Message);
    }
  }
}

/** The value of a field as it stands in the object. */
function stored(message: Message, field: DescField): unknown {
  const owner = message as unknown as Record<string, unknown>;
  if (!field.oneof) return owner[field.localName];
  return (owner[field.oneof.localName] as { value?: unknown }).value;
}

function* cutsOfField(field: DescField, value: unknown, path: Path): Generator<{ cut: Cut; size: number }> {
  if (field.fieldKind !== 'list') {
    yield { size: 1, cut: (whole) => reflect(field.parent, path(whole)).clear(field) };
    return;
  }
  const { size: length } = value as { size: number };
  for (let size = length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = length - size; from >= 0; from -= size)
      yield { size, cut: (whole) => (stored(path(whole), field) as unknown[]).splice(from, size) };
  }
}

/** Tries each cut, begins again after those that the finding survives, ends when none is left or at the deadline. */
async function minimiseMessage(bytes: Uint8Array, test: Test, deadline: number): Promise<Uint8Array> {
  let best = bytes;
  for (let at = 0; ; at++) {
    if (performance.now() > deadline) return best;
    const model = fromBinary(ModelProtoSchema, best);
    const cuts = [...cutsOf(ModelProtoSchema, model, (whole) => whole)];
    const cut = cuts[at]?.cut;
    if (!cut) return best;
    const smaller = clone(ModelProtoSchema, model);
    cut(smaller);
    const candidate = toBinary(ModelProtoSchema, smaller);
    if (candidate.length >= best.length || !(await test(candidate))) continue;
    best = candidate;
    // What lies before was tried; there is now less of it by one place.
    at -= 1;
  }
}

/** Leaves out pieces of bytes, halves first. */
async function minimiseBytes(bytes: Uint8Array, test: Test, deadline: number): Promise<Uint8Array> {
  let best = bytes;
  for (let size = Math.floor(bytes.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < best.length; ) {
      if (performance.now() > deadline) return best;
      const candidate = Buffer.concat([best.subarray(0, from), best.subarray(from + size)]);
      if (await test(candidate)) best = candidate;
      else from += size;
    }
  }
  return best;
}

/** A file that is no model loses bytes; a model loses nodes, attributes, tensors, whatever it has. */
export async function minimise(bytes: Uint8Array, test: Test, seconds: number): Promise<Uint8Array> {
  const deadline = performance.now() + 1000 * seconds;
  try {
    fromBinary(ModelProtoSchema, bytes);
  } catch {
    return minimiseBytes(bytes, test, deadline);
  }
  return minimiseMessage(bytes, test, deadline);
}
