import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { buildGraph, floats, integers, valueInfo } from '../../test/build-model.js';
import { Graph } from './graph.js';
import { makeNode, type NodeProto } from './proto.js';

function graphOf(parts: Parameters<typeof buildGraph>[0]): Graph {
  return new Graph(buildGraph(parts));
}

describe('Graph', () => {
  it('knows who makes and who reads a value, inside branches too', () => {
    const inner = buildGraph({
      node: [makeNode('Neg', ['a'], ['b'])],
      input: [],
      output: [valueInfo('b', [])],
    });
    const branch = makeNode('If', ['condition'], ['y']);
    const attribute = { name: 'then_branch', type: AttributeProto_AttributeType.GRAPH, g: inner };
    branch.attribute.push(create(AttributeProtoSchema, attribute));
    const relu = makeNode('Relu', ['x'], ['a']);
    const graph = graphOf({ node: [relu, branch] });
    expect(graph.producer('a')).toBe(relu);
    expect(graph.consumers('a')).toEqual([branch]);
  });

  it('reads constants from initializers and from Constant nodes', () => {
    const node = makeNode('Constant', [], ['b'], { attributes: { value_ints: [2, 3] } });
    const graph = graphOf({ node: [node], initializer: [integers('a', [-1, -2])] });
    expect(graph.constantIntegers('a')).toEqual([-1, -2]);
    expect(graph.constantIntegers('b')).toEqual([2, 3]);
    expect(graph.constantIntegers('x')).toBeUndefined();
  });

  it('reads constants through Identity nodes', () => {
    const graph = graphOf({
      node: [makeNode('Identity', ['a'], ['b']), makeNode('Identity', ['b'], ['c'])],
      initializer: [integers('a', [7])],
    });
    expect(graph.constantIntegers('c')).toEqual([7]);
  });

  it('drops long chains, and makes many names, in no time worth speaking of', () => {
    const node = Array.from({ length: 20_000 }, (_, i) =>
      makeNode('Relu', [i === 0 ? 'x' : `v${i}`], [`v${i + 1}`]),
    );
    const last = makeNode('Add', ['x', 'v20000'], ['y']);
    const graph = graphOf({ node: [...node, last] });
    graph.replace(last, makeNode('Relu', ['x'], ['y']));
    expect(graph.nodes).toHaveLength(1);
    const names = Array.from({ length: 20_000 }, () => graph.freeName('v'));
    expect(new Set([...names, 'y', 'x']).size).toBe(20_002);
  });

  it('makes names that nothing has, of what came later neither', () => {
    const graph = graphOf({
      node: [makeNode('Relu', ['x'], ['a_1']), makeNode('Relu', ['a_1'], ['y'], { name: 'a_2' })],
    });
    expect(graph.freeName('a')).toBe('a_3');
    const [relu] = graph.nodes as [NodeProto];
    graph.expand(relu, [makeNode('Neg', ['x'], ['a_4']), makeNode('Relu', ['a_4'], ['a_1'])]);
    expect(graph.freeName('a')).toBe('a_3');
    expect(graph.freeName('a')).toBe('a_5');
  });

  it('replaces a node and drops what only that one needed', () => {
    const mean = makeNode('ReduceMean', ['x', 'axes'], ['y']);
    const graph = graphOf({ node: [mean], initializer: [integers('axes', [2, 3])] });
    const pool = makeNode('GlobalAveragePool', ['x'], ['y']);
    graph.replace(mean, pool);
    expect(graph.nodes).toEqual([pool]);
    expect(graph.proto.initializer).toEqual([]);
  });

  it('inserts a node in front of another, under a free name', () => {
    const relu = makeNode('Relu', ['x'], ['x_1']);
    const graph = graphOf({ node: [makeNode('Neg', ['x'], ['b']), relu] });
    expect(graph.insertBefore(relu, 'x', 'Abs', ['b'])).toBe('x_2');
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(['Neg', 'Abs', 'Relu']);
    expect(graph.producer('x_2')?.input).toEqual(['b']);
  });

  it('keeps what others need too, and defaults of inputs', () => {
    const mean = makeNode('ReduceMean', ['x', 'axes'], ['a']);
    const other = makeNode('ReduceMean', ['a', 'axes'], ['y']);
    const shared = graphOf({ node: [mean, other], initializer: [integers('axes', [2, 3])] });
    shared.replace(mean, makeNode('GlobalAveragePool', ['x'], ['a']));
    expect(shared.proto.initializer).toHaveLength(1);

    const input = [valueInfo('x', [1]), valueInfo('axes', [2])];
    const listed = graphOf({ node: [mean], input, initializer: [integers('axes', [2, 3])] });
    listed.replace(mean, makeNode('GlobalAveragePool', ['x'], ['a']));
    expect(listed.proto.initializer).toHaveLength(1);
  });

  it('bypasses a node, with the chain that computed its shape', () => {
    const shape = makeNode('Shape', ['x'], ['s']);
    const slice = makeNode('Slice', ['s', 'from', 'to'], ['nc']);
    const reshape = makeNode('Reshape', ['a', 'nc'], ['b']);
    const sigmoid = makeNode('Sigmoid', ['b'], ['y']);
    const graph = graphOf({
      node: [shape, slice, reshape, sigmoid],
      initializer: [integers('from', [0]), integers('to', [2]), floats('unrelated', [1])],
    });
    graph.bypass(reshape);
    expect(graph.nodes).toEqual([sigmoid]);
    expect(sigmoid.input).toEqual(['a']);
    expect(graph.proto.initializer.map(({ name }) => name)).toEqual(['unrelated']);
  });

  it('adds constants under names that nothing has, in branches neither', () => {
    const inner = buildGraph({ node: [makeNode('Neg', ['w'], ['w_2'])], input: [], output: [] });
    const branch = makeNode('If', ['condition'], ['y']);
    const attribute = { name: 'then_branch', type: AttributeProto_AttributeType.GRAPH, g: inner };
    branch.attribute.push(create(AttributeProtoSchema, attribute));
    const graph = graphOf({
      node: [makeNode('Neg', ['x'], ['w_1']), branch],
      initializer: [floats('w', [1])],
    });
    expect(graph.addInitializer(floats('w', [2]))).toBe('w_3');
    expect(graph.constant('w_3')?.dims).toEqual([2n]);
  });

  it('gives no constant a name that has a type already, though no value has it', () => {
    const graph = graphOf({ node: [makeNode('Neg', ['x'], ['y'])], valueInfo: [valueInfo('w_1', [7])] });
    expect(graph.addInitializer(floats('w', [1]))).toBe('w_2');
  });

  it('says of a replacement what was said of the node', () => {
    const mean = makeNode('ReduceMean', ['x'], ['y']);
    mean.docString = 'squeeze';
    mean.metadataProps = [create(StringStringEntryProtoSchema, { key: 'scope', value: 'net.0' })];
    const graph = graphOf({ node: [mean] });
    const pool = makeNode('GlobalAveragePool', ['x'], ['y']);
    graph.replace(mean, pool);
    expect(pool).toMatchObject({ docString: 'squeeze', metadataProps: [{ key: 'scope', value: 'net.0' }] });
  });

  it('drops type and quantization of what is gone, with the scales that only these named', () => {
    const reshape = makeNode('Reshape', ['a', 'shape'], ['b']);
    const graph = graphOf({
      node: [makeNode('Neg', ['x'], ['a']), reshape, makeNode('Neg', ['b'], ['y'])],
      initializer: [integers('shape', [0, -1]), floats('scale', []), floats('shared', [])],
      valueInfo: [valueInfo('a', [1]), valueInfo('b', [1])],
    });
    const annotate = (tensorName: string, ...scales: readonly string[]) => {
      const quantParameterTensorNames = scales.map((value) =>
        create(StringStringEntryProtoSchema, { key: 'SCALE_TENSOR', value }),
      );
      graph.proto.quantizationAnnotation.push(
        create(TensorAnnotationSchema, { tensorName, quantParameterTensorNames }),
      );
    };
    annotate('a', 'shared');
    annotate('b', 'scale', 'shared');
    graph.bypass(reshape);
    expect(graph.proto.initializer.map(({ name }) => name)).toEqual(['shared']);
    expect(graph.proto.valueInfo.map(({ name }) => name)).toEqual(['a']);
    expect(graph.proto.quantizationAnnotation.map(({ tensorName }) => tensorName)).toEqual(['a']);
  });

  it('keeps a constant that is the scale of what stays', () => {
    const mean = makeNode('Mul', ['x', 'scale'], ['y']);
    const graph = graphOf({ node: [mean], initializer: [floats('scale', [])] });
    const quantParameterTensorNames = [
      create(StringStringEntryProtoSchema, { key: 'SCALE_TENSOR', value: 'scale' }),
    ];
    graph.proto.quantizationAnnotation.push(
      create(TensorAnnotationSchema, { tensorName: 'y', quantParameterTensorNames }),
    );
    graph.replace(mean, makeNode('Neg', ['x'], ['y']));
    expect(graph.proto.initializer).toHaveLength(1);
  });

  it('drops the old input of a node that gets another, unless others read it', () => {
    const nodes = [makeNode('Add', ['x', 'w'], ['a']), makeNode('Add', ['w', 'a'], ['y'])] as const;
    const graph = graphOf({ node: nodes, initializer: [floats('w', [1]), floats('v', [1])] });
    graph.replaceInput(nodes[0], 'w', 'v');
    expect(graph.proto.initializer.map(({ name }) => name)).toEqual(['w', 'v']);
    graph.replaceInput(nodes[1], 'w', 'v');
    expect(graph.proto.initializer.map(({ name }) => name)).toEqual(['v']);
    expect(nodes.map(({ input }) => input)).toEqual([
      ['x', 'v'],
      ['v', 'a'],
    ]);
  });
});
