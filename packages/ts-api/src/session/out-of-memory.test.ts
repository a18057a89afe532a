import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { buildBytes } from '../../test/build-model.js';
import { makeNode } from '../graph/proto.js';

const folder = await mkdtemp(join(tmpdir(), 'tlsc-out-of-memory-'));
afterAll(() => rm(folder, { recursive: true }));

it('a run that finds no memory says of what size its input was, and the session goes on', async () => {
  // Sixteen times, sixteen times: 24 MB become 6 GB, which the limit does not allow.
  const sixteenTimes = (from: string, to: string) =>
    makeNode('Concat', Array(16).fill(from), [to], { attributes: { axis: 1 } });
  const file = join(folder, 'wide.onnx');
  await writeFile(
    file,
    buildBytes({
      node: [sixteenTimes('x', 'wide'), sixteenTimes('wide', 'wider'), makeNode('Neg', ['wider'], ['y'])],
    }),
  );
  const child = fileURLToPath(new URL('../../test/memory-limit-child.mjs', import.meta.url));
  const command = 'ulimit -v 5000000; exec "$0" "$@"';
  const { stdout, stderr } = await promisify(execFile)('bash', [
    '-c',
    command,
    process.execPath,
    child,
    file,
  ]);
  const [code, message, cause, dims] = JSON.parse(stdout);
  expect(stderr).toBe('');
  expect(code).toBe('ERR_OUT_OF_MEMORY');
  expect(message).toBe(
    'out of memory in a run on x float32 [1, 3, 1000, 2000]: 6.14 GB more were to be allocated; run smaller images, or fewer at once',
  );
  expect(cause).toMatch(/Concat/);
  expect(dims).toEqual([1, 768, 20, 30]);
});
