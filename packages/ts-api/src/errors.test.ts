import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes } from './errors.js';

describe('error codes', () => {
  it('are the ones that docs/errors.md explains', () => {
    const text = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const explained = [...text.matchAll(/^\| `(ERR_\w+)` \|/gm)].map(([, code]) => code);
    expect(explained).toEqual(
      [...errorCodes].sort((a, b) => a.replaceAll('_', ' ').localeCompare(b.replaceAll('_', ' '))),
    );
  });
});
