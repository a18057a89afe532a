// What takes the two halves of a value's channels apart.
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

function split(node: NodeProto): readonly [string, string] | undefined {
  const [first = '', second = ''] = node.output;
  return node.output.length === 2 && intOf(node, 'axis', 0) === channels ? [first, second] : undefined;
}

/** Along the channels alone, one after the other. */
function isChannelSlice(context: FusionContext, node: NodeProto): boolean {
  const [, , , axes = '', steps = ''] = node.input;
  const axis = only(context, axes);
  return (axis === channels || axis === channels - 4) && (steps === '' || only(context, steps) === 1);
}

/** Two slices of which the second begins where the first has ended: their bounds may be worked out at run time. */
function slices(
  context: FusionContext,
  readers: readonly NodeProto[],
): readonly [string, string] | undefined {
  if (!readers.every((node) => isChannelSlice(context, node))) return undefined;
  const first = readers.find(({ input }) => only(context, input[1] ?? '') === 0);
  const second = readers.find((node) => node !== first);
  const [end, start] = [first?.input[2] ?? '', second?.input[1] ?? ''];
  const isNext =
    end === start || (only(context, end) !== undefined && only(context, end) === only(context, start));
  const outputs = [first?.output[0], second?.output[0]];
  return isNext ? [outputs[0] ?? '', outputs[1] ?? ''] : undefined;
}

/** The halves of an image's channels, where it is read for these alone. */
export function halvesOf(context: FusionContext, value: string): readonly [string, string] | undefined {
  const { graph } = context;
  const readers = graph.consumers(value).filter(({ opType }) => opType !== 'Shape');
  if (!isReadBy(context, value, readers) || !readers.every(({ domain }) => isOnnxDomain(domain)))
    return undefined;
  const [one, ...more] = readers;
  const areSlices = readers.length === 2 && readers.every(({ opType }) => opType === 'Slice');
  const halves =
    one?.opType === 'Split' && more.length === 0
      ? split(one)
      : areSlices
        ? slices(context, readers)
        : undefined;
  const half = channelsOf(context, value) / 2;
  return halves?.every((name) => channelsOf(context, name) === half) ? halves : undefined;
}
