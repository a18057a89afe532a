// Layers over the channels of a pooled value: per pixel they are 1×1 convolutions.
import { attributeOf, intOf, intsOf, makeNode, type NodeProto } from '../graph/proto.js';
import { type Linear, readLinear, toConvParameters } from '../rewrite/linear-layers.js';
import type { Refusal } from '../rewrite/rule.js';
import { termsOf } from '../rewrite/sums.js';
import { withDims } from '../rewrite/weights.js';
import { insertInner, remade } from './along-axes.js';
import { type Axes, aligned, pick, placesOf, single } from './axes.js';
import type { LocalForms } from './local-forms.js';
import {
  axesIn,
  isUniform,
  notPointwise,
  pooledFirst,
  refuse,
  type Situation,
  type Step,
  shapeIn,
} from './step.js';

/** Axes of as many images, or none, and these channels. */
function withChannels(lead: Axes, channels: number): Axes {
  return [lead[0] ?? single, { size: channels, isBatch: false }];
}

interface Kernel {
  readonly sides: readonly number[];
  readonly pads: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

function kernelOf(situation: Situation): Kernel | undefined {
  const { node } = situation;
  const [, , ...sides] = shapeIn(situation, node.input[1] ?? '');
  const rank = sides.length;
  const all = (name: string, otherwise: number, count = rank) =>
    intsOf(node, name) ?? Array<number>(count).fill(otherwise);
  const auto = attributeOf(node, 'auto_pad');
  const isAuto = auto !== undefined && !['NOTSET', 'VALID'].includes(new TextDecoder().decode(auto.s));
  if (rank === 0 || (isAuto && sides.some((side) => side !== 1))) return undefined;
  return {
    sides,
    pads: all('pads', 0, 2 * rank),
    strides: all('strides', 1),
    dilations: all('dilations', 1),
  };
}

/** A convolution that sees one pixel of each plane, or goes along an axis of its own that is no side of planes. */
export function convolution(situation: Situation): Step | Refusal {
  const operand = pooledFirst(situation);
  const kernel = operand && kernelOf(situation);
  if (!operand || !kernel) return notPointwise(situation);
  const { axes } = operand;
  const { sides, pads, strides } = kernel;
  const along = axes.flatMap(({ size }, i) => (i > 1 && size > 1 ? [i] : []));
  const isFlat = (axis: number) =>
    sides[axis - 2] === 1 &&
    strides[axis - 2] === 1 &&
    pads[axis - 2] === 0 &&
    pads[axis - 2 + sides.length] === 0;
  const others = axes.map((_, i) => i).filter((i) => i > 1 && !along.includes(i));
  if (!others.every(isFlat) || along.length > 1) return notPointwise(situation);
  const [axis] = along;
  return axis === undefined
    ? pointwiseConvolution(situation, operand)
    : convolutionAlong(situation, operand, kernel, axis);
}

type Operand = NonNullable<ReturnType<typeof pooledFirst>>;

function pointwiseConvolution(situation: Situation, { value, axes }: Operand): Step {
  const { node } = situation;
  const [output = ''] = node.output;
  const shape = shapeIn(situation, output);
  const after = axes.map((axis, i) => (i === 1 ? { size: shape[1] ?? 0, isBatch: false } : axis));
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const lead = pick(axes, [0, 1]);
      const input = [forms.fit(value, lead, node), ...node.input.slice(1)];
      forms.set(output, { name: output, lead: withChannels(lead, shape[1] ?? 0) });
      if (axes.length === 4) {
        if (input[0] !== value) forms.graph.replaceInput(node, value, input[0] ?? '');
        return;
      }
      const [channels = 0, inputs = 0] = shapeIn(situation, node.input[1] ?? '');
      input[1] = reshaped(forms, node, node.input[1] ?? '', [channels, inputs, 1, 1]);
      const attributes = { kernel_shape: [1, 1], pads: [0, 0, 0, 0], strides: [1, 1], dilations: [1, 1] };
      forms.graph.replace(node, remade(node, input, attributes));
    },
  };
}

/** A constant or computed value with other dimensions. */
function reshaped(forms: LocalForms, node: NodeProto, value: string, dims: readonly number[]): string {
  const { graph } = forms;
  const tensor = graph.constant(value);
  if (tensor) return graph.addInitializer(withDims({ ...tensor, name: value }, dims));
  return graph.insertBefore(node, value, 'Reshape', [value, graph.addIntegers(`${value}_shape`, dims)]);
}

/** ECA: along the channels, each pixel a column of them. The pixels of the plane lie behind that axis. */
function convolutionAlong(
  situation: Situation,
  { value, axes }: Operand,
  { sides, pads, strides, dilations }: Kernel,
  axis: number,
): Step {
  const { node } = situation;
  const [output = ''] = node.output;
  const after = axesIn(situation, output);
  const at = axis - 2;
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const { graph } = forms;
      const lead = pick(axes, [0, 1, axis]);
      const name = forms.fit(value, lead, node);
      const base = `${name}_shape`;
      const rows = graph.addIntegers(base, [0, lead[1]?.size ?? 1, lead[2]?.size ?? 1, -1]);
      const columns = graph.insertBefore(node, name, 'Reshape', [name, rows]);
      const [outputs = 0, inputs = 0] = shapeIn(situation, node.input[1] ?? '');
      const kernel = reshaped(forms, node, node.input[1] ?? '', [outputs, inputs, sides[at] ?? 1, 1]);
      const attributes = {
        kernel_shape: [sides[at] ?? 1, 1],
        pads: [pads[at] ?? 0, 0, pads[at + sides.length] ?? 0, 0],
        strides: [strides[at] ?? 1, 1],
        dilations: [dilations[at] ?? 1, 1],
      };
      const inner = remade(node, [columns, kernel, ...node.input.slice(2)], attributes);
      insertInner(graph, node, inner);
      const places = [0, 1, axis];
      const made = pick(after, places);
      const sizes = made.map(({ size }, i) => (i === 0 ? 0 : size));
      const plane = forms.planeOf(name, lead.length, node);
      const wanted = forms.join([graph.addIntegers(base, sizes), plane], output, node);
      const input = [inner.output[0] ?? '', wanted];
      graph.replace(node, makeNode('Reshape', input, [output], { name: node.name }));
      forms.set(output, { name: output, lead: made });
    },
  };
}

/** BatchNormalization for inference, by constants for each channel. */
export function batchNormalization(situation: Situation): Step | Refusal {
  const { node } = situation;
  const operand = pooledFirst(situation);
  if (!operand || operand.axes.length < 2 || intOf(node, 'training_mode', 0) !== 0)
    return notPointwise(situation);
  const { value, axes } = operand;
  const places = [0, 1, ...placesOf(axes).filter((i) => i > 1)];
  return {
    axes: [axes],
    isLayer: true,
    write(forms) {
      const [output = ''] = node.output;
      const name = forms.fit(value, pick(axes, places), node);
      if (name !== value) forms.graph.replaceInput(node, value, name);
      forms.set(output, { name: output, lead: pick(axes, places) });
    },
  };
}

/** Gemm and MatMul. */
export function linear(situation: Situation): Step | Refusal {
  const { context, node } = situation;
  const [value = ''] = node.input;
  const axes = situation.axesOf(value);
  const constant = axes && readLinear(context.graph, node);
  const isLayer = constant && !('reason' in constant) && isVector(axes) && !isTurned(node);
  if (isLayer && constant) return layer(situation, value, axes, constant);
  if (node.opType === 'MatMul') return product(situation);
  if (!axes || situation.axesOf(node.input[1] ?? '')) return notPointwise(situation);
  if (isTurned(node)) return refuse(situation, 'which transposes it (transA)');
  return refuse(
    situation,
    constant && 'reason' in constant ? `whose ${constant.reason}` : 'whose weights are computed',
  );
}

function isTurned(node: NodeProto): boolean {
  return intOf(node, 'transA', 0) !== 0;
}

/** Whether the value is one vector for each image, or for each of what else one axis counts. */
function isVector(axes: Axes): boolean {
  const counting = axes.slice(0, -1).filter(({ size, isBatch }) => size > 1 || isBatch);
  return counting.length < 2 && axes.at(-1)?.isBatch === false;
}

function layer(situation: Situation, value: string, axes: Axes, weights: Linear): Step {
  const { node } = situation;
  const [output = ''] = node.output;
  const shape = shapeIn(situation, output);
  const after = axes.map((axis, i) => (i === axes.length - 1 ? { ...axis, size: shape.at(-1) ?? 0 } : axis));
  const front = axes.findIndex(({ size, isBatch }, i) => i < axes.length - 1 && (size > 1 || isBatch));
  const places = [front, axes.length - 1];
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const name = forms.fit(value, pick(axes, places), node);
      const input = [name, ...toConvParameters(forms.graph, weights)];
      forms.graph.replace(node, makeNode('Conv', input, node.output, { name: node.name }));
      forms.set(output, { name: output, lead: pick(after, places) });
    },
  };
}

/** A product of matrices, for each pixel: rows and columns come in front of them. */
function product(situation: Situation): Step | Refusal {
  const { node } = situation;
  const [output = ''] = node.output;
  const operands = node.input.map((value) => ({
    value,
    own: situation.axesOf(value),
    axes: situation.axesOf(value) ?? axesIn(situation, value),
  }));
  if (operands.some(({ value, own }) => !own && !isUniform(situation, value))) return notPointwise(situation);
  const rank = Math.max(...operands.map(({ axes }) => axes.length));
  if (operands.some(({ axes }) => axes.length < 2))
    return refuse(situation, 'which multiplies it as a vector');
  const [a = [], b = []] = operands.map(({ axes }) => aligned(axes, rank));
  if (b.at(-2)?.isBatch || a.at(-1)?.isBatch) return notPointwise(situation);
  const shape = shapeIn(situation, output);
  const after = shape.map((size, i) => {
    const from = i === rank - 1 ? [b[i]] : i === rank - 2 ? [a[i]] : [a[i], b[i]];
    return { size, isBatch: from.some((axis) => axis?.isBatch) };
  });
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const { graph } = forms;
      const lead = Array.from({ length: rank }, (_, i) => i);
      const inputs = operands.map(({ value, own, axes }) => {
        if (!own) return value;
        const name = forms.fit(value, aligned(axes, rank), node);
        const attributes = { perm: [rank, rank + 1, ...lead] };
        return graph.insertBefore(node, name, 'Transpose', [name], { attributes });
      });
      const inner = remade(node, inputs);
      insertInner(graph, node, inner);
      const attributes = { perm: [...lead.map((i) => i + 2), 0, 1] };
      const options = { name: node.name, attributes };
      graph.replace(node, makeNode('Transpose', inner.output, [output], options));
      forms.set(output, { name: output, lead: after });
    },
  };
}

/** An Einsum whose pooled operands, and result, have rows and columns behind what its equation names. */
export function einsum(situation: Situation): Step | Refusal {
  const { node } = situation;
  const { operands, result } = termsOf(node);
  const own = node.input.map((value) => situation.axesOf(value));
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter(
    (letter) => !operands.join('').includes(letter),
  );
  const plane = letters.slice(0, 2).join('');
  const isAlike = node.input.every((value, i) => own[i] || isUniform(situation, value));
  if (result === undefined || plane.length < 2 || !isAlike || operands.length !== node.input.length)
    return notPointwise(situation);
  const [output = ''] = node.output;
  const after = axesIn(situation, output);
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const inputs = node.input.map((value, i) => {
        const axes = own[i];
        return axes ? forms.fit(value, axes, node) : value;
      });
      const terms = operands.map((term, i) => (own[i] ? term + plane : term));
      const local = remade(node, inputs);
      const equation = attributeOf(local, 'equation');
      if (equation) {
        local.attribute = local.attribute.filter((one) => one !== equation);
        const text = `${terms.join()}->${result}${plane}`;
        local.attribute.push({ ...equation, s: new TextEncoder().encode(text) });
      }
      forms.graph.replace(node, local);
      forms.set(output, { name: output, lead: after });
    },
  };
}
