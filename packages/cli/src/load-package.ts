import { TlscError } from '@tlsc/api';

/** A package that only those install who use it. Throws ERR_ADDON_NOT_FOUND. */
async function load<T>(name: string, what: string, importing: () => Promise<T>): Promise<T> {
  try {
    return await importing();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    const advice = `npm install ${name}, with -g where tlsc was installed so`;
    throw new TlscError('ERR_ADDON_NOT_FOUND', `${what} takes a package of its own: ${advice}`, { cause });
  }
}

/** Its plots and fonts are 29 MB. */
export function loadEvaluate(): Promise<typeof import('@tlsc/evaluate')> {
  return load('@tlsc/evaluate', 'evaluating', () => import('@tlsc/evaluate'));
}

/** Its HTTP and gRPC are 37 MB. */
export function loadServer(): Promise<typeof import('@tlsc/server')> {
  return load('@tlsc/server', 'serving', () => import('@tlsc/server'));
}
