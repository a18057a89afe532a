import { nativeErrorCodes } from '@tlsc/core-native';
import { expect, test } from 'vitest';
import { loadBinding } from '../dist/binding.js';

test('C++ and TypeScript list the same error codes', () => {
  const ofTypeScript = nativeErrorCodes.filter((code) => code !== 'ERR_ADDON_NOT_FOUND');
  expect([...loadBinding().errorCodes].sort()).toEqual([...ofTypeScript].sort());
});

test('no error code is listed twice', () => {
  expect(new Set(loadBinding().errorCodes).size).toBe(loadBinding().errorCodes.length);
  expect(new Set(nativeErrorCodes).size).toBe(nativeErrorCodes.length);
});
