// What takes equal parts of a value's channels apart.
import { intOf, isOnnxDomain, type NodeProto } from '../graph/proto.js';
import { type FusionContext, isReadBy } from './context.js';

const channels = 1;

function channelsOf({ looks: [look] }: FusionContext, value: string): number {
  return look?.get(value)?.[channels] ?? 0;
}

/** The only number in a list, or on its own. */
function only({ graph }: FusionContext, value: string): number | undefined {
  const numbers = graph.constantIntegers(value);
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** Along the channels alone, one after the other. */
function isChannelSlice(context: FusionContext, node: NodeProto): boolean {
  const [, , , axes = '', steps = ''] = node.input;
  const axis = only(context, axes);
  return (axis === channels || axis === channels - 4) && (steps === '' || only(context, steps) === 1);
}

/** Slices of which each begins where another has ended, from 0 on, in order: their bounds may be worked out at run time. */
function slices(context: FusionContext, readers: readonly NodeProto[]): string[] | undefined {
  if (!readers.every((node) => node.opType === 'Slice' && isChannelSlice(context, node))) return undefined;
  const isAt = (value: string, bound: string | 0) => {
    if (bound === 0 || value === '') return only(context, value) === bound;
    const number = only(context, value);
    return value === bound || (number !== undefined && number === only(context, bound));
  };
  const ordered: NodeProto[] = [];
  while (ordered.length < readers.length) {
    const end = ordered.at(-1)?.input[2] ?? 0;
    const next = readers.find((node) => !ordered.includes(node) && isAt(node.input[1] ?? '', end));
    if (!next) return undefined;
    ordered.push(next);
  }
  return ordered.map(({ output: [first = ''] }) => first);
}

/** The so many equal parts of an image's channels, in order, where it is read for these alone. */
export function partsOf(context: FusionContext, value: string, count: number): string[] | undefined {
  const { graph } = context;
  const readers = graph.consumers(value).filter(({ opType }) => opType !== 'Shape');
  if (!isReadBy(context, value, readers) || !readers.every(({ domain }) => isOnnxDomain(domain)))
    return undefined;
  const [one, ...more] = readers;
  const isSplit = one?.opType === 'Split' && more.length === 0 && intOf(one, 'axis', 0) === channels;
  const parts = isSplit ? one.output : slices(context, readers);
  const share = channelsOf(context, value) / count;
  return parts?.length === count && parts.every((name) => channelsOf(context, name) === share)
    ? parts
    : undefined;
}

/** The halves of an image's channels, likewise. */
export function halvesOf(context: FusionContext, value: string): readonly [string, string] | undefined {
  const [first, second] = partsOf(context, value, 2) ?? [];
  return first !== undefined && second !== undefined ? [first, second] : undefined;
}
