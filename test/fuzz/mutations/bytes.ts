// Changes to the bytes, as broken disks and connections make them, and people with a hex editor.
import type { Random } from '../random.js';

export type ByteMutation = (bytes: Uint8Array, random: Random) => Uint8Array;

function splice(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]));
}

const truncate: ByteMutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length));

const flipBits: ByteMutation = (bytes, random) => {
  const copy = new Uint8Array(bytes);
  for (let count = 1 + random.below(8); count > 0 && copy.length > 0; count--) {
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  }
  return copy;
};

const setBytes: ByteMutation = (bytes, random) => {
  const copy = new Uint8Array(bytes);
  const at = random.below(copy.length);
  copy.fill(random.pick([0, 0xff, 0x80, 0x7f, random.below(256)]), at, at + 1 + random.below(10));
  return copy;
};

const insert: ByteMutation = (bytes, random) => {
  const added = Uint8Array.from({ length: 1 + random.below(12) }, () => random.below(256));
  return splice(bytes, random.below(bytes.length + 1), 0, added);
};

const remove: ByteMutation = (bytes, random) =>
  splice(bytes, random.below(bytes.length), 1 + random.below(20), new Uint8Array());

const repeat: ByteMutation = (bytes, random) => {
  const from = random.below(bytes.length);
  const piece = bytes.subarray(from, from + 1 + random.below(200));
  return splice(bytes, random.below(bytes.length), 0, piece);
};

/** A text with bytes that are no UTF-8. */
const breakText: ByteMutation = (bytes, random) => {
  const letters = [...bytes.keys()].filter((at) => /[a-zA-Z_]/.test(String.fromCharCode(bytes[at] ?? 0)));
  const at = random.any(letters);
  if (at === undefined) return bytes;
  const copy = new Uint8Array(bytes);
  copy[at] = random.pick([0xff, 0xc0, 0xed, 0x80, 0]);
  return copy;
};

const byteMutations = [truncate, flipBits, flipBits, setBytes, insert, remove, repeat, breakText] as const;

export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  return random.pick(byteMutations)(bytes, random);
}
