// A copy of a network in which what is not a number spreads to all that depends on it.
import { weightsPlaceOf } from '../fusion/operators.js';
import { type Model, opsetOf, withNodes } from '../graph/model.js';
import { Names } from '../graph/names.js';
import { intOf, isOnnxDomain, makeNode, type NodeProto } from '../graph/proto.js';

/** Of one value, which kernels clip or compare: NaN would be gone. Their results do not matter here. */
const ofOne = [
  'Relu',
  'LeakyRelu',
  'ThresholdedRelu',
  'Elu',
  'Selu',
  'Celu',
  'Gelu',
  'Mish',
  'Swish',
  'HardSwish',
  'HardSigmoid',
  'Sigmoid',
  'Tanh',
  'Erf',
  'Softplus',
  'Softsign',
  'Clip',
  'Abs',
  'Sign',
  'Exp',
  'Log',
  'Sqrt',
  'Reciprocal',
  'Floor',
  'Ceil',
  'Round',
  'Sin',
  'Cos',
  'PRelu',
  'Shrink',
];

/** Of several values of one place: a sum has NaN where any of them has. A quotient of zeros, or an odd power, would have it where none has. */
const ofSeveral = ['Max', 'Min', 'Div', 'Pow'];

/** Reductions whose axes are given alike. */
const means: Readonly<Record<string, string>> = {
  ReduceMax: 'ReduceMean',
  ReduceMin: 'ReduceMean',
  ReduceL2: 'ReduceMean',
  GlobalMaxPool: 'GlobalAveragePool',
};

/** Since when ReduceSum takes its axes as an input. */
const axesAsInput = 13;

function averagePool({ input, output, attribute, name }: NodeProto): NodeProto {
  const node = makeNode('AveragePool', input, output.slice(0, 1), { name });
  node.attribute = attribute.filter((one) => one.name !== 'storage_order');
  return node;
}

/** In the place of a softmax the values and their sum, which NaN among them makes NaN all over. */
function spread(node: NodeProto, opset: number, names: Names): NodeProto[] {
  const axis = intOf(node, 'axis', opset < axesAsInput ? 1 : -1);
  const [input = ''] = node.input;
  const sum = names.take('sum');
  if (opset < axesAsInput)
    return [
      makeNode('ReduceSum', [input], [sum], { attributes: { axes: [axis] } }),
      makeNode('Add', [input, sum], node.output),
    ];
  const axes = names.take('axes');
  return [
    makeNode('Constant', [], [axes], { attributes: { value_ints: [axis] } }),
    makeNode('ReduceSum', [input, axes], [sum]),
    makeNode('Add', [input, sum], node.output),
  ];
}

function spreading(node: NodeProto, opset: number, names: Names): NodeProto[] {
  const { opType, input, output } = node;
  if (!isOnnxDomain(node.domain)) return [node];
  if (ofOne.includes(opType)) return [makeNode('Identity', input.slice(0, 1), output)];
  if (ofSeveral.includes(opType)) return [makeNode('Sum', input, output)];
  if (opType === 'Where') return [makeNode('Sum', input.slice(1), output)];
  if (opType === 'MaxPool') return [averagePool(node)];
  if (opType === 'Softmax' || opType === 'LogSoftmax') return spread(node, opset, names);
  const mean = means[opType];
  if (mean === undefined) return [node];
  const copy = makeNode(mean, input, output);
  copy.attribute = node.attribute;
  return [copy];
}

/** Whose second input, where it is a constant, is weights. */
const weighing = ['Conv', 'ConvTranspose', 'MatMul', 'Gemm'];

/** With weights of 0, which let NaN through and nothing else: what is clipped no more would else grow beyond all numbers. */
function weightless(node: NodeProto, isOnImage: (value: string) => boolean, names: Names): NodeProto[] {
  const isWeighing = isOnnxDomain(node.domain) && weighing.includes(node.opType);
  const place = isWeighing ? 1 : weightsPlaceOf(node);
  const weights = node.input[place] ?? '';
  if (place < 0 || isOnImage(weights)) return [node];
  const zeros = names.take('zeros');
  const input = node.input.map((value, i) => (i === place ? zeros : value));
  const copy = makeNode(node.opType, input, node.output, { domain: node.domain });
  copy.attribute = node.attribute;
  return [makeNode('Sub', [weights, weights], [zeros]), copy];
}

/** Operators whose result says nothing of the values that they are given. */
const ofShapes = ['Shape', 'Size'];

/** The values that are computed of those of an image, and the image. */
function valuesOn(nodes: readonly NodeProto[], image: string): ReadonlySet<string> {
  const values = new Set([image]);
  for (const node of nodes) {
    if (ofShapes.includes(node.opType) || !node.input.some((one) => values.has(one))) continue;
    for (const output of node.output) values.add(output);
  }
  return values;
}

/** Such a copy of a model that takes this image. */
export function nanModel(model: Model, image: string): Model {
  const opset = opsetOf(model);
  const { node: nodes, initializer, input } = model.graph;
  const names = new Names([
    ...[...initializer, ...input].map(({ name }) => name),
    ...nodes.flatMap(({ output }) => output),
  ]);
  const values = valuesOn(nodes, image);
  const isOnImage = (value: string) => values.has(value);
  return withNodes(
    model,
    nodes.flatMap((node) => {
      if (!node.output.some(isOnImage)) return [node];
      return spreading(node, opset, names).flatMap((one) => weightless(one, isOnImage, names));
    }),
  );
}
