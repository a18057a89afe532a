import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildBytes, floats, integers, valueInfo } from '../test/build-model.js';
import { DataFile, external, temporaryFolder } from '../test/external-data.js';
import { largestDifference, noise } from '../test/reference.js';
import { type Conversion, convert } from './convert.js';
import { loadModel } from './graph/model.js';
import { makeNode, type TensorProto } from './graph/proto.js';
import { inspect } from './inspect.js';
import { InferenceSession } from './session/inference-session.js';
import { verify } from './verify.js';
import { writeModel } from './write-model.js';

const constant = makeNode('Constant', [], ['offset']);
/** Channel attention by Linear layers: the converter needs the weights' values, and the shapes'. */
const node = [
  makeNode('GlobalAveragePool', ['x'], ['pooled'], { name: 'pool' }),
  makeNode('Reshape', ['pooled', 'flat'], ['rows']),
  makeNode('Gemm', ['rows', 'weight', 'bias'], ['fc'], { name: 'linear', attributes: { transB: 1 } }),
  makeNode('Reshape', ['fc', 'planes'], ['gate']),
  makeNode('Mul', ['x', 'gate'], ['scaled']),
  makeNode('Conv', ['scaled', 'kernel'], ['z']),
  constant,
  makeNode('Add', ['z', 'offset'], ['y']),
];
const initializer = [
  floats('weight', [3, 3]),
  floats('bias', [3]),
  floats('kernel', [3, 3, 1, 1]),
  integers('flat', [0, 3]),
  integers('planes', [0, 3, 1, 1]),
];
const addend = floats('', [1, 3, 1, 1]);

function setConstant(t = addend): void {
  const type = AttributeProto_AttributeType.TENSOR;
  constant.attribute = [create(AttributeProtoSchema, { name: 'value', type, t })];
}

const folder = temporaryFolder();
const elsewhere = temporaryFolder();
const model = join(folder, 'model.onnx');
const inline = join(folder, 'inline.onnx');
setConstant();
writeFileSync(inline, buildBytes({ node, initializer }));
const data = new DataFile('weights.bin');
const moved = initializer.map((tensor) => data.take(tensor));
setConstant(data.take(addend));
writeFileSync(model, buildBytes({ node, initializer: moved }));
writeFileSync(join(folder, 'weights.bin'), data.bytes);

const x = noise([1, 3, 48, 40]);

async function outputOf(path: string | Uint8Array, externalDataFolder?: string): Promise<Float32Array> {
  const session = await InferenceSession.create(path, { externalDataFolder });
  const { y } = await session.run({ x });
  await session.release();
  return y?.data as Float32Array;
}

let conversion: Conversion;
beforeEach(async () => {
  conversion = await convert(model, { trainSize: 16 });
});

describe('a model with external data', () => {
  it('is converted as if it had none', async () => {
    const expected = await convert(inline, { trainSize: 16 });
    expect(conversion.report).toEqual(expected.report);
    expect(conversion.externalDataFolder).toBe(folder);
    expect(expected.externalDataFolder).toBeUndefined();
    const output = await outputOf(conversion.model, folder);
    expect(largestDifference(output, await outputOf(expected.model))).toBeLessThan(1e-6);
    const original = await outputOf(inline);
    expect(largestDifference(output, original)).toBeGreaterThan(1e-3);
    // ONNX Runtime alone would not load these, since shapes of theirs are external.
    expect(await outputOf(model)).toEqual(original);
    expect(await outputOf(readFileSync(model), folder)).toEqual(original);
  });

  it('is converted, inspected and verified from bytes, too', async () => {
    const bytes = readFileSync(model);
    const options = { externalDataFolder: folder };
    const { report } = await convert(bytes, { trainSize: 16, ...options });
    expect(report).toEqual(conversion.report);
    expect((await inspect(bytes, { trainSize: 16, ...options })).statistics).toHaveLength(1);
    const checked = await verify(bytes, conversion.model, { fullSize: 40, ...options });
    expect(checked).toMatchObject({ passed: true });
    for (const attempt of [
      () => convert(bytes, { trainSize: 16 }),
      () => inspect(bytes),
      () => verify(bytes, conversion.model),
      () => inspect(bytes, { externalDataFolder: 7 as never }),
    ])
      await expect(attempt()).rejects.toMatchObject({ parameter: 'externalDataFolder' });
  });
});

describe('writeModel', () => {
  it('keeps references in the folder of the original', async () => {
    const path = join(folder, 'model.local.onnx');
    expect(await writeModel(conversion, path)).toEqual([path]);
    expect(readFileSync(path)).toEqual(Buffer.from(conversion.model));
    expect(await outputOf(path)).toEqual(await outputOf(conversion.model, folder));
    expect(await verify(model, path, { fullSize: 40 })).toMatchObject({ passed: true });
    await rm(path);
  });

  it('takes the tensors that are still in use along into another folder', async () => {
    const path = join(elsewhere, 'taken.onnx');
    expect(await writeModel(conversion, path)).toEqual([`${path}.data`, path]);
    expect(await outputOf(path)).toEqual(await outputOf(conversion.model, folder));
    const { model: written } = await loadModel(path);
    const inFile = written.graph.initializer.filter(({ externalData }) => externalData.length > 0);
    expect(inFile.map(({ name }) => name)).toEqual(['kernel']);
    const locations = inFile.flatMap(({ externalData }) => externalData.map(({ value }) => value));
    expect(locations).toEqual(['taken.onnx.data', '0', '36']);
    expect(statSync(`${path}.data`).size).toBe(64 + 12);
  });

  it('copies tensors that are larger than what it holds in memory', async () => {
    const count = 5 * 2 ** 20 + 3;
    const place = temporaryFolder();
    const table = Float32Array.from({ length: count }, (_, i) => i);
    writeFileSync(join(place, 'table.bin'), table);
    const tensor = external(floats('table', [1], [0]), { location: 'table.bin' });
    tensor.dims = [BigInt(count)];
    const picked = [
      makeNode('GlobalAveragePool', ['x'], ['pooled']),
      makeNode('Mul', ['x', 'pooled'], ['scaled']),
      makeNode('Gather', ['table', 'first'], ['number']),
      makeNode('Add', ['scaled', 'number'], ['y']),
    ];
    const path = join(place, 'm.onnx');
    writeFileSync(path, buildBytes({ node: picked, initializer: [tensor, integers('first', [0])] }));
    const target = join(elsewhere, 'large.onnx');
    await writeModel(await convert(path, { trainSize: 16 }), target);
    expect(readFileSync(`${target}.data`).equals(Buffer.from(table.buffer))).toBe(true);
  });

  it('writes a model without external data as it is', async () => {
    const path = join(elsewhere, 'inline.local.onnx');
    const inlined = await convert(inline, { trainSize: 16 });
    expect(await writeModel(inlined, path)).toEqual([path]);
    expect(readFileSync(path)).toEqual(Buffer.from(inlined.model));
  });

  it('leaves nothing behind when it fails', async () => {
    const taken = join(temporaryFolder(), 'taken');
    mkdirSync(taken);
    await expect(writeModel(conversion, taken)).rejects.toMatchObject({
      code: 'ERR_NOT_WRITABLE',
      message: `cannot write ${taken}: it is a folder`,
    });
    expect(readdirSync(join(taken, '..'))).toEqual(['taken']);
    await expect(writeModel(conversion, join(taken, 'no', 'm.onnx'))).rejects.toMatchObject({
      code: 'ERR_NOT_WRITABLE',
      message: expect.stringContaining('there is no folder'),
    });
  });

  it('leaves nothing behind when it is aborted on the way', async () => {
    const target = temporaryFolder();
    const controller = new AbortController();
    const writing = writeModel(conversion, join(target, 'm.onnx'), { signal: controller.signal });
    controller.abort();
    await expect(writing).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(readdirSync(target)).toEqual([]);
  });

  it('never writes over the weights of the original', async () => {
    await expect(writeModel(conversion, join(folder, 'weights.bin'))).rejects.toMatchObject({
      code: 'ERR_NOT_WRITABLE',
      message: expect.stringContaining('would overwrite weights of the original model'),
    });
    const deep = join(folder, 'deep');
    mkdirSync(deep);
    const file = new DataFile('deep/m.onnx.data');
    const path = join(folder, 'deep.onnx');
    setConstant();
    writeFileSync(path, buildBytes({ node, initializer: initializer.map((tensor) => file.take(tensor)) }));
    writeFileSync(join(deep, 'm.onnx.data'), file.bytes);
    const other = await convert(path, { trainSize: 16 });
    await expect(writeModel(other, join(deep, 'm.onnx'))).rejects.toMatchObject({ code: 'ERR_NOT_WRITABLE' });
    expect(readFileSync(join(deep, 'm.onnx.data'))).toEqual(Buffer.from(file.bytes));
  });

  it('says so when the weights have gone meanwhile', async () => {
    await expect(
      writeModel({ ...conversion, externalDataFolder: elsewhere }, join(elsewhere, 'm.onnx')),
    ).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
      message: expect.stringContaining('weights.bin'),
    });
  });
});

/** A table of 2.2 GB, all holes but for the last row. */
const rows = 2 ** 23 + 2 ** 19;
const rowBytes = 64 * 4;
const { bavail, bsize } = await statfs(folder);

describe('a model of more than 2 GB', () => {
  it.skipIf(bavail * bsize < 2 * rows * rowBytes)('is converted, run and taken along', async () => {
    const place = temporaryFolder();
    const table = await open(join(place, 'table.bin'), 'w');
    const values = Float32Array.from({ length: 64 }, (_, i) => (i + 1) / 8);
    await table.write(Buffer.from(values.buffer), 0, rowBytes, (rows - 1) * rowBytes);
    await table.close();
    expect(statSync(join(place, 'table.bin')).size).toBeGreaterThan(2 ** 31);
    const end = { location: 'table.bin', offset: String((rows - 1) * rowBytes) };
    const initializer = [
      external(floats('table', [0]), { location: 'table.bin' }),
      external(floats('last', [3, 1, 1], [0, 0, 0]), end),
      integers('zero', [0]),
      integers('one', [1]),
      integers('two', [2]),
    ];
    (initializer[0] as TensorProto).dims = [BigInt(rows), 64n];
    const scaled = [
      makeNode('GlobalAveragePool', ['x'], ['pooled']),
      makeNode('Mul', ['x', 'pooled'], ['scaled']),
      makeNode('Add', ['scaled', 'last'], ['y']),
    ];
    const gathered = [
      makeNode('Shape', ['x'], ['sizes']),
      makeNode('Slice', ['sizes', 'zero', 'one'], ['batch']),
      makeNode('Sub', ['batch', 'two'], ['index']), // -1, the last row, known at run time only.
      makeNode('Gather', ['table', 'index'], ['row']),
    ];
    const output = [valueInfo('y', ['n', 'c', 'h', 'w']), valueInfo('row', [1, 64])];
    const path = join(place, 'large.onnx');
    writeFileSync(path, buildBytes({ node: [...scaled, ...gathered], initializer, output }));
    const local = join(place, 'large.local.onnx');
    await writeModel(await convert(path, { trainSize: 16 }), local);
    const session = await InferenceSession.create(local);
    const { row } = await session.run({ x });
    expect(row?.data).toEqual(values);
    await session.release();

    writeFileSync(path, buildBytes({ node: scaled, initializer: initializer.slice(1, 2) }));
    const taken = join(elsewhere, 'small.onnx');
    await writeModel(await convert(path, { trainSize: 16 }), taken);
    expect(readFileSync(`${taken}.data`)).toEqual(Buffer.from(values.buffer, 0, 12));
    await rm(join(place, 'table.bin'));
  });
});
