// Images that come by standard input and go to standard output.
import { TlscError } from '@tlsc/api';

/** As much as of a file, in bytes. */
const most = 2 ** 30;

/** All that standard input has. Rejects with ERR_IMAGE_TOO_LARGE. */
export async function readStandardInput(): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece);
    size += piece.length;
    if (size > most)
      throw new TlscError(
        'ERR_IMAGE_TOO_LARGE',
        `standard input has more than ${most} bytes, which are not read`,
      );
  }
  return Buffer.concat(pieces);
}

/** Resolves when it is written; a reader that has seen enough is none to wait for. */
export async function writeStandardOutput(bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdout.write(bytes, () => resolve());
  });
}
