// A server from start to end, and the routes in somebody's app.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { createPool } from '@tlsc/api';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadService } from '../src/grpc/definition.js';
import { routes, serve } from '../src/index.js';
import { inverted } from './models.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-serve-'));
  await writeFile(join(folder, 'inverted.onnx'), inverted);
});
afterAll(() => rm(folder, { recursive: true }));

const options = () => ({ models: [folder], port: 0, drain: 1, pool: { concurrency: 1 } });

describe('serve', () => {
  it('answers over HTTP and gRPC until it is closed, and closes once', async () => {
    const served = await serve({ ...options(), grpcPort: 0 });
    expect(served.models).toEqual(['inverted']);
    expect(await (await fetch(`${served.address}/v2/models/inverted/ready`)).json()).toEqual({
      name: 'inverted',
      ready: true,
    });
    const client = new (await loadService())(`127.0.0.1:${served.grpcPort}`, credentials.createInsecure());
    const live = () =>
      new Promise((resolve, reject) => {
        client.ServerLive?.({}, (error: ServiceError | null, answer: unknown) =>
          error ? reject(error) : resolve(answer),
        );
      });
    expect(await live()).toEqual({ live: true });
    const closing = served.close();
    expect(served.close()).toBe(closing);
    await closing;
    await expect(live()).rejects.toThrow();
    client.close();
    await expect(fetch(`${served.address}/livez`)).rejects.toThrow();
  });

  it('leaves nothing behind where it cannot begin', async () => {
    const first = await serve(options());
    const port = Number(new URL(first.address).port);
    const inUse = expect.objectContaining({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('EADDRINUSE'),
    });
    await expect(serve({ ...options(), port })).rejects.toEqual(inUse);
    await expect(serve({ ...options(), grpcPort: port })).rejects.toMatchObject({ parameter: 'grpcPort' });
    await expect(serve({ ...options(), tokenFile: join(folder, 'none') })).rejects.toMatchObject({
      parameter: 'tokenFile',
    });
    await expect(serve({ ...options(), models: [] })).rejects.toMatchObject({ code: 'ERR_MODEL_NOT_FOUND' });
    await first.close();
  });

  it('can lie in an app of somebody, under a prefix', async () => {
    const pool = await createPool({ inverted }, { concurrency: 1 });
    const app = fastify();
    app.get('/mine', async () => 'mine');
    await app.register(routes, { pool, prefix: '/tlsc' });
    expect((await app.inject('/mine')).body).toBe('mine');
    expect((await app.inject('/tlsc/v1/models')).json()).toMatchObject({ models: [{ name: 'inverted' }] });
    expect((await app.inject('/tlsc/')).headers['content-type']).toBe('text/html; charset=utf-8');
    expect((await app.inject('/v1/models')).statusCode).toBe(404);
    await app.close();
    expect(pool.models).toEqual(['inverted']);
    await pool.close();
  });
});
