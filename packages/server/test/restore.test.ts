// Photos over HTTP.
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createPool, type PoolOptions, type RestorationPool } from '@tlsc/api';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApp, type RoutesOptions, Tokens } from '../src/index.js';
import { inverted, slow } from './models.js';

const colour = { r: 40, g: 90, b: 160 };
const negative = [215, 165, 95];
const solid = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: colour } });

let folder = '';
let small: Buffer<ArrayBuffer>;
let large: Buffer<ArrayBuffer>;
let noisy: Buffer<ArrayBuffer>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-server-'));
  small = Buffer.from(await solid(30, 20).png().toBuffer());
  large = Buffer.from(await solid(900, 700).png().toBuffer());
  // Of more than 1 MiB, so that it goes by way of files.
  const noise = {
    create: {
      width: 800,
      height: 600,
      channels: 3,
      background: colour,
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  } as const;
  noisy = Buffer.from(await sharp(noise).png().toBuffer());
});
afterAll(() => rm(folder, { recursive: true }));

const open: { app: FastifyInstance; pool: RestorationPool }[] = [];
afterEach(async () => {
  for (const { app, pool } of open.splice(0)) {
    await app.close();
    await pool.close();
  }
});

/** An app of two models that listens. */
async function listening(pooling: PoolOptions = {}, options: Partial<RoutesOptions> = {}) {
  const models = { inverted, slow: slow(40) };
  const pool = await createPool(models, { concurrency: 1, threads: availableParallelism(), ...pooling });
  const app = await createApp({ pool, ...options });
  open.push({ app, pool });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const at = `http://127.0.0.1:${port}`;
  const post = (
    path: string,
    body: Buffer | FormData | ReadableStream,
    headers: Record<string, string> = {},
  ) => fetch(at + path, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
  return { at, port, pool, app, post };
}

async function firstPixel(response: Response): Promise<number[]> {
  const { data } = await sharp(await response.arrayBuffer())
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [...data.subarray(0, 3)];
}

async function errorOf(response: Response): Promise<unknown> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(error.message).not.toContain(tmpdir());
  return [response.status, error.code];
}

const restore = '/v1/models/inverted/restore';

describe('photos', () => {
  it('are restored, and the answer says how', async () => {
    const { post } = await listening();
    const response = await post(restore, small, { 'content-type': 'image/png', 'x-request-id': 'mine-1' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('tlsc-size')).toBe('30x20');
    expect(response.headers.get('server-timing')).toMatch(/^wait;dur=[\d.]+, restore;dur=[\d.]+$/);
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    expect(await firstPixel(response)).toEqual(negative);
  });

  it('come back in the format that is asked for', async () => {
    const { post } = await listening();
    const asked = await post(`${restore}?format=webp&lossless=true`, small);
    expect(asked.headers.get('content-type')).toBe('image/webp');
    expect(await firstPixel(asked)).toEqual(negative);
    const accepted = await post(restore, small, { accept: 'image/tiff' });
    expect(accepted.headers.get('content-type')).toBe('image/tiff');
    const jpeg = await sharp(small).jpeg().toBuffer();
    expect((await post(restore, jpeg, { 'content-type': 'image/jpeg' })).headers.get('content-type')).toBe(
      'image/jpeg',
    );
    expect(await errorOf(await post(restore, small, { accept: 'text/html' }))).toEqual([
      406,
      'ERR_NOT_ACCEPTABLE',
    ]);
  });

  it('may come in a form, in chunks, and be large', async () => {
    const { post, pool } = await listening();
    const form = new FormData();
    form.set('photo', new Blob([small]));
    expect(await firstPixel(await post(restore, form))).toEqual(negative);
    expect(await errorOf(await post(restore, new FormData()))).toEqual([400, 'ERR_INVALID_ARGUMENT']);
    const fields = new FormData();
    fields.set('title', 'of the photo');
    fields.set('photo', new Blob([small]));
    expect(await firstPixel(await post(restore, fields))).toEqual(negative);
    const chunks = new ReadableStream({
      start(controller) {
        for (let at = 0; at < small.length; at += 40)
          controller.enqueue(new Uint8Array(small.subarray(at, at + 40)));
        controller.close();
      },
    });
    expect(await firstPixel(await post(restore, chunks))).toEqual(negative);
    const before = await sharp(noisy).raw().toBuffer();
    const response = await post(restore, noisy);
    const after = await sharp(await response.arrayBuffer())
      .raw()
      .toBuffer();
    expect(after.every((value, i) => value === 255 - (before[i] as number))).toBe(true);
    expect(pool.stats()).toMatchObject({ done: 4, memory: { taken: 0 } });
  });

  it('are refused with the reason, and whose fault it is', async () => {
    const { post, at } = await listening({ maxPixels: 1000 }, { maxBody: 100_000 });
    expect(await errorOf(await post(restore, Buffer.from('no image')))).toEqual([422, 'ERR_INVALID_IMAGE']);
    expect(await errorOf(await post(restore, Buffer.alloc(0)))).toEqual([422, 'ERR_INVALID_IMAGE']);
    expect(await errorOf(await post(restore, large))).toEqual([413, 'ERR_IMAGE_TOO_LARGE']);
    const gray = await sharp(small).toColourspace('b-w').png().toBuffer();
    expect(await errorOf(await post(restore, gray))).toEqual([422, 'ERR_IMAGE_CHANNELS']);
    expect((await post(`${restore}?gray=rgb`, gray)).status).toBe(200);
    for (const query of ['quality=0', 'format=bmp', 'pages=1', 'range=1', 'input=x', 'deadline=0'])
      expect(await errorOf(await post(`${restore}?${query}`, small))).toEqual([400, 'ERR_INVALID_ARGUMENT']);
    expect(await errorOf(await post(`${restore}?output=z`, small))).toEqual([400, 'ERR_INVALID_ARGUMENT']);
    for (const name of ['none', '..%2F..%2Fetc%2Fpasswd', '%00', 'constructor'])
      expect(await errorOf(await post(`/v1/models/${name}/restore`, small))).toEqual([
        404,
        'ERR_MODEL_NOT_FOUND',
      ]);
    expect(await errorOf(await fetch(`${at}/v1/nothing`))).toEqual([404, 'ERR_NOT_FOUND']);
    expect((await post(restore, small)).status).toBe(200);
  });

  it('are refused in forms that are none', async () => {
    const { post } = await listening({}, { idleTimeout: 500 });
    const form = (boundary: string) => ({ 'content-type': `multipart/form-data${boundary}` });
    const part = '--x\r\ncontent-disposition: form-data; name="a"; filename="a"\r\n\r\nabc';
    for (const [text, boundary] of [
      [part, '; boundary=x'],
      ['garbage', '; boundary=x'],
      [part, ''],
    ] as const) {
      const response = await post(restore, Buffer.from(text), form(boundary));
      expect([response.status, Math.floor(response.status / 100)]).toEqual([response.status, 4]);
    }
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) });
    expect(await errorOf(await post(restore, endless, form('; boundary=x')))).toEqual([
      411,
      'ERR_LENGTH_REQUIRED',
    ]);
  });

  it('of several requests at once on one connection end with it, and leave no files', async () => {
    const { port, pool } = await listening();
    const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('tlsc-serve-'));
    const before = await folders();
    const socket = connect(port, '127.0.0.1');
    const head = 'POST /v1/models/slow/restore HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    for (let i = 0; i < 3; i++) {
      socket.write(`${head}${large.byteLength.toString(16)}\r\n`);
      socket.write(large);
      socket.write('\r\n0\r\n\r\n');
    }
    while (pool.stats().running === 0) await setTimeout(1);
    socket.destroy();
    while (pool.stats().running + pool.stats().pending + pool.stats().memory.taken > 0) await setTimeout(5);
    await setTimeout(200);
    expect((await folders()).filter((name) => !before.includes(name))).toEqual([]);
  });

  it('are too large by what they say, or by what comes', async () => {
    const { post } = await listening({}, { maxBody: 100_000 });
    expect(await errorOf(await post(restore, noisy))).toEqual([413, 'ERR_IMAGE_TOO_LARGE']);
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(10_000)),
    });
    expect(await errorOf(await post(restore, endless))).toEqual([413, 'ERR_IMAGE_TOO_LARGE']);
    const form = new FormData();
    form.set('photo', new Blob([noisy.subarray(0, 99_990), new Uint8Array(11)]));
    expect(await errorOf(await post(restore, form))).toEqual([413, 'ERR_IMAGE_TOO_LARGE']);
  });

  it('that are too many are refused at once, and the others restored', async () => {
    const { post, pool } = await listening({ maxPending: 1 });
    const accepted = Array.from({ length: 3 }, () => post('/v1/models/slow/restore', large));
    while (!pool.isBusy) await setTimeout(1);
    const refused = await post('/v1/models/slow/restore', noisy);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await errorOf(refused)).toEqual([503, 'ERR_BUSY']);
    for (const response of await Promise.all(accepted))
      expect(await firstPixel(response)).toEqual([40, 90, 160]);
  });

  it('end with their clients, or with their deadline, and make room', async () => {
    const { post, pool, at } = await listening();
    const late = await post('/v1/models/slow/restore?deadline=20', large);
    expect(await errorOf(late)).toEqual([504, 'ERR_DEADLINE']);
    const controller = new AbortController();
    const gone = fetch(`${at}/v1/models/slow/restore`, {
      method: 'POST',
      body: large,
      signal: controller.signal,
    });
    while (pool.stats().running === 0) await setTimeout(1);
    controller.abort();
    await expect(gone).rejects.toThrow();
    while (pool.stats().memory.taken > 0) await setTimeout(1);
    expect(pool.stats()).toMatchObject({ running: 0, failed: { ERR_ABORTED: 1, ERR_DEADLINE: 1 } });
  });

  it('that never come whole are not waited for', async () => {
    const { port, pool } = await listening({}, { idleTimeout: 200 });
    const upload = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: restore,
      headers: { 'content-length': 1000 },
    });
    upload.on('error', () => {});
    upload.write(small.subarray(0, 20));
    const [response] = await once(upload, 'response');
    expect(response.statusCode).toBe(408);
    upload.destroy();
    while (pool.stats().pending > 0) await setTimeout(1);
  });
});

/** What a page of such a host is answered, that browsers have found there. */
async function statusFor(port: number, host: string): Promise<number | undefined> {
  const headers = { host, origin: `http://${host}` };
  const sent = request({ port, host: '127.0.0.1', path: '/v1/models', headers });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

describe('whoever asks', () => {
  it('needs a token where there are some', async () => {
    const path = join(folder, 'tokens');
    await writeFile(path, 'secret\n');
    const tokens = new Tokens(path);
    const { post, at } = await listening({}, { tokens });
    const refused = await post(restore, small);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(await errorOf(refused)).toEqual([401, 'ERR_UNAUTHORIZED']);
    expect((await post(restore, small, { authorization: 'Bearer secret' })).status).toBe(200);
    const open = ['/', '/page.js', '/page.css', '/livez', '/readyz', '/v2/health/live', '/v2/health/ready'];
    for (const url of open) expect((await fetch(at + url)).status).toBe(200);
    for (const url of ['/v1/models', '/metrics', '/openapi.json', '/v2', '/v2/models/inverted', '/none'])
      expect((await fetch(at + url)).status).toBe(401);
    tokens.close();
  });

  it('is no page of another origin', async () => {
    const { post, at, port } = await listening();
    for (const origin of ['https://elsewhere.example', 'null', 'http://127.0.0.1'])
      expect(await errorOf(await post(restore, small, { origin }))).toEqual([403, 'ERR_FORBIDDEN']);
    expect((await post(restore, small, { origin: at })).status).toBe(200);
    // A name of theirs that was made to stand for this machine, and one that is ours.
    expect(await statusFor(port, 'photos.example')).toBe(403);
    const known = await listening({}, { origins: ['http://photos.example'] });
    expect(await statusFor(known.port, 'photos.example')).toBe(200);
    expect(await statusFor(known.port, 'evil.example')).toBe(403);
  });
});

describe('operation', () => {
  it('is seen in metrics, health and the description', async () => {
    const readiness = { isReady: true };
    const { post, at } = await listening({}, { readiness });
    await post(restore, small);
    await post(restore, Buffer.from('no'));
    await post('/v1/models/none/restore', small);
    const metrics = await (await fetch(`${at}/metrics`)).text();
    expect(metrics).toContain('tlsc_requests_total{kind="restore",model="inverted",result="ok"} 1');
    expect(metrics).toContain(
      'tlsc_requests_total{kind="restore",model="inverted",result="ERR_INVALID_IMAGE"} 1',
    );
    expect(metrics).not.toContain('none');
    expect(metrics).toContain('tlsc_pixels_total{model="inverted"} 600');
    for (const name of [
      'tlsc_pending 0',
      'tlsc_work_seconds_count{model="inverted"} 1',
      'nodejs_eventloop_lag_p99_seconds',
      'process_resident_memory_bytes',
    ])
      expect(metrics).toContain(name);
    const { paths } = (await (await fetch(`${at}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths).sort()).toEqual(
      [
        '/livez',
        '/readyz',
        '/metrics',
        '/openapi.json',
        '/v1/models',
        '/v1/models/{model}/restore',
        '/v2',
        '/v2/health/live',
        '/v2/health/ready',
        '/v2/models/{model}',
        '/v2/models/{model}/ready',
        '/v2/models/{model}/infer',
      ].sort(),
    );
    expect((await fetch(`${at}/readyz`)).status).toBe(200);
    readiness.isReady = false;
    expect((await fetch(`${at}/readyz`)).status).toBe(503);
    expect((await fetch(`${at}/v2/health/ready`)).status).toBe(503);
    const alive = await fetch(`${at}/livez`);
    expect([alive.status, alive.headers.get('connection')]).toEqual([200, 'close']);
  });
});
