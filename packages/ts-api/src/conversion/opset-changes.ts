// What ONNX's opsets 8 to 22 say in another way than the ones before them, or mean by the same words, by ONNX's lists of operators and
// its own version converter. (Of 21 and 22 these were not at hand in full.) ONNX gives an operator a new version whenever form or meaning
// changes: one that is not listed here has, as far as we know, only taken more types since, or got inputs and attributes that do nothing
// where they are left out.
//
// The list would not have to be complete for form: ONNX Runtime checks inputs and attributes against the operator's version when it loads
// the result, and an axis left where it no longer belongs would be refused, not ignored. What it cannot see is a change of meaning.
// These are Softmax and its kin, RoiAlign, Resize's modes, DFT and GroupNormalization.
import {
  attributeOf,
  intOf,
  intsOf,
  makeNode,
  type NodeOptions,
  type NodeProto,
  textOf,
} from '../graph/proto.js';

/** The oldest opset whose models can be raised: from it on operands broadcast as they do today. */
export const oldestOpset = 7;

/** The newest opset that this table knows of. */
export const newestOpset = 22;

/** Where a node is, and what may be put around it. */
export interface Surroundings {
  /** The rank of a value, where it is known. */
  rank(value: string): number | undefined;
  /** The name of a constant of int64 values, which others may share; a number alone makes a scalar. */
  integers(base: string, values: number | readonly number[]): string;
  /** The same of floats: float32, or, for a number that meets activations, the type that the model works in. */
  floats(base: string, values: number | readonly number[]): string;
  /** Puts a node right in front; returns the name of its output. */
  before(
    opType: string,
    input: readonly string[],
    attributes?: NonNullable<NodeOptions['attributes']>,
  ): string;
  /** Puts a node right behind, which computes from the first output, and whatever else, what that was. */
  after(opType: string, ...others: readonly string[]): void;
  /** Has the node no longer read an input; what only it needed goes. */
  leaveOut(index: number): void;
}

/** Says in a new opset what a node said in the one before, or returns why that cannot be said. */
export type Change = (node: NodeProto, around: Surroundings) => string | undefined;

function remove(node: NodeProto, ...names: readonly string[]): void {
  node.attribute = node.attribute.filter(({ name }) => !names.includes(name));
}

function set(node: NodeProto, attributes: NonNullable<NodeOptions['attributes']>): void {
  remove(node, ...Object.keys(attributes));
  node.attribute.push(...makeNode('', [], [], { attributes }).attribute);
}

/** Of Reduce…, Squeeze, Unsqueeze and Split: an attribute of integers becomes the second input. */
function becomesInput(name: string): Change {
  return (node, around) => {
    const values = intsOf(node, name) ?? [];
    remove(node, name);
    // Without any, every axis is meant, or equal parts: by input or by attribute alike.
    if (values.length > 0) node.input[1] = around.integers(name, values);
    return undefined;
  };
}

/** Up to 8 a statistic could go by pixel, too. */
const dropSpatial: Change = (node) => {
  if (intOf(node, 'spatial', 1) === 0)
    return 'normalizes every pixel for itself (spatial), which opset 9 has no more';
  remove(node, 'spatial');
  return undefined;
};

const refuseScan: Change = () => 'is of another form from opset 9 on, which cannot be written for it';

/** Scales become an input. */
const giveScales: Change = (node, around) => {
  const scales = attributeOf(node, 'scales')?.floats ?? [];
  node.input[1] = around.floats('scales', scales);
  remove(node, 'scales');
  return undefined;
};

/** Resize takes its place. */
const renameUpsample: Change = (node) => {
  node.opType = 'Resize';
  return undefined;
};

/** Of several lists of integers, each an attribute before, an input from here on. */
const giveBounds: Change = (node, around) => {
  const lists = ['starts', 'ends', 'axes'].map((name) => intsOf(node, name));
  for (const list of lists) if (list) node.input.push(around.integers('bounds', list));
  remove(node, 'starts', 'ends', 'axes');
  return undefined;
};

const giveCount: Change = (node, around) => {
  node.input[1] = around.integers('k', [intOf(node, 'k', 1)]);
  remove(node, 'k');
  return undefined;
};

/** A bound that is not given is none. */
const giveLimits: Change = (node, around) => {
  const limits = ['min', 'max'].map((name) => attributeOf(node, name)?.f);
  const inputs = limits.map((limit) => (limit === undefined ? '' : around.floats('limit', limit)));
  node.input.push(...(inputs[1] === '' ? inputs.slice(0, inputs[0] === '' ? 0 : 1) : inputs));
  remove(node, 'min', 'max');
  return undefined;
};

const givePads: Change = (node, around) => {
  node.input.push(around.integers('pads', intsOf(node, 'pads') ?? []));
  const value = attributeOf(node, 'value')?.f;
  if (value !== undefined && value !== 0) node.input.push(around.floats('value', value));
  remove(node, 'pads', 'value');
  return undefined;
};

/** What was the only way is one of several from 11 on, where a region comes before the scales. */
const tellCoordinates: Change = (node, around) => {
  const [input = '', scales = ''] = node.input;
  node.input = [input, around.floats('roi', []), scales];
  set(node, {
    coordinate_transformation_mode: { text: 'asymmetric' },
    ...(textOf(node, 'mode') !== 'linear' && { nearest_mode: { text: 'floor' } }),
  });
  return undefined;
};

const renameScatter: Change = (node) => {
  node.opType = 'ScatterElements';
  return undefined;
};

/** For inference neither the ratio nor the seed means anything. */
const dropRatio: Change = (node) => {
  node.attribute = [];
  return undefined;
};

/** Up to 12 all axes from `axis` (1) on are taken together, as if flattened; from 13 on `axis` (-1) alone is meant. */
const takeOneAxis: Change = (node, around) => {
  const [input = ''] = node.input;
  const axis = intOf(node, 'axis', 1);
  const rank = around.rank(input);
  set(node, { axis: -1 });
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) return undefined;
  const shape = around.before('Shape', [input]);
  node.input[0] = around.before('Flatten', [input], { axis });
  around.after('Reshape', shape);
  return undefined;
};

/** Up to 12 scales are given beside sizes, and empty; from 13 on it is one or the other. */
const chooseSizes: Change = (node, around) => {
  if (textOf(node, 'coordinate_transformation_mode') === 'tf_half_pixel_for_nn')
    return 'resizes by tf_half_pixel_for_nn, which opset 13 has no more';
  if (node.input[3]) around.leaveOut(2);
  return undefined;
};

const refuseTraining: Change = (node) => {
  if (node.output.slice(1).some((name) => name !== ''))
    return 'computes statistics for training, which opset 14 does in another way';
  node.output = node.output.slice(0, 1);
  return undefined;
};

const keepHalfPixels: Change = (node) => {
  set(node, { coordinate_transformation_mode: { text: 'output_half_pixel' } });
  return undefined;
};

/** From 18 on equal parts must be counted. */
const countParts: Change = (node) => {
  if (!node.input[1]) set(node, { num_outputs: node.output.length });
  return undefined;
};

const renameModes: Change = (node) => {
  const text = { bilinear: 'linear', bicubic: 'cubic' }[textOf(node, 'mode')];
  if (text !== undefined) set(node, { mode: { text } });
  return undefined;
};

/** The axis becomes an input, and where it is left out it is another. */
const giveAxis: Change = (node, around) => {
  const [input = '', length = ''] = node.input;
  node.input = [input, length, around.integers('axis', intOf(node, 'axis', 1))];
  remove(node, 'axis');
  return undefined;
};

/** Scale and bias go by group up to 20, by channel from 21 on. How many channels there are is told by the input when it is there. */
const repeatForChannels: Change = (node, around) => {
  const [input = '', ...parameters] = node.input;
  const count = intOf(node, 'num_groups', 1);
  const channels = around.before('Shape', [input], { start: 1, end: 2 });
  const groups = around.integers('groups', [count]);
  const perGroup = around.before('Div', [channels, groups]);
  const sides = around.before('Concat', [groups, perGroup], { axis: 0 });
  const repeated = parameters.map((parameter) => {
    const column = around.before('Reshape', [parameter, around.integers('shape', [count, 1])]);
    const table = around.before('Expand', [column, sides]);
    return around.before('Reshape', [table, around.integers('shape', [-1])]);
  });
  node.input = [input, ...repeated];
  return undefined;
};

const axesBecomeInput = becomesInput('axes');

/** By the opset that brought it, and by operator. */
export const opsetChanges: Readonly<Record<number, Readonly<Record<string, Change>>>> = {
  9: { BatchNormalization: dropSpatial, Scan: refuseScan, Upsample: giveScales },
  10: { Slice: giveBounds, TopK: giveCount, Upsample: renameUpsample },
  11: { Clip: giveLimits, Pad: givePads, Resize: tellCoordinates, Scatter: renameScatter },
  12: { Dropout: dropRatio },
  13: {
    ReduceSum: axesBecomeInput,
    Squeeze: axesBecomeInput,
    Unsqueeze: axesBecomeInput,
    Split: becomesInput('split'),
    Hardmax: takeOneAxis,
    LogSoftmax: takeOneAxis,
    Softmax: takeOneAxis,
    Resize: chooseSizes,
  },
  14: { BatchNormalization: refuseTraining },
  16: { RoiAlign: keepHalfPixels },
  18: {
    ReduceL1: axesBecomeInput,
    ReduceL2: axesBecomeInput,
    ReduceLogSum: axesBecomeInput,
    ReduceLogSumExp: axesBecomeInput,
    ReduceMax: axesBecomeInput,
    ReduceMean: axesBecomeInput,
    ReduceMin: axesBecomeInput,
    ReduceProd: axesBecomeInput,
    ReduceSumSquare: axesBecomeInput,
    Split: countParts,
  },
  20: { DFT: giveAxis, GridSample: renameModes },
  21: { GroupNormalization: repeatForChannels },
};
