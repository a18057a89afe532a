// The server as a process: signals, and what it says.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describeImage, encodePhoto, Tensor } from '@tlsc/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exampleModel } from '../../../test/fixtures/index.js';
import { commandIn, type Start, type Tlsc } from './command.js';

let folder = '';
let start: Start;
let tlsc: Tlsc;
let photo: Buffer<ArrayBuffer>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-serve-test-'));
  ({ start, tlsc } = commandIn(folder));
  await copyFile(exampleModel('unet_se'), join(folder, 'unet_se.onnx'));
  const { code } = await tlsc('convert', 'unet_se.onnx', '-o', 'unet_se.local.onnx', '--train-size', '64');
  expect(code).toBe(0);
  const tensor = new Tensor('float32', new Float32Array(3 * 300 * 400).fill(0.4), [1, 3, 300, 400]);
  photo = Buffer.from(await encodePhoto({ tensor, bitDepth: 8 }, '.png'));
});
afterAll(() => rm(folder, { recursive: true }));

const running: ReturnType<Start>[] = [];
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL');
});

type Line = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A server on a free port, and what it has logged. */
async function served(...args: readonly string[]) {
  const begun = start(['serve', ...args, '--port', '0', '--concurrency', '1', '--drain', '0.1']);
  running.push(begun);
  const lines: Line[] = [];
  let rest = '';
  begun.child.stdout.on('data', (data) => {
    const parts = (rest + data).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((part) => JSON.parse(part) as Line));
  });
  const said = async (message: string, times = 1): Promise<Line> => {
    for (;;) {
      const found = lines.filter(({ msg }) => msg === message);
      if (found.length >= times) return found[times - 1] as Line;
      if (begun.child.exitCode !== null) throw new Error(`it ended: ${(await begun.outcome).stderr}`);
      await setTimeout(20);
    }
  };
  const { address, models } = await said('serving');
  const restore = (model: string) =>
    fetch(`${address}/v1/models/${model}/restore`, { method: 'POST', body: photo });
  return { ...begun, address: address as string, models, said, restore, lines };
}

describe('tlsc serve', () => {
  it('serves what lies in a folder, and logs requests by their ids', async () => {
    const { models, restore, address, lines } = await served('.');
    expect(models).toEqual(['unet_se', 'unet_se.original']);
    const response = await restore('unet_se');
    expect(response.status).toBe(200);
    const restored = await describeImage(new Uint8Array(await response.arrayBuffer()));
    expect(restored).toMatchObject({ format: 'PNG', width: 400, height: 300 });
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    const id = response.headers.get('x-request-id');
    const ofRequest = lines.filter(({ reqId }) => reqId === id).map(({ msg }) => msg);
    expect(ofRequest).toEqual(['request completed']);
    // Whoever watches over it asks every second.
    expect(JSON.stringify(lines)).not.toContain('livez');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('finishes what it has let in at %s, and ends', async (signal) => {
    const { child, outcome, restore, address, said } = await served('unet_se.onnx');
    const accepted = Array.from({ length: 5 }, () => restore('unet_se'));
    for (;;) {
      const metrics = await (await fetch(`${address}/metrics`)).text();
      const [pending, atWork] = ['pending', 'running'].map((name) =>
        Number(new RegExp(`tlsc_${name} (\\d+)`).exec(metrics)?.[1]),
      );
      const done = Number(/tlsc_requests_total.*"ok"} (\d+)/.exec(metrics)?.[1] ?? 0);
      if ((pending ?? 0) + (atWork ?? 0) + done === 5) break;
    }
    child.kill(signal);
    await said('ending: nobody else is let in');
    expect((await fetch(`${address}/readyz`)).status).toBe(503);
    for (const response of await Promise.all(accepted)) expect(response.status).toBe(200);
    expect((await outcome).code).toBe(signal === 'SIGTERM' ? 0 : 130);
    await expect(fetch(`${address}/livez`)).rejects.toThrow();
  });

  it('cuts off at the end of its grace whoever is at work yet', async () => {
    const { child, outcome, address } = await served('unet_se.onnx', '--grace', '0.3');
    const never = fetch(`${address}/v1/models/unet_se/restore`, {
      method: 'POST',
      body: new ReadableStream({ pull: () => new Promise(() => {}) }),
      duplex: 'half',
    } as RequestInit);
    const ended = never.then(
      ({ status }) => status,
      () => 'cut off',
    );
    await setTimeout(300);
    child.kill('SIGTERM');
    expect((await outcome).code).toBe(0);
    expect([499, 'cut off']).toContain(await ended);
  });

  it('looks for models again at SIGHUP', async () => {
    const inFolder = await mkdtemp(join(folder, 'reload-'));
    const local = join(folder, 'unet_se.local.onnx');
    await copyFile(local, join(inFolder, 'first.onnx'));
    const { child, restore, said } = await served(inFolder);
    await copyFile(local, join(inFolder, 'second.onnx'));
    await rm(join(inFolder, 'first.onnx'));
    child.kill('SIGHUP');
    expect(await said('looked for models again')).toMatchObject({ loaded: ['second'], unloaded: ['first'] });
    expect((await restore('first')).status).toBe(404);
    expect((await restore('second')).status).toBe(200);
    await writeFile(join(inFolder, 'second.onnx'), 'damaged');
    child.kill('SIGHUP');
    await said('second stays as it was');
    expect((await restore('second')).status).toBe(200);
    await rm(join(inFolder, 'second.onnx'));
    await copyFile(local, join(inFolder, 'third.onnx'));
    child.kill('SIGHUP');
    expect(await said('looked for models again', 3)).toMatchObject({
      loaded: ['third'],
      unloaded: ['second'],
    });
    await copyFile(local, join(inFolder, 'second.onnx'));
    child.kill('SIGHUP');
    expect(await said('looked for models again', 4)).toMatchObject({ loaded: ['second'] });
  });

  it('says what keeps it from serving', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const inUse = await tlsc(
      'serve',
      'unet_se.onnx',
      '--port',
      String(port),
      '--concurrency',
      '1',
      '--log-level',
      'silent',
    );
    taken.close();
    expect(inUse).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/cannot listen on 127.0.0.1.*EADDRINUSE/),
    });
    const empty = await mkdtemp(join(folder, 'empty-'));
    expect(await tlsc('serve', empty)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ERR_MODEL_NOT_FOUND'),
    });
    expect(await tlsc('serve', 'none.onnx')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('none.onnx'),
    });
    const tokens = await tlsc('serve', 'unet_se.onnx', '--token-file', 'none.txt');
    expect(tokens).toMatchObject({ code: 1, stderr: expect.stringContaining('none.txt') });
    expect(await tlsc('serve', 'unet_se.onnx', '--port', 'x')).toMatchObject({ code: 2 });
  });
});
