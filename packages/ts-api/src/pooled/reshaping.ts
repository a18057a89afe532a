// Operators that move the axes of a value, or repeat it.
import { intsOf, labelOf, makeNode } from '../graph/proto.js';
import type { Refusal } from '../rewrite/rule.js';
import { showSize } from '../size.js';
import { type Axes, aligned, pick, placesOf, presentPlacesOf, sameSizes } from './axes.js';
import { rewire } from './pointwise.js';
import { planeIn } from './starts.js';
import { axesIn, handOn, notPointwise, pooledFirst, type Situation, type Step, shapeIn } from './step.js';

/** Reshape, Flatten, Squeeze and Unsqueeze: the local form stays, until somebody wants other axes. */
export function reshape(situation: Situation): Step | Refusal {
  const operand = pooledFirst(situation);
  const axes = axesIn(situation, situation.node.output[0] ?? '');
  // A shape says of one axis alone that it follows from the others.
  const isTold = axes.filter(({ isBatch }) => isBatch).length < 2;
  return operand && isTold ? handOn(operand.value, situation, axes) : notPointwise(situation);
}

export function transpose(situation: Situation): Step | Refusal {
  const { node } = situation;
  const operand = pooledFirst(situation);
  if (!operand) return notPointwise(situation);
  const { value, axes } = operand;
  const perm = intsOf(node, 'perm') ?? axes.map((_, i) => axes.length - 1 - i);
  const after = pick(axes, perm);
  const places = presentPlacesOf(axes);
  const order = perm.filter((i) => places.includes(i));
  if (order.join() === places.join()) return handOn(value, situation, after);
  return {
    axes: [after],
    isLayer: false,
    write(forms) {
      const [output = ''] = node.output;
      const name = forms.fit(value, pick(axes, places), node);
      const moved = [...order.map((i) => places.indexOf(i)), places.length, places.length + 1];
      const options = { name: node.name, attributes: { perm: moved } };
      forms.graph.replace(node, makeNode('Transpose', [name], node.output, options));
      forms.set(output, { name: output, lead: pick(axes, order) });
    },
  };
}

/** What repeats a value over the whole plane, which its local form covers already, or over axes of one element. */
export function repeat(situation: Situation): Step | Refusal {
  const { context, node } = situation;
  const operand = pooledFirst(situation);
  if (!operand) return notPointwise(situation);
  const { value, axes } = operand;
  const [output = ''] = node.output;
  const isImage = context.growth.along(output).some(Boolean);
  if (isImage) return cover(situation, value, axes);
  const wide = axesIn(situation, output);
  if (sameSizes(wide, axes)) return handOn(value, situation, wide);
  const places = placesOf(wide);
  const rank = wide.length;
  const narrow = aligned(axes, rank);
  const broadcasts =
    narrow.length === rank && narrow.every(({ size }, i) => size === 1 || size === wide[i]?.size);
  if (!broadcasts || (node.opType !== 'Expand' && node.opType !== 'Tile')) return notPointwise(situation);
  return {
    axes: [wide],
    isLayer: true,
    write(forms) {
      const name = forms.fit(value, pick(narrow, places), node);
      const sizes = [...pick(wide, places).map(({ size, isBatch }) => (isBatch ? 1 : size)), 1, 1];
      const wanted = forms.graph.addIntegers(`${output}_shape`, sizes);
      const options = { name: node.name };
      forms.graph.replace(node, makeNode('Expand', [name, wanted], node.output, options));
      forms.set(output, { name: output, lead: pick(wide, places) });
    },
  };
}

/** Spread over the plane it is what the local form is; over a larger plane, what the same interpolation makes of that. */
function cover(situation: Situation, value: string, axes: Axes): Step | Refusal {
  const { context, node } = situation;
  const [output = ''] = node.output;
  const shape = shapeIn(situation, output);
  const plane = planeIn(context, output);
  const isResize = node.opType === 'Resize' || node.opType === 'Upsample';
  const elsewhere = {
    reason: `its mean is spread over planes of another size (${showSize(shape)}) by ${labelOf(node)}`,
  };
  if (!plane) return elsewhere;
  const whole = aligned(axes, shape.length);
  const isSingle = whole.length === shape.length && plane.every((axis) => whole[axis]?.size === 1);
  if (!isSingle) return notPointwise(situation);
  const meeting = { padsInProduct: false };
  if (situation.hasPlane(output, plane)) {
    const isWhole = whole.every(({ size }, i) => plane.includes(i as never) || size === shape[i]);
    const layout = { rank: shape.length, plane };
    return {
      axes: [undefined],
      isLayer: false,
      meeting,
      write(forms) {
        const { graph } = forms;
        const name = forms.layOut(value, axes, layout, node);
        if (!isWhole) {
          // The other axes are still to be repeated.
          rewire(forms, node, [name]);
          if (node.opType !== 'Tile') return;
          const repeats = shape.map((side, i) =>
            plane.includes(i as never) ? 1 : side / (whole[i]?.size ?? side),
          );
          graph.replaceInput(node, node.input[1] ?? '', graph.addIntegers(`${output}_repeats`, repeats));
          return;
        }
        if (graph.isOutput(output))
          graph.replace(node, makeNode('Identity', [name], node.output, { name: node.name }));
        else for (const reader of graph.consumers(output)) graph.replaceInput(reader, output, name);
      },
    };
  }
  const sizes = node.opType === 'Resize' && node.input[3];
  if (!isResize || !sizes || shape.length !== 4 || plane.join() !== '2,3') return elsewhere;
  return {
    axes: [undefined],
    isLayer: false,
    meeting,
    write(forms) {
      rewire(forms, node, [forms.layOut(value, axes, { rank: 4, plane: [2, 3] }, node)]);
    },
  };
}

/** Asked for its shape, a value still has the one that it had: its own axes, whatever plane its local form has. */
export function shapeStep(situation: Situation): Step | Refusal {
  const { node } = situation;
  const [value = ''] = node.input;
  const axes = situation.axesOf(value) ?? [];
  const bound = (name: string, otherwise: number) => {
    const found = node.attribute.find((one) => one.name === name);
    const at = found ? Number(found.i) : otherwise;
    return Math.min(Math.max(at < 0 ? at + axes.length : at, 0), axes.length);
  };
  const [begin, end] = [bound('start', 0), bound('end', axes.length)];
  return {
    axes: [],
    isLayer: false,
    asks: true,
    write(forms) {
      const { graph } = forms;
      const [output = ''] = node.output;
      if (!graph.isUsed(output)) return;
      const { name, lead } = forms.of(value);
      const parts = axes.slice(begin, end).map(({ size, isBatch }) => {
        const at = lead.findIndex((one) => one.isBatch);
        if (isBatch && at >= 0 && lead[at]?.size === size) return forms.sidesOf(name, at, at + 1, node);
        return graph.addIntegers(`${output}_size`, [size]);
      });
      const options = { name: node.name, attributes: { axis: 0 } };
      graph.replace(node, makeNode('Concat', parts, node.output, options));
    },
  };
}
