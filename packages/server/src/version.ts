import { createRequire } from 'node:module';

/** Of this package, and all others of tlsc. */
export const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
