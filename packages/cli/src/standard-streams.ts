// Images that come by standard input and go to standard output.
import { addAbortSignal } from 'node:stream';
import { TlscError } from '@tlsc/api';

/** As much as of a file, in bytes. */
const most = 2 ** 30;

/** All that standard input has. Rejects with ERR_IMAGE_TOO_LARGE, ERR_IMAGE_NOT_FOUND or ERR_ABORTED. */
export async function readStandardInput(signal: AbortSignal): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of addAbortSignal(signal, process.stdin)) {
      pieces.push(piece);
      size += piece.length;
      if (size > most)
        throw new TlscError(
          'ERR_IMAGE_TOO_LARGE',
          `standard input has more than ${most} bytes, which are not read`,
        );
    }
  } catch (cause) {
    if (cause instanceof TlscError) throw cause;
    if (signal.aborted) throw new TlscError('ERR_ABORTED', 'aborted', { cause });
    const message = `cannot read standard input: ${(cause as Error).message}`;
    throw new TlscError('ERR_IMAGE_NOT_FOUND', message, { cause });
  }
  return Buffer.concat(pieces);
}

/** Resolves when it is written; a reader that has seen enough is none to wait for. */
export async function writeStandardOutput(bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdout.write(bytes, () => resolve());
  });
}
