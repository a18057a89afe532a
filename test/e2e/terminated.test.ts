import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('a worker terminated while it reads photos does no harm', async () => {
  const child = fileURLToPath(new URL('terminated-child.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child]);
  expect(stdout).toBe('survived\n');
});
