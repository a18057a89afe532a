import { TlscError } from '@tlsc/api';

/** `@tlsc/evaluate`, which those install who evaluate: its plots and fonts are 29 MB. Throws ERR_ADDON_NOT_FOUND. */
export async function loadEvaluate(): Promise<typeof import('@tlsc/evaluate')> {
  try {
    return await import('@tlsc/evaluate');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'@tlsc/evaluate'")) throw cause;
    const advice = 'npm install @tlsc/evaluate, with -g where tlsc was installed so';
    throw new TlscError('ERR_ADDON_NOT_FOUND', `evaluating takes a package of its own: ${advice}`, { cause });
  }
}
