import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import {
  buildFunction,
  buildModel,
  choose,
  floats,
  image,
  integers,
  valueInfo,
  withFunctions,
} from '../../test/build-model.js';
import { faultsOf } from '../../test/graph-faults.js';
import { faultsOfInlining } from '../../test/inlining-faults.js';
import { inlineFunctions } from './inline-functions.js';
import { tensorTypeOf } from './inputs.js';
import { encodeModel, type Model } from './model.js';
import { allOf, DataType, makeNode, type NodeOptions, type NodeProto } from './proto.js';

const call = (name: string, input: string[], output: string[], options: NodeOptions = {}) =>
  makeNode(name, input, output, { domain: 'own', ...options });
const byRef = (reference: string, type: 'float' | 'int' | 'ints') => ({ reference, type });

/** The model inlined, which computes what it did, is a valid graph, and has left the original alone. */
async function inline(model: Model): Promise<Model> {
  const before = Buffer.from(encodeModel(model));
  const inlined = inlineFunctions(model, 'the model');
  expect(Buffer.compare(before, encodeModel(model))).toBe(0);
  expect(faultsOf(inlined)).toEqual([]);
  expect(await faultsOfInlining(model, inlined, [6, 7])).toEqual([]);
  return inlined;
}

const names = (nodes: readonly NodeProto[]) => nodes.map(({ name }) => name);

/** Adds `alpha` times its input, where it is told so. */
const leaky = buildFunction('Leaky', {
  input: ['a'],
  output: ['b'],
  attribute: ['slope'],
  node: [
    makeNode('LeakyRelu', ['a'], ['b'], {
      name: 'leak',
      attributes: { alpha: byRef('slope', 'float') },
    }),
  ],
});

const square = buildFunction('Square', {
  input: ['a'],
  output: ['b'],
  node: [
    makeNode('Mul', ['a', 'a'], ['t'], { name: 'times' }),
    makeNode('Neg', ['t'], ['b'], { name: 'less' }),
  ],
});

describe('inlineFunctions', () => {
  it('gives each call its attributes, a default where one is left out, and nothing where there is none', async () => {
    const defaulted = buildFunction('Defaulted', {
      input: ['a'],
      output: ['b'],
      defaults: { slope: { float: 0.5 } },
      node: leaky.node,
    });
    const node = [
      call('Leaky', ['x'], ['p'], { name: 'one', attributes: { slope: { float: 0.25 } } }),
      call('Leaky', ['p'], ['q'], { name: 'two' }),
      call('Defaulted', ['q'], ['r'], { name: 'three' }),
      call('Defaulted', ['r'], ['y'], { name: 'four', attributes: { slope: { float: 0.75 } } }),
    ];
    const { graph } = await inline(withFunctions(buildModel({ node }), [leaky, defaulted]));
    expect(graph.node.map(({ attribute }) => attribute.map(({ name, f }) => [name, f]))).toEqual([
      [['alpha', 0.25]],
      [],
      [['alpha', 0.5]],
      [['alpha', 0.75]],
    ]);
    expect(names(graph.node)).toEqual(['one/leak', 'two/leak', 'three/leak', 'four/leak']);
  });

  it('hands attributes on through functions, and into their branches', async () => {
    const inner = buildFunction('Inner', {
      input: ['a'],
      output: ['b'],
      attribute: ['s'],
      imports: { '': 17, own: 1 },
      node: [
        makeNode('ReduceMax', ['a'], ['most'], { attributes: { keepdims: 0 } }),
        makeNode('Constant', [], ['zero'], { attributes: { value_float: { float: 0 } } }),
        makeNode('Greater', ['most', 'zero'], ['c']),
        choose('c', 'b', {
          whenTrue: [
            call('Leaky', ['a'], ['t'], { name: 'deep', attributes: { slope: byRef('s', 'float') } }),
            makeNode('Neg', ['t'], ['u']),
          ],
          whenFalse: [makeNode('Identity', ['a'], ['t'])],
        }),
      ],
    });
    const outer = buildFunction('Outer', {
      input: ['a'],
      output: ['b'],
      defaults: { s: { float: 0.125 } },
      imports: { own: 1 },
      node: [call('Inner', ['a'], ['b'], { name: 'mid', attributes: { s: byRef('s', 'float') } })],
    });
    const node = [
      call('Outer', ['x'], ['p'], { name: 'top' }),
      call('Outer', ['p'], ['y'], { attributes: { s: { float: 0.5 } } }),
    ];
    const { graph, functions, opsetImport } = await inline(
      withFunctions(buildModel({ node }), [leaky, inner, outer]),
    );
    const leaks = allOf(graph.node).filter(({ opType }) => opType === 'LeakyRelu');
    expect(leaks.map(({ name, attribute }) => [name, attribute[0]?.f])).toEqual([
      ['top/mid/deep/leak', 0.125],
      ['Outer/mid/deep/leak', 0.5],
    ]);
    expect(functions).toEqual([]);
    expect(opsetImport.map(({ domain }) => domain)).toEqual(['']);
  });

  it('passes missing inputs on, and leaves outputs away that nobody wants', async () => {
    const clip = buildFunction('Clamp', {
      input: ['a', 'low', 'high'],
      output: ['least', 'b'],
      node: [
        makeNode('ReduceMin', ['a'], ['least'], { name: 'unwanted' }),
        makeNode('Clip', ['a', 'low', 'high'], ['b'], { name: 'clip' }),
      ],
    });
    const node = [
      call('Clamp', ['x', '', 'top'], ['', 'p'], { name: 'above' }),
      call('Clamp', ['p', 'bottom'], ['', 'q'], { name: 'below' }),
      call('Clamp', ['q'], ['', 'y'], { name: 'nowhere' }),
    ];
    const initializer = [floats('top', [], [0.2]), floats('bottom', [], [-0.3])];
    const { graph } = await inline(withFunctions(buildModel({ node, initializer }), [clip]));
    const clips = graph.node.filter(({ opType }) => opType === 'Clip');
    expect(clips.map(({ input }) => input)).toEqual([['x', '', 'top'], ['p', 'bottom'], ['q']]);
  });

  it('takes no name that is in use, in branches either', async () => {
    // Names as they come of inlining are there already: of a value, a node, and a value in a branch that sees the function's.
    const shadowing = buildFunction('Shadow', {
      input: ['x'],
      output: ['y'],
      imports: { '': 17, own: 1 },
      node: [
        call('Square', ['x'], ['t'], { name: 'sq' }),
        makeNode('Add', ['t', 'x'], ['y'], { name: 'add' }),
      ],
    });
    const branch = choose('c', 'm', {
      whenTrue: [
        makeNode('Neg', ['k'], ['call/sq/t']),
        call('Square', ['call/sq/t'], ['n'], { name: 'call' }),
      ],
      whenFalse: [makeNode('Identity', ['x'], ['o'])],
    });
    const node = [
      makeNode('Abs', ['x'], ['call/t'], { name: 'call/add' }),
      call('Shadow', ['call/t'], ['k'], { name: 'call' }),
      branch,
      call('Shadow', ['m'], ['y'], { name: 'call/sq' }),
    ];
    const input = [valueInfo('x', image), valueInfo('c', [], DataType.BOOL)];
    const { graph } = await inline(withFunctions(buildModel({ node, input }), [square, shadowing]));
    const all = names(allOf(graph.node)).filter((name) => name !== '');
    expect(new Set(all).size).toBe(all.length);
  });

  it('does not let branches of a function see the names of the graph around it', async () => {
    const hidden = buildFunction('Hidden', {
      input: ['a', 'c'],
      output: ['b'],
      node: [
        makeNode('Exp', ['a'], ['w']),
        choose('c', 'b', {
          whenTrue: [makeNode('Add', ['w', 'a'], ['k'])],
          whenFalse: [makeNode('Sub', ['w', 'a'], ['k'])],
        }),
      ],
    });
    const node = [
      makeNode('Neg', ['x'], ['w']),
      makeNode('Abs', ['w'], ['k']),
      call('Hidden', ['k', 'c'], ['z']),
      makeNode('Add', ['z', 'w'], ['y']),
    ];
    const input = [valueInfo('x', image), valueInfo('c', [], DataType.BOOL)];
    await inline(withFunctions(buildModel({ node, input }), [hidden]));
  });

  it('hands on inputs and values that are outputs twice', async () => {
    const split = buildFunction('Split', {
      input: ['a'],
      output: ['a', 'b', 'b'],
      node: [makeNode('Neg', ['a'], ['b'])],
    });
    const node = [
      call('Split', ['x'], ['p', 'q', 'r'], { name: 's' }),
      makeNode('Sum', ['p', 'q', 'r'], ['y']),
    ];
    const model = withFunctions(buildModel({ node }), [split]);
    const inlined = inlineFunctions(model, 'the model');
    expect(faultsOf(inlined)).toEqual([]);
    expect(inlined.graph.node.map(({ opType, input, output }) => [opType, ...input, ...output])).toEqual([
      ['Neg', 'x', 'q'],
      ['Identity', 'x', 'p'],
      ['Identity', 'q', 'r'],
      ['Sum', 'p', 'q', 'r', 'y'],
    ]);
  });

  it('tells overloads apart, keeps what nothing calls and what that calls', async () => {
    const [negative, absolute] = ['Neg', 'Abs'].map((opType) =>
      buildFunction('Op', {
        input: ['a'],
        output: ['b'],
        overload: opType,
        node: [makeNode(opType, ['a'], ['b'])],
      }),
    );
    const idle = buildFunction('Idle', {
      input: ['a'],
      output: ['b'],
      imports: { own: 1 },
      node: [call('Square', ['a'], ['b'])],
    });
    const node = [call('Op', ['x'], ['p']), call('Square', ['p'], ['q']), call('Op', ['q'], ['y'])];
    Object.assign(node[0] as NodeProto, { overload: 'Abs' });
    Object.assign(node[2] as NodeProto, { overload: 'Neg' });
    const model = withFunctions(buildModel({ node }, { irVersion: 10 }), [
      negative as typeof square,
      absolute as typeof square,
      square,
      idle,
    ]);
    const { graph, functions, opsetImport } = await inline(model);
    expect(graph.node.map(({ opType }) => opType)).toEqual(['Abs', 'Mul', 'Neg', 'Neg']);
    expect(functions.map(({ name }) => name)).toEqual(['Square', 'Idle']);
    expect(opsetImport.map(({ domain }) => domain)).toEqual(['', 'own']);
  });

  it('imports the domains that only functions did', async () => {
    const gelu = buildFunction('Gelu', {
      input: ['a'],
      output: ['b'],
      imports: { 'com.microsoft': 1 },
      node: [makeNode('Gelu', ['a'], ['b'], { domain: 'com.microsoft' })],
    });
    const { opsetImport } = await inline(
      withFunctions(buildModel({ node: [call('Gelu', ['x'], ['y'])] }), [gelu]),
    );
    expect(opsetImport.map(({ domain, version }) => `${domain} ${version}`)).toEqual([
      ' 17',
      'com.microsoft 1',
    ]);
  });

  it('keeps doc strings, metadata and types, those of the call where the node has none', async () => {
    const note = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    const noted = buildFunction('Noted', {
      input: ['a'],
      output: ['b'],
      node: [makeNode('Neg', ['a'], ['t']), makeNode('Abs', ['t'], ['b'])],
      valueInfo: [valueInfo('t', ['height', 3, 'h', 'w']), valueInfo('a', image), valueInfo('b', image)],
    });
    Object.assign(noted.node[0] as NodeProto, { docString: 'own', metadataProps: [note('line', '1')] });
    const node = [call('Noted', ['x'], ['y'], { name: 'call' })];
    Object.assign(node[0] as NodeProto, {
      docString: 'of the call',
      metadataProps: [note('line', '7'), note('file', 'net.py')],
    });
    const { graph } = await inline(withFunctions(buildModel({ node }), [noted]));
    const notes = graph.node.map(({ docString, metadataProps }) => [
      docString,
      ...metadataProps.map(({ key, value }) => `${key} ${value}`),
    ]);
    expect(notes).toEqual([
      ['own', 'line 1', 'file net.py'],
      ['of the call', 'line 7', 'file net.py'],
    ]);
    // A dimension's name means one thing in a function and another in the graph.
    expect(graph.valueInfo.map((info) => [info.name, tensorTypeOf(info)?.shape])).toEqual([
      ['call/t', ['', 3, '', '']],
    ]);
  });

  it('puts what is called in the body of a Loop into the body', async () => {
    const body = buildModel({
      node: [call('Square', ['s'], ['t'], { name: 'call' }), makeNode('Identity', ['go'], ['on'])],
      input: [valueInfo('i', [], DataType.INT64), valueInfo('go', [], DataType.BOOL), valueInfo('s', image)],
      output: [valueInfo('on', [], DataType.BOOL), valueInfo('t', image)],
    }).graph;
    const loop = makeNode('Loop', ['twice', 'yes', 'x'], ['y']);
    loop.attribute.push(
      create(AttributeProtoSchema, { name: 'body', type: AttributeProto_AttributeType.GRAPH, g: body }),
    );
    const yes = create(TensorProtoSchema, { name: 'yes', dataType: DataType.BOOL, int32Data: [1] });
    const twice = integers('twice', [2]);
    twice.dims = [];
    const { graph } = await inline(
      withFunctions(buildModel({ node: [loop], initializer: [twice, yes] }), [square]),
    );
    expect(names(allOf(graph.node))).toEqual(['', 'call/times', 'call/less', '']);
  });

  it('refuses functions that read what they do not compute', () => {
    const open = buildFunction('Open', {
      input: ['a'],
      output: ['b'],
      node: [makeNode('Add', ['a', 'x'], ['b'])],
    });
    const model = withFunctions(buildModel({ node: [call('Open', ['x'], ['y'])] }), [open]);
    expect(() => inlineFunctions(model, 'the model')).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_MODEL',
        message: 'function Open of the model reads x, which it does not compute',
      }),
    );
  });
});
