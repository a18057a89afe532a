// Group normalization by its operator, which came with opset 18, and as exporters write it out.
import * as fc from 'fast-check';
import type { Image, Network } from './network.js';
import { type Block, detour, flag, handOn } from './parts.js';

const regroupings = ['constant', 'constant of rank 4', 'computed'] as const;
const returns = ['Shape', 'computed', 'computed with -1'] as const;
const steps = ['none', 'vector', 'row', 'number'] as const;

interface GroupNormOptions {
  readonly operator: boolean;
  readonly which: number;
  readonly epsilon: number;
  readonly shared: boolean;
  /** Whether the parameters of the inner normalization are ones and zeros. */
  readonly plain: boolean;
  readonly regroup: (typeof regroupings)[number];
  readonly back: (typeof returns)[number];
  readonly scale: (typeof steps)[number];
  readonly shift: (typeof steps)[number];
  readonly reversed: boolean;
  readonly detours: readonly string[];
}

function groupsOf(channels: number, which: number): number {
  const divisors = Array.from({ length: channels }, (_, i) => i + 1).filter(
    (count) => channels % count === 0,
  );
  return divisors[which % divisors.length] as number;
}

function parametersOf(network: Network, count: number, plain: boolean, shared: boolean): [string, string] {
  if (!plain)
    return [network.weights([count], 8, { shared, around: 1 }), network.weights([count], 8, { shared })];
  const constants = (value: number) =>
    network.floats([count], Array<number>(count).fill(value), network.style.type);
  return [constants(1), constants(0)];
}

function regrouped(
  network: Network,
  x: Image,
  groups: number,
  spelling: GroupNormOptions['regroup'],
): string {
  const spell = () => {
    if (spelling === 'constant') return network.ints(0, groups, -1);
    if (spelling === 'constant of rank 4') return network.ints(0, groups, -1, 1);
    return network.join(network.sides(x.value, 0, 1), network.ints(groups, -1));
  };
  return network.op('Reshape', [x.value, spell()]);
}

function shapeToReturnTo(network: Network, x: Image, spelling: GroupNormOptions['back']): string {
  if (spelling === 'Shape') return network.op('Shape', [x.value]);
  const sides = network.sides(x.value, 2, 4);
  if (spelling === 'computed with -1') return network.join(network.ints(-1, x.channels), sides);
  return network.join(network.sides(x.value, 0, 2), sides);
}

/** A factor or an offset per channel. */
function step(
  network: Network,
  opType: 'Mul' | 'Add',
  [value, channels]: readonly [string, number],
  { kind, reversed }: { kind: (typeof steps)[number]; reversed: boolean },
): string {
  if (kind === 'none') return value;
  const dims = { vector: [channels, 1, 1], row: [1, channels, 1, 1], number: [] }[kind];
  const parameter = network.weights(dims, 8, { around: opType === 'Mul' ? 1 : 0 });
  return network.op(opType, reversed ? [parameter, value] : [value, parameter]);
}

function writtenOut(network: Network, x: Image, groups: number, options: GroupNormOptions): string {
  const { epsilon, plain, shared, scale, shift, reversed, detours } = options;
  const pass = (value: string, which: number) => handOn(network, value, detours[which] ?? 'none');
  const group = pass(regrouped(network, x, groups, options.regroup), 0);
  const parameters = parametersOf(network, groups, plain, shared);
  const attributes = { epsilon: { float: epsilon } };
  const normal = pass(network.op('InstanceNormalization', [group, ...parameters], attributes), 1);
  const image = network.op('Reshape', [normal, shapeToReturnTo(network, x, options.back)]);
  const numbers = { groups, epsilon: Math.fround(epsilon) };
  network.statistic('group-normalization', [x.value, ...parameters], image, numbers);
  const scaled = step(network, 'Mul', [pass(image, 2), x.channels], { kind: scale, reversed });
  return step(network, 'Add', [pass(scaled, 3), x.channels], { kind: shift, reversed });
}

export const groupNorm: fc.Arbitrary<Block> = fc
  .record({
    operator: flag,
    which: fc.nat(9),
    epsilon: fc.constantFrom(1e-3, 1e-2, 0.1),
    shared: flag,
    plain: flag,
    regroup: fc.constantFrom(...regroupings),
    back: fc.constantFrom(...returns),
    scale: fc.constantFrom(...steps),
    shift: fc.constantFrom(...steps),
    reversed: flag,
    detours: fc.array(detour, { minLength: 4, maxLength: 4 }),
  })
  .map((options) => (network, x) => {
    const groups = groupsOf(x.channels, options.which);
    if (!options.operator || network.style.opset < 18)
      return network.image(writtenOut(network, x, groups, options), x.channels, x.level);
    const count = network.style.opset < 21 ? groups : x.channels;
    const inputs = [x.value, ...parametersOf(network, count, options.plain, options.shared)];
    const attributes = { num_groups: groups, epsilon: { float: options.epsilon } };
    const output = network.op('GroupNormalization', inputs, attributes);
    const numbers = { groups, epsilon: Math.fround(options.epsilon) };
    network.statistic('group-normalization', inputs, output, numbers);
    return network.image(output, x.channels, x.level);
  });
