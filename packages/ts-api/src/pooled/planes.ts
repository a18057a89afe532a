// Brings the planes of an image, wherever its axes lie, into the form that local operators take: N×C×H×W.
import { intsOf, isOnnxDomain, type NodeProto } from '../graph/proto.js';
import { type RuleContext, shapeOf } from '../rewrite/rule.js';
import type { Size } from '../size.js';
import { type Axes, pick, sameSizes } from './axes.js';
import type { LocalForm, LocalForms } from './local-forms.js';
import { measuredAxes, planeIn, type Reduced } from './starts.js';

/** A value of which these axes, in this order, are those in front of the plane and the plane itself. */
interface Arrangement {
  readonly value: string;
  readonly order: readonly number[];
}

/** The same before any Transpose: often an image with its channels first. */
function beforeTransposes(context: RuleContext, { value, order }: Arrangement): Arrangement {
  const isDone = order.every((axis, i) => axis === i);
  const node = context.graph.producer(value);
  if (isDone || node?.opType !== 'Transpose' || !isOnnxDomain(node.domain)) return { value, order };
  const perm = intsOf(node, 'perm') ?? order.map((_, i) => order.length - 1 - i);
  const [from = ''] = node.input;
  return beforeTransposes(context, {
    value: from,
    order: order.map((axis) => perm[axis] ?? 0),
  });
}

/** The image whose planes a Reshape has laid in rows to be this value, all other axes the same. */
function beforeLaying(context: RuleContext, value: string, lead: Axes): LocalForm | undefined {
  const node = context.graph.producer(value);
  if (node?.opType !== 'Reshape' || !isOnnxDomain(node.domain)) return undefined;
  const [name = ''] = node.input;
  const shape = shapeOf(context, name) ?? [];
  const own = measuredAxes(context, name).slice(0, -2);
  const isLast = planeIn(context, name)?.join() === [shape.length - 2, shape.length - 1].join();
  return isLast && sameSizes(own, lead) ? { name, lead: own } : undefined;
}

/** The nearest value above with rows and columns of as many pixels. */
function planeAbove(context: RuleContext, value: string, pixels: number) {
  const { graph, growth } = context;
  const seen = new Set<string>([value]);
  for (const name of seen) {
    const plane = planeIn(context, name);
    const [rows, columns] = (plane ?? []).map((axis) => growth.lengths(name)[axis]?.[0] ?? 0);
    if (plane?.length === 2 && (rows ?? 0) * (columns ?? 0) === pixels) return { name, plane };
    for (const above of graph.producer(name)?.input ?? []) if (above !== '') seen.add(above);
  }
  return undefined;
}

/** Height and width of the images that a value was laid in rows of, as a vector; undefined where no such image is there. */
function planeVector(
  context: RuleContext,
  forms: LocalForms,
  value: string,
  pixels: number,
  before: NodeProto,
) {
  const found = planeAbove(context, value, pixels);
  if (!found) return undefined;
  const { name, plane } = found;
  const sides = plane.map((axis) => forms.sidesOf(name, axis, axis + 1, before));
  return forms.join(sides, name, before);
}

/** Height and width of the planes that are reduced. */
export function planeSizeOf(context: RuleContext, { image, axes, plane }: Reduced): Size {
  const [first, second] = plane;
  if (second !== undefined) return [axes[first]?.size ?? 0, axes[second]?.size ?? 0];
  const above = planeAbove(context, image, axes[first]?.size ?? 0);
  const [rows = 0, columns = 0] = (above?.plane ?? []).map(
    (axis) => shapeOf(context, above?.name ?? '')?.[axis] ?? 0,
  );
  return [rows, columns];
}

/** Whether `planesOf` can make images of what is reduced. */
export function hasPlanes(context: RuleContext, { image, axes, plane }: Reduced): boolean {
  const [pixels = 0] = plane;
  return plane.length === 2 || planeAbove(context, image, axes[pixels]?.size ?? 0) !== undefined;
}

/** The image with all axes but rows and columns in front of these. */
export function planesOf(
  context: RuleContext,
  forms: LocalForms,
  { image, axes, plane }: Reduced,
  before: NodeProto,
): LocalForm {
  const { graph } = context;
  const front = axes.map((_, i) => i).filter((i) => !plane.includes(i as never));
  const lead = pick(axes, front);
  const { value, order } = beforeTransposes(context, { value: image, order: [...front, ...plane] });
  const isOrdered = order.every((axis, i) => axis === i);
  const name = isOrdered
    ? value
    : graph.insertBefore(before, value, 'Transpose', [value], { attributes: { perm: order } });
  if (plane.length === 2) return { name, lead };
  const laid = isOrdered ? beforeLaying(context, value, lead) : undefined;
  if (laid) return laid;
  const sides = planeVector(context, forms, image, axes[plane[0]]?.size ?? 0, before) ?? '';
  const sizes = lead.map(({ size, isBatch }, i) => (isBatch ? (i === 0 ? 0 : -1) : size));
  const shape = forms.join([graph.addIntegers(`${name}_shape`, sizes), sides], name, before);
  return { name: graph.insertBefore(before, name, 'Reshape', [name, shape]), lead };
}
