import { mkdir } from 'node:fs/promises';
import { TlscError } from '@tlsc/api';

/** Makes a folder where there is none. Rejects with ERR_NOT_WRITABLE. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new TlscError('ERR_NOT_WRITABLE', `cannot make the folder ${folder}: ${cause.message}`, { cause });
  });
}
