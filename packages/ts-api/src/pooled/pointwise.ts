// Operators that treat elements one by one, and where they meet images.
import { labelOf, makeNode, type NodeProto, subgraphsOf } from '../graph/proto.js';
import type { Refusal } from '../rewrite/rule.js';
import { showSize } from '../size.js';
import { aligned, broadcast, pick, placesOf } from './axes.js';
import type { ImageLayout, LocalForms } from './local-forms.js';
import { planeIn } from './starts.js';
import { axesIn, isUniform, notPointwise, type Situation, type Step, shapeIn } from './step.js';

/** Has the node read these values in the place of its inputs. */
export function rewire(forms: LocalForms, node: NodeProto, inputs: readonly string[]): void {
  for (const [i, name] of inputs.entries()) {
    const before = node.input[i] ?? '';
    if (name !== before) forms.graph.replaceInput(node, before, name);
  }
}

/** An operator of one operand; the others, like the bounds of Clip, are numbers. */
export function unary(situation: Situation): Step | Refusal {
  const { node } = situation;
  const [value = '', ...others] = node.input;
  const axes = situation.axesOf(value);
  if (!axes || others.some((other) => situation.axesOf(other))) return notPointwise(situation);
  return {
    axes: [axes],
    isLayer: true,
    // The product that pads takes both its tensors in one type.
    padsFirst: node.opType === 'Cast',
    write(forms) {
      const { name, lead } = forms.of(value);
      rewire(forms, node, [name]);
      forms.set(node.output[0] ?? '', { name: node.output[0] ?? '', lead });
    },
  };
}

/** An operator whose operands broadcast: of pooled values and what is the same for all pixels, or together with images. */
export function elementwise(situation: Situation): Step | Refusal {
  const { node } = situation;
  const operands = node.input.filter((value) => value !== '');
  const unknown = operands.find((value) => isUnknown(situation, value));
  if (unknown !== undefined)
    return { reason: `its mean meets ${unknown} of unknown shape in ${labelOf(node)}` };
  const images = operands.filter((value) => !situation.axesOf(value) && !isUniform(situation, value));
  return images.length > 0 ? meet(situation, images) : combine(situation);
}

/** What an If gives at one run tells nothing of others. */
function isUnknown(situation: Situation, value: string): boolean {
  const { context } = situation;
  const producer = context.graph.producer(value);
  const isChosen = producer !== undefined && subgraphsOf(producer).length > 0;
  const isKnown = context.shapes.has(value) || context.graph.constant(value) !== undefined;
  return !situation.axesOf(value) && (isChosen || !isKnown);
}

function combine(situation: Situation): Step {
  const { node } = situation;
  const known = node.input.map((value) =>
    value === '' ? [] : (situation.axesOf(value) ?? axesIn(situation, value)),
  );
  const axes = broadcast(known);
  const [output = ''] = node.output;
  return {
    axes: [axes],
    isLayer: true,
    write(forms) {
      const places = placesOf(axes);
      const inputs = node.input.map((value) => {
        if (value === '') return value;
        const own = situation.axesOf(value);
        if (own) return forms.fit(value, pick(aligned(own, axes.length), places), node);
        const uniform = axesIn(situation, value);
        const lead = pick(aligned(uniform, axes.length), places);
        return forms.spread(
          value,
          uniform.map(({ size }) => size),
          lead,
          node,
        );
      });
      rewire(forms, node, inputs);
      forms.set(output, { name: output, lead: pick(axes, places) });
    },
  };
}

/** The axes that rows and columns have in a result of this rank, where the value has them at `plane`. */
function inResult(plane: readonly number[], from: number, rank: number): ImageLayout['plane'] {
  return plane.map((axis) => axis + rank - from) as unknown as ImageLayout['plane'];
}

function meet(situation: Situation, images: readonly string[]): Step | Refusal {
  const { context, node } = situation;
  const rank = Math.max(...node.input.map((value) => shapeIn(situation, value).length));
  let plane: ImageLayout['plane'] | undefined;
  for (const image of images) {
    const shape = shapeIn(situation, image);
    const own = planeIn(context, image);
    const met = `${image} (${showSize(shape)}) in ${labelOf(node)}`;
    const meets = { reason: `its mean of ${situation.pixels} pixels meets ${met}` };
    if (!own || !situation.hasPlane(image, own)) return meets;
    const there = inResult(own, shape.length, rank);
    if (plane && plane.join() !== there.join()) return meets;
    plane = there;
  }
  const layout = { rank, plane: plane ?? [rank - 2, rank - 1] } as const;
  for (const value of node.input) {
    const own = situation.axesOf(value);
    const whole = own && aligned(own, rank);
    if (whole && layout.plane.some((axis) => whole[axis]?.size !== 1))
      return { reason: `its mean, flattened, meets ${images[0]} in ${labelOf(node)}` };
  }
  const product = productOf(situation, layout);
  return {
    axes: [undefined],
    isLayer: false,
    meeting: { padsInProduct: product !== undefined },
    write(forms, valid) {
      if (valid && product) {
        const s = forms.layOut(product.pooled, situation.axesOf(product.pooled) ?? [], layout, node);
        const options = { domain: 'tlsc', name: node.name };
        forms.graph.replace(node, makeNode('ReplicateScale', [product.image, s], node.output, options));
        return;
      }
      const inputs = node.input.map((value) => {
        const own = situation.axesOf(value);
        return own ? forms.layOut(value, own, layout, node) : value;
      });
      rewire(forms, node, inputs);
    },
  };
}

/** The product of a pooled value with an image, channels first, that always has the size of what was pooled. */
function productOf(situation: Situation, { rank, plane }: ImageLayout) {
  const { node } = situation;
  if (node.opType !== 'Mul' || rank !== 4 || plane.join() !== '2,3') return undefined;
  const position = node.input.findIndex((value) => situation.axesOf(value));
  const [pooled = '', image = ''] = [node.input[position], node.input[1 - position]];
  const shape = shapeIn(situation, image);
  return shape.length === 4 && situation.isTied(image) ? { pooled, image } : undefined;
}
