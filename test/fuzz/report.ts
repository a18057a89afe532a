// Findings as files: the input that does it, and beside it a text that says what it does and how to see it again.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './subject.js';

/** Findings that read the same but for numbers and addresses are one. */
export function kindOf({ kind, call, detail }: Finding): string {
  const [first = '', second = ''] = detail.split('\n');
  const gist = kind === 'error' ? `${first} ${second}` : kind === 'died' ? first : '';
  return `${kind} in ${call} ${gist}`.replace(/0x[0-9a-f]+|\d+/g, '#').trim();
}

export interface Found {
  readonly bytes: Uint8Array;
  /** With the dot. */
  readonly extension: string;
  readonly finding: Finding;
  /** Of the images that it was found with. */
  readonly side: number | undefined;
  /** How it was made. */
  readonly origin: string;
}

/** Returns the file's path. */
export function write(folder: string, { bytes, extension, finding, side, origin }: Found): string {
  mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  const file = join(folder, `${finding.kind}-${finding.call}-${digest}${extension}`);
  writeFileSync(file, bytes);
  const again = `node test/dist/fuzz/replay.js ${side === undefined ? '' : `--side ${side} `}${file}`;
  writeFileSync(
    `${file}.txt`,
    `${finding.kind} in ${finding.call}\n${finding.detail}\n\n${origin}\n${again}\n`,
  );
  return file;
}
