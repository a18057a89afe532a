import { describe, expect, it } from 'vitest';
import type { MethodResult } from '../evaluation.js';
import type { Method } from '../methods/method.js';
import { estimate } from './bootstrap.js';
import { verdictOf, verdictWithoutTargets } from './verdict.js';

function result(method: Method, psnrs: readonly number[]): MethodResult {
  const photos = psnrs.map((psnr) => ({ psnr, ssim: 0.9, psnrY: psnr, ssimY: 0.9 }));
  const psnr = psnrs.reduce((sum, one) => sum + one) / psnrs.length;
  return { method, title: method.kind, work: 1, photos, mean: { psnr, ssim: 0.9 } };
}
const global = (...psnrs: number[]) => result({ kind: 'global' }, psnrs);
const local = (side: number, ...psnrs: number[]) =>
  result({ kind: 'local', baseSize: [side, side], fast: false }, psnrs);

describe('a verdict', () => {
  it('is to convert where all photos gain', () => {
    const verdict = verdictOf('net', 1, [
      global(30, 31, 32),
      local(64, 31, 32, 33),
      local(96, 31.02, 32.02, 33.02),
    ]);
    expect(verdict).toMatchObject({ convert: true, baseSize: [96, 96], asGood: [[64, 64]] });
    expect(verdict.gain?.mean).toBeCloseTo(1.02, 10);
    expect(verdict.sentence).toMatch(
      /^Convert net: with a base size of 96 it gains 1\.02 dB .* on 3 photos; as good is 64\.$/,
    );
  });

  it('is to leave it where all lose', () => {
    const verdict = verdictOf('net', 1, [global(30, 31), local(64, 29, 30)]);
    expect(verdict).toMatchObject({ convert: false });
    expect(verdict.sentence).toMatch(/^Leave net as it is: .* cost 1\.00 dB/);
  });

  it('is open where some gain and some lose', () => {
    const verdict = verdictOf('net', 1, [global(30, 31), local(64, 31, 30.5)]);
    expect(verdict.convert).toBeUndefined();
    expect(verdict.sentence).toMatch(/^Whether to convert net is open: .* gains 0\.25 dB/);
  });

  it('goes by one photo without an interval', () => {
    const { convert, gain, sentence } = verdictOf('net', 1, [global(30), local(64, 31)]);
    expect({ convert, gain }).toEqual({ convert: true, gain: { mean: 1, interval: undefined } });
    expect(sentence).toBe('Convert net: with a base size of 64 it gains 1.00 dB on one photo.');
  });

  it('is none where a method failed, nothing is there, or nothing says what is better', () => {
    const failed = { ...global(30), photos: [{ failure: 'no memory' }], mean: undefined };
    expect(verdictOf('net', 1, [failed, local(64, 31)]).sentence).toContain('no memory');
    expect(verdictOf('net', 0, [global(30)]).sentence).toContain('nothing to convert');
    const equal = [global(Number.POSITIVE_INFINITY), local(64, Number.POSITIVE_INFINITY)];
    expect(verdictOf('net', 1, equal).sentence).toContain('equal to their targets');
    expect(verdictWithoutTargets('net', 1, [global(30), local(64, 41.26)]).sentence).toContain('41.3 dB');
    expect(verdictWithoutTargets('net', 1, equal).sentence).toContain('the results of the original');
  });
});

describe('an estimate', () => {
  it('has the mean within its interval, the same each time', () => {
    const values = [0.1, 0.5, 0.2, 0.9, 0.4, 0.3];
    const { mean, interval = [0, 0] } = estimate(values);
    expect(mean).toBeCloseTo(0.4, 12);
    // Of the mean, normal: 0.4 ± 1.96 · 0.2582 / √6.
    expect(interval[0]).toBeCloseTo(0.4 - 0.2, 1);
    expect(interval[1]).toBeCloseTo(0.4 + 0.2, 1);
    expect(estimate(values)).toEqual({ mean, interval });
  });
});
