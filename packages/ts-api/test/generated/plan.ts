// Random networks with the sizes that they are run at.
import * as fc from 'fast-check';
import type { GraphProto } from '../../src/graph/proto.js';
import type { Size } from '../../src/size.js';
import { plainBlock, statisticBlock } from './blocks.js';
import { type Image, Network, type Style } from './network.js';
import type { Block } from './parts.js';

/** What fast-check draws and shrinks. */
export interface Plan {
  readonly style: Style;
  readonly batch: number;
  /** Whether the model takes just so many images. */
  readonly fixedBatch: boolean;
  readonly before: readonly Block[];
  readonly statistic: Block;
  readonly after: readonly Block[];
  readonly trainSize: readonly [number, number];
  /** In hundredths of the training size. */
  readonly base: readonly [number, number];
  /** Of images; null for one of the base size, which the windows just cover. */
  readonly sizes: readonly (readonly [number, number] | null)[];
}

const side = fc.integer({ min: 2, max: 18 });
const size = fc.tuple(side, side);
const imageSide = fc.integer({ min: 1, max: 28 });
const imageSize = fc.tuple(imageSide, imageSide);
const anyBlock = fc.oneof(plainBlock, { weight: 2, arbitrary: statisticBlock });

export const plans: fc.Arbitrary<Plan> = fc.record({
  style: fc.record({
    opset: fc.integer({ min: 11, max: 22 }),
    type: fc.constantFrom('float32', 'float32', 'float32', 'float16'),
    constants: fc.constantFrom('initializers', 'nodes', 'both'),
    names: fc.constantFrom('all', 'some', 'none'),
    irVersion: fc.integer({ min: 4, max: 10 }),
    declared: fc.boolean(),
  }),
  batch: fc.constantFrom(1, 2, 1, 3),
  fixedBatch: fc.boolean(),
  before: fc.array(anyBlock, { maxLength: 5 }),
  statistic: statisticBlock,
  after: fc.array(anyBlock, { maxLength: 3 }),
  trainSize: size,
  base: fc.tuple(fc.integer({ min: 20, max: 200 }), fc.integer({ min: 20, max: 200 })),
  sizes: fc.array(fc.option(imageSize, { freq: 6 }), { minLength: 1, maxLength: 2 }),
});

export interface Generated {
  readonly bytes: Uint8Array;
  readonly graph: GraphProto;
  readonly network: Network;
  readonly batch: number;
  readonly trainSize: Size;
  readonly baseSize: Size;
  readonly sizes: readonly Size[];
}

export function generate({ style, before, statistic, after, ...plan }: Plan): Generated {
  const network = new Network(style, 3);
  const stem = network.op('Conv', ['x', network.weights([4, 3, 1, 1], 3)]);
  const end = [...before, statistic, ...after].reduce<Image>(
    (x, block) => block(network, x),
    network.image(stem, 4, 0),
  );
  // What the network halves must be even; and a plane of one pixel says nothing of what becomes of its mean.
  const unit = 2 ** network.deepest;
  const fit = (least: number) => (given: number) => Math.max(least * unit, given - (given % unit));
  const fitted = (given: readonly number[], least: number) => given.map(fit(least)) as unknown as Size;
  const trainSize = fitted(plan.trainSize, 2);
  // A window of at least one pixel.
  const base = trainSize.map((length, i) => Math.max(unit, Math.round((length * (plan.base[i] ?? 0)) / 100)));
  const batch = network.takesBatches ? plan.batch : 1;
  const sizes = plan.sizes.map((one) => fitted(one ?? base, 1));
  return {
    ...network.finish(end, plan.fixedBatch ? batch : 'batch'),
    network,
    batch,
    trainSize,
    baseSize: base as unknown as Size,
    sizes,
  };
}
