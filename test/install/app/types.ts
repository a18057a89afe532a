import { writeFile } from 'node:fs/promises';
import {
  type Conversion,
  convert,
  InferenceSession,
  type Photo,
  restore,
  Tensor,
  TlscError,
} from '@tlsc/api';

export async function restored(model: string, photo: Uint8Array, signal: AbortSignal): Promise<Photo> {
  const { model: local, report }: Conversion = await convert(model, { trainSize: [256, 256], signal });
  for (const { node, window } of report.sites) console.log(node.toUpperCase(), window?.[0]);
  const session = await InferenceSession.create(local, { executionProviders: ['cpu'] });
  return restore(session, photo, { signal });
}

export async function main(): Promise<void> {
  const x = new Tensor('float32', new Float32Array(3), [1, 3, 1, 1]);
  try {
    await writeFile('size', String(x.size));
  } catch (error) {
    if (error instanceof TlscError) console.error(error.code);
  }
  // @ts-expect-error: a code is one of those listed.
  new TlscError('ERR_NO_SUCH_CODE', 'message');
}
