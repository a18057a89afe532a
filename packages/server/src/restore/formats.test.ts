import { describe, expect, it } from 'vitest';
import { chooseFormat } from './formats.js';

describe('the format of an answer', () => {
  it.each([
    [undefined, undefined, undefined, '.png'],
    [undefined, '*/*', 'image/jpeg', '.jpg'],
    [undefined, undefined, 'IMAGE/WEBP; x=y', '.webp'],
    [undefined, 'image/*', 'application/octet-stream', '.png'],
    [undefined, 'image/webp', 'image/jpeg', '.webp'],
    [undefined, 'text/html, image/avif;q=0.5, image/png;q=0.9', 'image/jpeg', '.png'],
    [undefined, 'image/png;q=0, image/gif', 'image/jpeg', '.gif'],
    ['tif', 'image/png', 'image/jpeg', '.tif'],
    ['jpeg', 'text/html', undefined, '.jpg'],
  ] as const)('of ?format=%s, Accept %s and Content-Type %s is %s', (named, accept, came, expected) => {
    expect(chooseFormat(named, accept, came).extension).toBe(expected);
  });

  it('is refused where none is acceptable', () => {
    expect(() => chooseFormat(undefined, 'text/html', 'image/png')).toThrow(/image\/png/);
  });
});
