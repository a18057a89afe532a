import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeTensor } from '@tlsc/core-native';
import { expect, test } from 'vitest';
import { runChild } from './child.js';
import {
  chainModel,
  failure,
  float32,
  identityModel,
  load,
  only,
  options,
  run,
  start,
  temporaryFolder,
} from './support.js';

// Some tens of milliseconds per run, so that what is taken away is taken during it.
const file = join(temporaryFolder(), 'chain.onnx');
writeFileSync(file, chainModel(20));

const gone = /^ERR_INVALID_ARGUMENT input x: its memory was transferred or made smaller/;

// In processes of their own: where this goes wrong, the process dies.
test.each([
  ['a small input transferred', /^right$/],
  ['a small input shrunk', /^right$/],
  ['a large input transferred', gone],
  ['a large input shrunk', gone],
  ['a large input later transferred', /^right$/],
  ['a large input later shrunk', /^right$/],
  ['a large input grown', /^right$/],
])('%s during its run does no harm', async (scenario, expected) => {
  const given = JSON.stringify(options(file));
  const { code, signal, lines, errors } = await runChild(
    'taken-child.mjs',
    [scenario, given],
    ['--expose-gc'],
  );
  expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: '' });
  expect(lines).toEqual([expect.stringMatching(expected)]);
});

const large = 3 * 2 ** 20;
const ramp = Float32Array.from({ length: large }, (_, i) => i % 1000);
const largeInput = { name: 'x', type: 'float32', dims: [large], data: ramp };

/** Whether the values are those of the ramp. */
function isRamp({ data }: NativeTensor): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(Buffer.from(ramp.buffer));
}

test('large inputs arrive whole, many at once', async () => {
  const session = await load(identityModel());
  const outputs = await Promise.all(Array.from({ length: 5 }, () => run(session, largeInput)));
  expect(outputs.map(isRamp)).toEqual(Array(5).fill(true));
});

test('small inputs may change as soon as the run is started', async () => {
  const session = await load(identityModel());
  const input = float32('x', [1000], 1);
  const output = run(session, input);
  (input.data as Float32Array).fill(2);
  expect((await output).data).toEqual(new Float32Array(1000).fill(1));
});

test('outputs and allocated tensors feed runs wherever their buffer goes', async () => {
  const session = await load(identityModel());
  const allocated = await session.allocate('float32', [large]);
  (allocated.data as Float32Array).set(ramp);
  const output = await run(session, { name: 'x', ...allocated });
  for (const tensor of [allocated, output]) {
    const again = run(session, { name: 'x', ...tensor });
    const buffer = tensor.data.buffer as ArrayBuffer;
    structuredClone(buffer, { transfer: [buffer] });
    expect(isRamp(await again)).toBe(true);
  }
});

test('a run is cancelled while its input is copied, and others go on', async () => {
  const session = await load(identityModel());
  const runs = [0, 1, 2].map(() => start(session, [largeInput], ['y']));
  const ends = Promise.allSettled(runs.map(({ outputs }) => only(outputs)));
  runs[0]?.cancel();
  runs[2]?.cancel();
  const rejected = { status: 'rejected', reason: failure('ERR_ABORTED') };
  const [first, second, third] = await ends;
  expect([first, third]).toEqual([rejected, rejected]);
  expect(second?.status === 'fulfilled' && isRamp(second.value)).toBe(true);
});

test('a session released while an input is copied lets the run end first', async () => {
  const session = await load(identityModel());
  let isEnded = false;
  const output = run(session, largeInput).finally(() => {
    isEnded = true;
  });
  await session.release();
  expect(isEnded).toBe(true);
  expect(isRamp(await output)).toBe(true);
});
