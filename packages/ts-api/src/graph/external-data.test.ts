import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { buildBytes, buildGraph, floats, halves, integers, valueInfo } from '../../test/build-model.js';
import { DataFile, type Entries, external, temporaryFolder } from '../../test/external-data.js';
import { InferenceSession } from '../session/inference-session.js';
import { Graph } from './graph.js';
import { decodeModel, loadModel } from './model.js';
import { makeNode, type NodeProto, type TensorProto } from './proto.js';

const folder = temporaryFolder();
const parent = temporaryFolder();
writeFileSync(join(folder, 'w.bin'), Buffer.from(Float32Array.of(1, 2, 3, 4).buffer));
writeFileSync(join(parent, 'secret.bin'), Buffer.alloc(64));
symlinkSync(join(parent, 'secret.bin'), join(folder, 'link.bin'));
symlinkSync(parent, join(folder, 'linked'));
mkdirSync(join(folder, 'sub'));
writeFileSync(join(folder, 'sub', 'v.bin'), Buffer.alloc(64));
mkdirSync(join(folder, '*', '_ORT_MEM_ADDR_', '*'), { recursive: true });

const add = makeNode('Add', ['x', 'w'], ['y'], { name: 'add' });

function save(initializer: readonly TensorProto[], node: readonly NodeProto[] = [add]): string {
  const path = join(folder, 'm.onnx');
  writeFileSync(path, buildBytes({ node, initializer }));
  return path;
}

function constantNode(tensor: TensorProto): NodeProto {
  const node = makeNode('Constant', [], ['w'], { name: 'weight' });
  const type = AttributeProto_AttributeType.TENSOR;
  node.attribute.push(create(AttributeProtoSchema, { name: 'value', type, t: tensor }));
  return node;
}

function branchWith(tensor: TensorProto): NodeProto {
  const g = buildGraph({
    node: [makeNode('Neg', ['inner'], ['z'])],
    initializer: [tensor],
    input: [],
    output: [valueInfo('z', [1])],
  });
  const branch = makeNode('If', ['condition'], ['y']);
  const type = AttributeProto_AttributeType.GRAPH;
  branch.attribute.push(create(AttributeProtoSchema, { name: 'then_branch', type, g }));
  return branch;
}

const whole = { location: 'w.bin', offset: '0', length: '16' };

describe('external data', () => {
  it('lies in the folder of the path, or in the one named for bytes', async () => {
    const path = save([external(floats('w', [4]), whole)]);
    expect((await loadModel(path)).model.externalDataFolder).toBe(folder);
    const { bytes } = await loadModel(path);
    expect((await loadModel(bytes, folder)).model.externalDataFolder).toBe(folder);
    await expect(loadModel(bytes)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'externalDataFolder',
      message: expect.stringMatching(/initializer w in w\.bin; name the folder/),
    });
    expect((await loadModel(save([floats('w', [4])]))).model.externalDataFolder).toBeUndefined();
  });

  it('stays there until someone asks for the values of a tensor', async () => {
    const file = new DataFile('sub/data.bin');
    const many = Array.from({ length: 200 }, (_, i) => i - 9);
    const initializer = [floats('w', [2], [5, 6]), integers('many', many), floats('v', [1], [7])];
    const moved = initializer.map((tensor) => file.take(tensor));
    writeFileSync(join(folder, 'sub', 'data.bin'), file.bytes);
    const { model } = await loadModel(save(moved));
    const graph = new Graph(model.graph, model.externalDataFolder);
    const [weight] = model.graph.initializer as [TensorProto];
    const { rawData } = graph.withValues(weight);
    expect([...new Float32Array(rawData.buffer, rawData.byteOffset, 2)]).toEqual([5, 6]);
    expect(graph.constantIntegers('many')).toEqual(many);
    expect(graph.constantIntegers('w')).toBeUndefined();
    expect(model.graph.initializer.map((tensor) => tensor.rawData.length)).toEqual([0, 0, 0]);
  });

  it('gives up what ONNX Runtime must find in the model', async () => {
    const file = new DataFile('sub/shapes.bin');
    const [shape, weight] = [integers('shape', [3, -4]), floats('w', [2])].map((one) => file.take(one));
    writeFileSync(join(folder, 'sub', 'shapes.bin'), file.bytes);
    const both = await loadModel(save([shape as TensorProto, weight as TensorProto]));
    expect(both.model.externalDataFolder).toBe(folder);
    expect(new Graph(both.model.graph).constantIntegers('shape')).toEqual([3, -4]);
    const alone = await loadModel(save([shape as TensorProto]));
    expect(alone.model.externalDataFolder).toBeUndefined();
    const again = decodeModel(alone.bytes, 'm');
    expect(new Graph(again.graph).constantIntegers('shape')).toEqual([3, -4]);
  });

  it.each<[string, Entries]>([
    ['without a length', { location: 'w.bin' }],
    ['in a folder of the folder', { location: 'sub/v.bin', offset: '48', length: '16' }],
    ['with a checksum', { ...whole, checksum: 'abc' }],
  ])('may lie %s', async (_, entries) => {
    await expect(loadModel(save([external(floats('w', [4]), entries)]))).resolves.toBeDefined();
  });

  it.each<[string, Entries, string]>([
    ['outside by dots', { location: '../secret.bin' }, "outside the model's folder"],
    ['outside by dots in the middle', { location: 'sub/../../secret.bin' }, "outside the model's folder"],
    ['at an absolute path', { location: join(folder, 'w.bin') }, "outside the model's folder"],
    ['on another drive', { location: 'C:\\w.bin' }, "outside the model's folder"],
    ['outside by a link', { location: 'link.bin' }, "a link out of the model's folder"],
    ['outside by a linked folder', { location: 'linked/secret.bin' }, "a link out of the model's folder"],
    ['at an address in memory', { location: '*/_ORT_MEM_ADDR_/*', offset: '4096' }, 'not a file'],
    ['nowhere', { location: '' }, 'a file without a name'],
    ['past the end', { ...whole, offset: '4' }, 'ends at 16 bytes, not 20'],
    ['at a negative offset', { ...whole, offset: '-4' }, '16 bytes from -4 on; it needs 16'],
    ['at an offset that is none', { ...whole, offset: '0x0' }, 'from 0x0 on'],
    ['in too few bytes', { ...whole, length: '12' }, 'takes 12 bytes from 0 on; it needs 16'],
    ['in too many bytes', { ...whole, length: '20' }, 'takes 20 bytes'],
  ])('cannot lie %s', async (_, entries, why) => {
    const error = await loadModel(save([external(floats('w', [4]), entries)])).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'ERR_INVALID_MODEL', message: expect.stringContaining(why) });
    expect((error as Error).message).toMatch(/m\.onnx: the model keeps initializer w in /);
    expect((error as Error).message).toContain(entries.location);
  });

  it('cannot be of a negative size', async () => {
    const tensor = floats('w', [4]);
    tensor.dims = [-4n, -1n];
    await expect(loadModel(save([external(tensor, whole)]))).rejects.toMatchObject({
      code: 'ERR_INVALID_MODEL',
      message: expect.stringContaining('a tensor with a negative size, initializer w'),
    });
  });

  it('names a file that is missing, and the folder that it is missing from', async () => {
    const path = save([external(floats('w', [4]), { location: 'gone.bin' })]);
    await expect(loadModel(path)).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
      message: `${path}: the model keeps initializer w in gone.bin: there is no such file in ${folder}`,
    });
  });

  it('is named by sessions, too, where it is missing or its folder is not known', async () => {
    const path = save([external(floats('w', [4]), { location: 'gone.bin' })]);
    await expect(InferenceSession.create(path)).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
      message: `${path}: the model keeps initializer w in gone.bin: there is no such file in ${folder}`,
    });
    const bytes = buildBytes({ node: [add], initializer: [external(floats('w', [4]), whole)] });
    await expect(InferenceSession.create(bytes)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'externalDataFolder',
    });
  });

  it('counts in nodes and branches, and by the size of the element', async () => {
    const short = { location: 'w.bin', length: '10' };
    await expect(loadModel(save([], [constantNode(external(floats('', [4]), short)), add]))).rejects.toThrow(
      'keeps the constant of weight in w.bin',
    );
    await expect(loadModel(save([], [branchWith(external(halves('inner', [4]), short))]))).rejects.toThrow(
      'keeps initializer inner in w.bin, of which it takes 10 bytes from 0 on; it needs 8',
    );
  });
});
