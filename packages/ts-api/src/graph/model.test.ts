import { NodeProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import {
  buildBytes,
  buildFunction,
  buildModel,
  choose,
  floats,
  ownDomain,
  withFunctions,
} from '../../test/build-model.js';
import { decodeModel, encodeModel, loadModel } from './model.js';
import { makeNode, shallowCopy } from './proto.js';

const relu = { node: [makeNode('Relu', ['x'], ['y'])] };

describe('decodeModel', () => {
  it('keeps fields that the schema does not know', () => {
    // Field 999, a string of three bytes, behind an ordinary model.
    const unknown = Uint8Array.from([0xba, 0x3e, 0x03, 0x61, 0x62, 0x63]);
    const bytes = Buffer.concat([buildBytes(relu), unknown]);
    expect(Buffer.from(encodeModel(decodeModel(bytes, 'm'))).includes(Buffer.from(unknown))).toBe(true);
  });

  it.each([
    ['text', Buffer.from('this is not a model at all')],
    ['nothing', new Uint8Array()],
    ['a PNG', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
    ['half a model', buildBytes({ ...relu, initializer: [floats('w', [100])] }).subarray(0, 200)],
  ])('refuses %s and names the file', (_, bytes) => {
    expect(() => decodeModel(bytes, 'photo.onnx')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_MODEL', message: expect.stringContaining('photo.onnx') }),
    );
  });
});

describe('loadModel', () => {
  const circle = [
    makeNode('Relu', ['x'], ['r']),
    makeNode('Add', ['r', 'c'], ['a'], { name: 'one' }),
    makeNode('Neg', ['a'], ['b'], { name: 'two' }),
    makeNode('Abs', ['b'], ['c'], { name: 'three' }),
    makeNode('Exp', ['c'], ['y'], { name: 'after' }),
  ];
  const inBranch = [
    choose('yes', 'y', {
      whenTrue: circle.map((node) => shallowCopy(NodeProtoSchema, node)),
      whenFalse: circle.slice(0, 1),
    }),
  ];
  const aroundBranch = [
    choose(
      'yes',
      'b',
      { whenTrue: [makeNode('Neg', ['a'], ['inner'])], whenFalse: circle.slice(0, 1) },
      'two',
    ),
    makeNode('Abs', ['b'], ['a'], { name: 'one' }),
    makeNode('Exp', ['b'], ['y'], { name: 'after' }),
  ];
  const inFunction = withFunctions(
    buildModel({ node: [makeNode('Circle', ['x'], ['y'], { domain: ownDomain })] }),
    [buildFunction('Circle', { input: ['x'], output: ['y'], node: circle })],
  );

  it.each([
    ['in the graph', buildBytes({ node: circle })],
    ['in a branch', buildBytes({ node: inBranch })],
    ['through a branch', buildBytes({ node: aroundBranch })],
    ['in a function', encodeModel(inFunction)],
  ])('refuses what goes in a circle %s, and names a node of it', async (_, bytes) => {
    await expect(loadModel(bytes)).rejects.toMatchObject({
      code: 'ERR_INVALID_MODEL',
      message: expect.stringMatching(/^the model goes in a circle at (one|two|three)$/),
    });
  });

  it('refuses a Split without one of its parts, which ONNX Runtime does not survive', async () => {
    const bytes = buildBytes({ node: [makeNode('Split', ['x'], ['', 'y'], { name: 'parting' })] });
    await expect(loadModel(bytes)).rejects.toThrow('a node parting (Split) that leaves out one of its parts');
  });

  it('takes nodes in any order, and long chains of them', async () => {
    const chain = Array.from({ length: 20_000 }, (_, i) =>
      makeNode('Relu', [i === 0 ? 'x' : `v${i}`], [`v${i + 1}`]),
    );
    const { model } = await loadModel(buildBytes({ node: chain.reverse() }));
    expect(model.graph.node).toHaveLength(20_000);
  });

  it('names a file that is not there', async () => {
    const missing = loadModel('no/such/model.onnx');
    await expect(missing).rejects.toMatchObject({
      code: 'ERR_MODEL_NOT_FOUND',
      message: expect.stringContaining('no/such/model.onnx'),
    });
  });

  it('refuses what is neither a path nor bytes', async () => {
    await expect(loadModel(7 as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      parameter: 'model',
    });
  });
});
