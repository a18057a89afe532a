// Operators that work along axes of a pooled value other than rows and columns: across channels, branches or heads of each pixel.
import type { Graph } from '../graph/graph.js';
import { intOf, makeNode, type NodeProto, reducesAll } from '../graph/proto.js';
import type { Refusal } from '../rewrite/rule.js';
import { type Axes, fixedAxes, pick, placeOf, presentPlacesOf, single } from './axes.js';
import type { LocalForms } from './local-forms.js';
import {
  axesIn,
  handOn,
  isUniform,
  notPointwise,
  pooledFirst,
  refuse,
  type Situation,
  type Step,
  shapeIn,
} from './step.js';

/** The node again, of other inputs and with other attributes. */
export function remade(
  node: NodeProto,
  input: readonly string[],
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): NodeProto {
  const made = makeNode(node.opType, input, node.output, {
    domain: node.domain,
    name: node.name,
    attributes: attributes as never,
  });
  const kept = node.attribute.filter((one) => !Object.hasOwn(attributes, one.name));
  made.attribute = [...kept, ...made.attribute];
  return made;
}

/** A step along one axis, which keeps the axes. */
function along(situation: Situation, axis: number): Step | Refusal {
  const { node } = situation;
  const operand = pooledFirst(situation);
  if (!operand || operand.axes[axis] === undefined) return notPointwise(situation);
  const { value, axes } = operand;
  const places = presentPlacesOf(axes, [axis]);
  return {
    axes: [axes],
    isLayer: true,
    write(forms) {
      const [output = ''] = node.output;
      const lead = pick(axes, places);
      const input = [forms.fit(value, lead, node), ...node.input.slice(1)];
      forms.graph.replace(node, remade(node, input, { axis: places.indexOf(axis) }));
      forms.set(output, { name: output, lead });
    },
  };
}

/** Below opset 13 a softmax is over all axes from the given one on: it gets the only one of these that counts as its last. */
function flatSoftmax(situation: Situation): Step | Refusal {
  const { node } = situation;
  const operand = pooledFirst(situation);
  if (!operand) return notPointwise(situation);
  const { value, axes } = operand;
  const from = placeOf(intOf(node, 'axis', 1), axes.length);
  const counting = axes.flatMap(({ size, isBatch }, i) => (i >= from && (size > 1 || isBatch) ? [i] : []));
  if (counting.length > 1) return refuse(situation, 'which is over several of its axes at once');
  if (counting.some((i) => axes[i]?.isBatch)) return notPointwise(situation);
  const [axis = axes.length - 1] = counting;
  const places = presentPlacesOf(axes, [axis]);
  return {
    axes: [axes],
    isLayer: true,
    write: (forms) => writeWithLast(situation, forms, { value, axes, places, last: [axis] }),
  };
}

/** A step over the last axes of a value. */
interface OverLast {
  readonly value: string;
  readonly axes: Axes;
  readonly places: readonly number[];
  /** Those that come last. */
  readonly last: readonly number[];
}

/** Puts in front of `node` what does its work on values laid out otherwise; what brings these back takes its place, and its name. */
export function insertInner(graph: Graph, node: NodeProto, inner: NodeProto): void {
  const name = graph.freeName(node.output[0] ?? '');
  inner.name = name;
  inner.output = [name];
  graph.insert(node, inner);
}

/** Puts rows and columns before `last` for the node, and back behind it. */
function writeWithLast(
  { node }: Situation,
  forms: LocalForms,
  { value, axes, places, last }: OverLast,
): void {
  const { graph } = forms;
  const [output = ''] = node.output;
  const lead = pick(axes, places);
  const rank = lead.length + 2;
  const ends = last.map((axis) => places.indexOf(axis));
  const front = Array.from({ length: rank }, (_, i) => i).filter((i) => !ends.includes(i));
  const perm = [...front, ...ends];
  const back = perm.map((_, i) => perm.indexOf(i));
  const turned = graph.insertBefore(node, value, 'Transpose', [forms.fit(value, lead, node)], {
    attributes: { perm },
  });
  const inner = remade(node, [turned, ...node.input.slice(1)], { axis: rank - ends.length });
  insertInner(graph, node, inner);
  const options = { name: node.name, attributes: { perm: back } };
  graph.replace(node, makeNode('Transpose', inner.output, [output], options));
  forms.set(output, { name: output, lead });
}

export function softmax(situation: Situation): Step | Refusal {
  return situation.context.opset < 13 ? flatSoftmax(situation) : alongAxis(situation);
}

/** Along `axis`, the last unless it says another. */
export function alongAxis(situation: Situation): Step | Refusal {
  const { node } = situation;
  return along(situation, placeOf(intOf(node, 'axis', -1), shapeIn(situation, node.input[0] ?? '').length));
}

/** LayerNormalization and RMSNormalization over axes of the pooled value. */
export function layerNormalization(situation: Situation): Step | Refusal {
  const { node } = situation;
  const operand = pooledFirst(situation);
  if (!operand) return notPointwise(situation);
  const { value, axes } = operand;
  const from = placeOf(intOf(node, 'axis', -1), axes.length);
  const last = axes.map((_, i) => i).slice(from);
  if (pick(axes, last).some(({ isBatch }) => isBatch)) return notPointwise(situation);
  const places = presentPlacesOf(axes, last);
  return {
    axes: [axes],
    isLayer: true,
    write: (forms) => writeWithLast(situation, forms, { value, axes, places, last }),
  };
}

export function reduce(situation: Situation): Step | Refusal {
  const { context, node } = situation;
  const operand = pooledFirst(situation);
  const given = context.graph.reducedAxes(node);
  if (!operand || !given) return notPointwise(situation);
  const { value, axes } = operand;
  const every = axes.map((_, i) => i);
  const reduced = reducesAll(node, given) ? every : given.map((axis) => placeOf(axis, axes.length));
  const kept = intOf(node, 'keepdims', 1) !== 0;
  const places = presentPlacesOf(axes, reduced);
  const after = axes.flatMap((axis, i) => (reduced.includes(i) ? (kept ? [single] : []) : [axis]));
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const [output = ''] = node.output;
      const input = [forms.fit(value, pick(axes, places), node)];
      const local = reduced.map((i) => places.indexOf(i));
      const isInput = isAxesInput(context.opset, node);
      if (isInput) input.push(forms.graph.addIntegers(`${output}_axes`, local));
      forms.graph.replace(node, remade(node, input, isInput ? {} : { axes: local }));
      const lead = places.flatMap((i) =>
        reduced.includes(i) ? (kept ? [single] : []) : [axes[i] ?? single],
      );
      forms.set(output, { name: output, lead });
    },
  };
}

/** Axes are an input since opset 13 for sums, since 18 for the others. */
export function isAxesInput(opset: number, { opType }: Pick<NodeProto, 'opType'>): boolean {
  return opset >= (opType === 'ReduceSum' ? 13 : 18);
}

export function concat(situation: Situation): Step | Refusal {
  const { node } = situation;
  const [output = ''] = node.output;
  const shape = shapeIn(situation, output);
  if (node.input.some((value) => !situation.axesOf(value) && !isUniform(situation, value)))
    return notPointwise(situation);
  const axis = placeOf(intOf(node, 'axis', 1), shape.length);
  const parts = node.input.map((value) => situation.axesOf(value));
  const whole: Axes = shape.map((size, i) => ({
    size,
    isBatch: i !== axis && parts.some((axes) => axes?.[i]?.isBatch),
  }));
  if (parts.some((axes) => axes?.[axis]?.isBatch)) return notPointwise(situation);
  const places = presentPlacesOf(whole, [axis]);
  return {
    axes: [whole],
    isLayer: true,
    write(forms) {
      const at = node.input.findIndex((value) => situation.axesOf(value));
      const any = node.input[at] ?? '';
      const anyName = forms.fit(any, pick(parts[at] ?? [], places), node);
      const inputs = node.input.map((value, i) => {
        const own = parts[i];
        if (own) return forms.fit(value, pick(own, places), node);
        // What is the same for all pixels is repeated over them.
        const uniform = axesIn(situation, value);
        const lead = pick(uniform, places);
        const name = forms.spread(value, shapeIn(situation, value), lead, node);
        const sizes = lead.map(({ size, isBatch }) => (isBatch ? 1 : size));
        const plane = forms.planeOf(anyName, places.length, node);
        const wanted = forms.join([forms.graph.addIntegers(`${value}_shape`, sizes), plane], value, node);
        return forms.graph.insertBefore(node, value, 'Expand', [name, wanted]);
      });
      forms.graph.replace(node, remade(node, inputs, { axis: places.indexOf(axis) }));
      forms.set(output, { name: output, lead: pick(whole, places) });
    },
  };
}

export function split(situation: Situation): Step | Refusal {
  const { node } = situation;
  const operand = pooledFirst(situation);
  if (!operand) return notPointwise(situation);
  const { value, axes } = operand;
  const axis = placeOf(intOf(node, 'axis', 0), axes.length);
  if (axes[axis]?.isBatch) return notPointwise(situation);
  const places = presentPlacesOf(axes, [axis]);
  const after = node.output.map((output) =>
    axes.map((one, i) =>
      i === axis ? { size: shapeIn(situation, output)[axis] ?? 0, isBatch: false } : one,
    ),
  );
  return {
    axes: after,
    isLayer: true,
    write(forms) {
      const input = [forms.fit(value, pick(axes, places), node), ...node.input.slice(1)];
      forms.graph.replace(node, remade(node, input, { axis: places.indexOf(axis) }));
      for (const [i, output] of node.output.entries())
        forms.set(output, { name: output, lead: pick(after[i] ?? [], places) });
    },
  };
}

export function slice(situation: Situation): Step | Refusal {
  const { context, node } = situation;
  const operand = pooledFirst(situation);
  if (!operand) return notPointwise(situation);
  const { value, axes } = operand;
  const [, starts = '', ends = '', along = '', steps = ''] = node.input;
  const given = along ? context.graph.constantIntegers(along) : axes.map((_, i) => i);
  const count = context.graph.constantIntegers(starts)?.length ?? given?.length;
  const cut = given?.slice(0, count).map((axis) => placeOf(axis, axes.length));
  if (!cut || cut.some((axis) => axes[axis]?.isBatch)) return notPointwise(situation);
  const places = presentPlacesOf(axes, cut);
  const shape = shapeIn(situation, node.output[0] ?? '');
  const after = axes.map((axis, i) => ({ ...axis, size: shape[i] ?? axis.size }));
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const [output = ''] = node.output;
      const local = forms.graph.addIntegers(
        `${output}_axes`,
        cut.map((axis) => places.indexOf(axis)),
      );
      const input = [
        forms.fit(value, pick(axes, places), node),
        starts,
        ends,
        local,
        ...(steps ? [steps] : []),
      ];
      forms.graph.replace(node, remade(node, input));
      forms.set(output, { name: output, lead: pick(after, places) });
    },
  };
}

export function gather(situation: Situation): Step | Refusal {
  const { context, node } = situation;
  const operand = pooledFirst(situation);
  const [, indices = ''] = node.input;
  if (!operand || !isUniform(situation, indices)) return notPointwise(situation);
  const { value, axes } = operand;
  const axis = placeOf(intOf(node, 'axis', 0), axes.length);
  const picked = shapeIn(situation, indices);
  const isAll = context.graph.constantIntegers(indices)?.every((from, i) => from === i);
  const count = picked.reduce((product, side) => product * side, 1);
  const after: Axes = [...axes.slice(0, axis), ...fixedAxes(picked), ...axes.slice(axis + 1)];
  // With nothing left out and nothing moved it is a reshape.
  if (isAll && count === axes[axis]?.size && !axes[axis].isBatch) return handOn(value, situation, after);
  const places = presentPlacesOf(axes, [axis]);
  return {
    axes: [after],
    isLayer: true,
    write(forms) {
      const [output = ''] = node.output;
      const at = places.indexOf(axis);
      const input = [forms.fit(value, pick(axes, places), node), indices];
      forms.graph.replace(node, remade(node, input, { axis: at }));
      const lead = pick(axes, places);
      forms.set(output, {
        name: output,
        lead: [...lead.slice(0, at), ...fixedAxes(picked), ...lead.slice(at + 1)],
      });
    },
  };
}

/** Quantization by one scale, or by one for each element of an axis. */
export function quantize(situation: Situation): Step | Refusal {
  const { node } = situation;
  const operand = pooledFirst(situation);
  if (!operand) return notPointwise(situation);
  const scale = shapeIn(situation, node.input[1] ?? '');
  const axis = placeOf(intOf(node, 'axis', 1), operand.axes.length);
  if (scale.reduce((product, side) => product * side, 1) > 1) return along(situation, axis);
  const { value, axes } = operand;
  return {
    axes: [axes],
    isLayer: true,
    padsFirst: true,
    write(forms) {
      const [output = ''] = node.output;
      const { name, lead } = forms.of(value);
      if (name !== value) forms.graph.replaceInput(node, value, name);
      forms.set(output, { name: output, lead });
    },
  };
}
