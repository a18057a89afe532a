import { readFileSync } from 'node:fs';

/** Of this package; every converted model says which one made it. */
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
