// The Open Inference Protocol, over HTTP and gRPC; the table in docs/serving.md goes through the same points.
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { createPool, type RestorationPool } from '@tlsc/api';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadService } from '../src/grpc/definition.js';
import { createApp, type GrpcServer, Metrics, startGrpc } from '../src/index.js';
import { identity, inverted, sumAndDifference, types } from './models.js';

/** Made of the definition when the test runs. */
interface Client {
  readonly close: () => void;
  readonly [method: string]: (
    request: object,
    metadata: Metadata,
    back: (error: ServiceError | null, answer: unknown) => void,
  ) => void;
}

async function clientAt(port: number): Promise<Client> {
  return new (await loadService())(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as Client;
}

let app: FastifyInstance;
let pool: RestorationPool;
let grpc: GrpcServer;
let at = '';
let client: Client;

beforeAll(async () => {
  const identities = Object.entries(types).map(
    ([name, type]) => [name.toLowerCase(), identity(type)] as const,
  );
  pool = await createPool(
    { ...Object.fromEntries(identities), inverted, both: sumAndDifference },
    { concurrency: 1 },
  );
  const metrics = new Metrics(pool);
  app = await createApp({ pool, metrics });
  await app.listen({ host: '127.0.0.1', port: 0 });
  at = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  grpc = await startGrpc({
    pool,
    metrics,
    readiness: { isReady: true },
    maxBody: 1e6,
    host: '127.0.0.1',
    port: 0,
  });
  client = await clientAt(grpc.port);
});
afterAll(async () => {
  client.close();
  await grpc.close();
  await app.close();
  await pool.close();
});

async function get(path: string): Promise<unknown> {
  const response = await fetch(at + path);
  return [response.status, await response.json()];
}

function post(
  model: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${at}/v2/models/${model}/infer`, { method: 'POST', body: Buffer.from(body), headers });
}

async function answerOf(response: Response): Promise<unknown> {
  return [response.status, await response.json()];
}

const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** JSON with bytes behind it. */
function binary(model: string, request: object, ...tail: Uint8Array[]): Promise<Response> {
  const json = Buffer.from(JSON.stringify(request));
  const headers = { 'inference-header-content-length': String(json.length) };
  return post(model, Buffer.concat([json, ...tail]), headers);
}

/** The JSON of an answer, and the bytes behind it. */
async function split(response: Response): Promise<[unknown, Uint8Array]> {
  const body = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get('inference-header-content-length'));
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  return [JSON.parse(body.toString('utf8', 0, length)), new Uint8Array(body.subarray(length))];
}

const ab = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [1, 2], data: [5, 7] },
    { name: 'b', datatype: 'FP32', shape: [1, 2], data: [[1, 2]] },
  ],
};
const sum = { name: 'sum', datatype: 'FP32', shape: [1, 2], data: [6, 9] };
const difference = { name: 'difference', datatype: 'FP32', shape: [1, 2], data: [4, 5] };

describe('the Open Inference Protocol over HTTP', () => {
  it('tells of the server, its health and its models', async () => {
    expect(await get('/v2/health/live')).toEqual([200, { live: true }]);
    expect(await get('/v2/health/ready')).toEqual([200, { live: true, ready: true }]);
    const server = {
      name: 'tlsc',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      extensions: ['binary_tensor_data'],
    };
    expect(await get('/v2')).toEqual([200, server]);
    expect(await get('/v2/')).toEqual([200, server]);
    expect(await get('/v2/models/inverted')).toEqual([
      200,
      {
        name: 'inverted',
        platform: 'onnx_onnxv1',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, -1, -1] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3, -1, -1] }],
      },
    ]);
    expect(await get('/v2/models/inverted/ready')).toEqual([200, { name: 'inverted', ready: true }]);
    for (const path of ['/v2/models/none', '/v2/models/none/ready', '/v2/models/inverted/versions/1'])
      expect(await get(path)).toEqual([404, { error: expect.any(String) }]);
  });

  it('runs models, and gives what is asked for', async () => {
    expect(await answerOf(await post('both', JSON.stringify(ab)))).toEqual([
      200,
      { model_name: 'both', outputs: [sum, difference] },
    ]);
    const some = { ...ab, id: 'seven', parameters: { anything: 1 }, outputs: [{ name: 'difference' }] };
    expect(await answerOf(await post('both', JSON.stringify(some)))).toEqual([
      200,
      { model_name: 'both', id: 'seven', outputs: [difference] },
    ]);
  });

  it('takes and gives bytes', async () => {
    const input = (name: string) => ({
      name,
      datatype: 'FP32',
      shape: [1, 2],
      parameters: { binary_data_size: 8 },
    });
    const request = {
      id: '1',
      inputs: [input('a'), input('b')],
      outputs: [{ name: 'sum', parameters: { binary_data: true } }, { name: 'difference' }],
    };
    const response = await binary('both', request, f32(5, 7), f32(1, 2));
    const [json, tail] = await split(response);
    expect(json).toEqual({
      model_name: 'both',
      id: '1',
      outputs: [
        { name: 'sum', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } },
        difference,
      ],
    });
    expect(tail).toEqual(f32(6, 9));
    const all = { inputs: [input('a'), input('b')], parameters: { binary_data_output: true } };
    expect((await split(await binary('both', all, f32(5, 7), f32(1, 2))))[1]).toEqual(f32(6, 9, 4, 5));
  });

  it.each([
    ['BOOL', [true, false], undefined],
    ['UINT8', [0, 255], undefined],
    ['UINT16', [0, 65535], undefined],
    ['UINT32', [0, 4294967295], undefined],
    ['UINT64', [0, 2 ** 53 - 1], undefined],
    ['INT8', [-128, 127], undefined],
    ['INT16', [-32768, 32767], undefined],
    ['INT32', [-2147483648, 2147483647], undefined],
    ['INT64', [-(2 ** 53) + 1, 5], undefined],
    ['FP32', [0.5, -2], undefined],
    ['FP64', [0.1, 1e300], undefined],
    ['FP16', undefined, Uint8Array.of(0, 0x3c, 0, 0xc0)],
  ] as const)('carries %s', async (datatype, data, bytes) => {
    const model = datatype.toLowerCase();
    const input = { name: 'x', datatype, shape: [2] };
    if (data)
      expect(await answerOf(await post(model, JSON.stringify({ inputs: [{ ...input, data }] })))).toEqual([
        200,
        { model_name: model, outputs: [{ name: 'y', datatype, shape: [2], data }] },
      ]);
    if (!bytes) return;
    const request = {
      inputs: [{ ...input, parameters: { binary_data_size: bytes.length } }],
      parameters: { binary_data_output: true },
    };
    expect((await split(await binary(model, request, bytes)))[1]).toEqual(bytes);
  });

  it('writes what JSON has no number for as null', async () => {
    const request = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } }],
    };
    const response = await binary('fp32', request, f32(Number.NaN, Number.POSITIVE_INFINITY));
    expect(await response.json()).toMatchObject({ outputs: [{ data: [null, null] }] });
  });

  it('answers large tensors as they are', async () => {
    const data = Array.from({ length: 50_000 }, (_, i) => i / 2);
    const request = { inputs: [{ name: 'x', datatype: 'FP64', shape: [50_000], data }] };
    const { outputs } = (await (await post('fp64', JSON.stringify(request))).json()) as {
      outputs: { data: number[] }[];
    };
    expect(outputs[0]?.data).toEqual(data);
  });

  it.each([
    ['no JSON', 'both', '{', 400, /no JSON/],
    ['nothing', 'both', '', 400, /empty/],
    ['an unknown model', 'none', '{"inputs":[]}', 404, /no model/],
    ['a missing input', 'both', '{"inputs":[]}', 400, /input a/],
    [
      'an unknown input',
      'fp32',
      '{"inputs":[{"name":"z","datatype":"FP32","shape":[1],"data":[1]}]}',
      400,
      /z/,
    ],
    [
      'the same input twice',
      'fp32',
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]},{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}',
      400,
      /twice/,
    ],
    [
      'another type',
      'fp32',
      '{"inputs":[{"name":"x","datatype":"INT8","shape":[1],"data":[1]}]}',
      400,
      /x must be/,
    ],
    [
      'another shape',
      'both',
      '{"inputs":[{"name":"a","datatype":"FP32","shape":[1],"data":[1]},{"name":"b","datatype":"FP32","shape":[1,2],"data":[1,2]}]}',
      400,
      /a must be/,
    ],
    [
      'shapes that do not go together',
      'both',
      '{"inputs":[{"name":"a","datatype":"FP32","shape":[2,2],"data":[1,2,3,4]},{"name":"b","datatype":"FP32","shape":[3,2],"data":[1,2,3,4,5,6]}]}',
      400,
      /./,
    ],
    [
      'an unknown output',
      'fp32',
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}],"outputs":[{"name":"z"}]}',
      400,
      /no output z/,
    ],
    [
      'FP16 as JSON',
      'fp16',
      '{"inputs":[{"name":"x","datatype":"FP16","shape":[1],"parameters":{"binary_data_size":2}}]}',
      400,
      /./,
    ],
  ])('says what is wrong with %s', async (_, model, body, code, message) => {
    const response = await post(model, body);
    expect(await answerOf(response)).toEqual([code, { error: expect.stringMatching(message) }]);
  });

  it('refuses what would take long to look at, and goes on', async () => {
    const many = `{"inputs":[${'{"name":"x","datatype":"FP32","shape":[0],"data":[]},'.repeat(30_000)}{}]}`;
    expect((await post('fp32', many)).status).toBe(400);
    const names = Array.from({ length: 30_000 }, (_, i) => ({
      name: `x${i}`,
      datatype: 'FP32',
      shape: [0],
      data: [],
    }));
    expect((await post('fp32', JSON.stringify({ inputs: names }))).status).toBe(400);
    const tooLong = await post('fp32', `{"inputs":[${' '.repeat(16e6)}]}`);
    expect(await answerOf(tooLong)).toEqual([413, { error: expect.stringMatching(/send tensors as bytes/) }]);
    expect(tooLong.headers.get('connection')).toBe('close');
    const long = await post(
      'fp32',
      JSON.stringify({ inputs: [{ name: 'x'.repeat(100_000), datatype: 'y', shape: [] }] }),
    );
    expect((await long.text()).length).toBeLessThan(2000);
    expect((await post('both', JSON.stringify(ab))).status).toBe(200);
  });

  it('takes null for what may be left out, and nothing twice', async () => {
    const nulls = { ...ab, id: null, parameters: null, outputs: null };
    expect((await post('both', JSON.stringify(nulls))).status).toBe(200);
    const twice = { ...ab, outputs: [{ name: 'sum' }, { name: 'sum' }] };
    expect(await answerOf(await post('both', JSON.stringify(twice)))).toEqual([
      400,
      { error: expect.stringMatching(/twice/) },
    ]);
  });

  it('unpacks nothing', async () => {
    const response = await post('both', JSON.stringify(ab), { 'content-encoding': 'gzip' });
    expect(response.status).toBe(415);
  });

  it('gives whoever was let in the model that was there', async () => {
    await pool.load('passing', sumAndDifference);
    let send: (text: string) => void = () => {};
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(' '));
        send = (text) => {
          controller.enqueue(new TextEncoder().encode(text));
          controller.close();
        };
      },
    });
    const before = pool.stats().pending;
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    const answered = fetch(`${at}/v2/models/passing/infer`, init);
    while (pool.stats().pending === before) await setTimeout(1);
    await pool.unload('passing');
    send(JSON.stringify(ab));
    expect((await answered).status).toBe(200);
  });

  it('wants a number where it wants one', async () => {
    const response = await post('both', '{}', { 'inference-header-content-length': 'x' });
    expect(await answerOf(response)).toEqual([400, { error: expect.stringMatching(/number of bytes/) }]);
  });
});

function call(method: string, request: object, metadata = new Metadata(), at = client): Promise<unknown> {
  return new Promise((resolve, reject) => {
    at[method]?.(request, metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function failureOf(method: string, request: object): Promise<[number, string]> {
  try {
    await call(method, request);
  } catch (error) {
    const { code, details } = error as ServiceError;
    return [code, details];
  }
  return [status.OK, ''];
}

describe('the Open Inference Protocol over gRPC', () => {
  it('tells of the server, its health and its models', async () => {
    expect(await call('ServerLive', {})).toEqual({ live: true });
    expect(await call('ServerReady', {})).toEqual({ ready: true });
    expect(await call('ModelReady', { name: 'inverted' })).toEqual({ ready: true });
    expect(await call('ModelReady', { name: 'none' })).toEqual({ ready: false });
    expect(await call('ServerMetadata', {})).toMatchObject({
      name: 'tlsc',
      extensions: ['binary_tensor_data'],
    });
    expect(await call('ModelMetadata', { name: 'inverted' })).toMatchObject({
      name: 'inverted',
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '3', '-1', '-1'] }],
    });
    expect((await failureOf('ModelMetadata', { name: 'none' }))[0]).toBe(status.NOT_FOUND);
  });

  it('runs models on raw contents and on lists', async () => {
    const raw = {
      model_name: 'both',
      id: '9',
      inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 2] })),
      outputs: [{ name: 'difference' }],
      raw_input_contents: [f32(5, 7), f32(1, 2)].map((bytes) => Buffer.from(bytes)),
    };
    expect(await call('ModelInfer', raw)).toMatchObject({
      model_name: 'both',
      id: '9',
      outputs: [{ name: 'difference', datatype: 'FP32', shape: ['1', '2'] }],
      raw_output_contents: [Buffer.from(f32(4, 5))],
    });
  });

  it.each([
    ['BOOL', { bool_contents: [true, false] }, Uint8Array.of(1, 0)],
    ['INT8', { int_contents: [-1, 2] }, Int8Array.of(-1, 2)],
    ['INT16', { int_contents: [-1, 2] }, Int16Array.of(-1, 2)],
    ['INT32', { int_contents: [-1, 2] }, Int32Array.of(-1, 2)],
    ['INT64', { int64_contents: ['-9223372036854775808', 2] }, BigInt64Array.of(-(2n ** 63n), 2n)],
    ['UINT8', { uint_contents: [1, 2] }, Uint8Array.of(1, 2)],
    ['UINT16', { uint_contents: [1, 2] }, Uint16Array.of(1, 2)],
    ['UINT32', { uint_contents: [1, 2] }, Uint32Array.of(1, 2)],
    ['UINT64', { uint64_contents: ['18446744073709551615', 2] }, BigUint64Array.of(2n ** 64n - 1n, 2n)],
    ['FP32', { fp32_contents: [0.5, 2] }, Float32Array.of(0.5, 2)],
    ['FP64', { fp64_contents: [0.1, 2] }, Float64Array.of(0.1, 2)],
  ])('carries %s', async (datatype, contents, expected) => {
    const input = { name: 'x', datatype, shape: [2] };
    const request = { model_name: datatype.toLowerCase(), inputs: [{ ...input, contents }] };
    const { raw_output_contents: raw } = (await call('ModelInfer', request)) as {
      raw_output_contents: Buffer[];
    };
    expect(new Uint8Array(raw[0] as Buffer)).toEqual(new Uint8Array(expected.buffer));
    const again = { ...request, inputs: [input], raw_input_contents: raw };
    expect(await call('ModelInfer', again)).toMatchObject({ raw_output_contents: raw });
  });

  it.each([
    ['an unknown model', { model_name: 'none' }, status.NOT_FOUND, /no model/],
    ['no inputs', { model_name: 'fp32' }, status.INVALID_ARGUMENT, /x/],
    [
      'an input without contents',
      { model_name: 'fp32', inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }] },
      status.INVALID_ARGUMENT,
      /contents/,
    ],
    [
      'too few values',
      {
        model_name: 'fp32',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [2], contents: { fp32_contents: [1] } }],
      },
      status.INVALID_ARGUMENT,
      /1 values, and its shape has 2/,
    ],
    [
      'FP16 in a list',
      {
        model_name: 'fp16',
        inputs: [{ name: 'x', datatype: 'FP16', shape: [1], contents: { int_contents: [1] } }],
      },
      status.INVALID_ARGUMENT,
      /raw/,
    ],
    [
      'raw contents for some',
      {
        model_name: 'both',
        inputs: [
          { name: 'a', datatype: 'FP32', shape: [1, 2] },
          { name: 'b', datatype: 'FP32', shape: [1, 2] },
        ],
        raw_input_contents: [Buffer.alloc(8)],
      },
      status.INVALID_ARGUMENT,
      /for all, or for none/,
    ],
    [
      'a negative side',
      {
        model_name: 'fp32',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1], contents: { fp32_contents: [1] } }],
      },
      status.INVALID_ARGUMENT,
      /shape/,
    ],
    [
      'an unknown output',
      {
        model_name: 'fp32',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1], contents: { fp32_contents: [1] } }],
        outputs: [{ name: 'z' }],
      },
      status.INVALID_ARGUMENT,
      /no output z/,
    ],
    [
      'too large a message',
      {
        model_name: 'fp32',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [300_000] }],
        raw_input_contents: [Buffer.alloc(1_200_000)],
      },
      status.RESOURCE_EXHAUSTED,
      /larger/,
    ],
  ])('says what is wrong with %s', async (_, request, code, message) => {
    expect(await failureOf('ModelInfer', request)).toEqual([code, expect.stringMatching(message)]);
  });

  it('needs a token where there are some', async () => {
    const options = {
      pool,
      metrics: new Metrics(pool),
      readiness: { isReady: false },
      maxBody: 1e6,
      host: '127.0.0.1',
      port: 0,
    };
    const tokens = { admits: (header: string | undefined) => header === 'Bearer secret' } as never;
    const guarded = await startGrpc({ ...options, tokens });
    const other = await clientAt(guarded.port);
    const ask = (method: string, metadata = new Metadata()) => call(method, {}, metadata, other);
    expect(await ask('ServerReady')).toEqual({ ready: false });
    await expect(ask('ServerMetadata')).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer secret');
    expect(await ask('ServerMetadata', metadata)).toMatchObject({ name: 'tlsc' });
    // Before the message is read, whatever it would take.
    const zeros = Array.from({ length: 300_000 }, () => 1);
    const large = {
      model_name: 'int64',
      inputs: [{ name: 'x', datatype: 'INT64', shape: [1], contents: { int64_contents: zeros } }],
    };
    await expect(call('ModelInfer', large, new Metadata(), other)).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    other.close();
    await guarded.close();
  });
});
