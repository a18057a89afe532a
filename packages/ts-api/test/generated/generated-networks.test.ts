// Random networks: converted, run on kernels and bodies, and held against the original run by the definition in float64.
// TLSC_GENERATED says how many, TLSC_SEED which; with the TLSC_PATH of a failure it alone runs.
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { windowFor } from '../../src/conversion/sizes.js';
import { roundToFloat16, widenFloat16 } from '../../src/session/float16.js';
import { floatsOf, toImageTensor } from '../../src/session/image-tensors.js';
import { InferenceSession } from '../../src/session/inference-session.js';
import type { Size } from '../../src/size.js';
import { convert } from '../convert.js';
import { largestDifference, noise } from '../reference.js';
import { interpret, type Windows } from './interpreter.js';
import type { Style } from './network.js';
import type { Values } from './operators.js';
import { type Generated, generate, type Plan, plans } from './plan.js';
import { showNetwork } from './show-network.js';

const count = Number(process.env.TLSC_GENERATED ?? 60);
const seed = Number(process.env.TLSC_SEED ?? 1);
const path = process.env.TLSC_PATH;

function inFloat16(data: Float64Array): Float64Array {
  return Float64Array.from(widenFloat16(roundToFloat16(Float32Array.from(data))));
}

/** Far enough below what the type holds that no other order of operations gets there. */
const limits = { float32: 1e30, float16: 2 ** 14 };
const roundings = { float32: (data: Float64Array) => data.map(Math.fround), float16: inFloat16 };

function imageOfSize(sides: Size, batch: number, type: Style['type']): Values {
  const { data, dims } = noise([batch, 3, ...sides], sides[0] * 31 + sides[1]);
  return { dims, data: roundings[type](Float64Array.from(data as Float32Array)) };
}

/** In units of the largest value, what is allowed for besides the roundings that the network itself adds up. */
const slack = { float32: 1e-5, float16: 2 ** -9 };

/** What the network must make of an image. */
interface Expected {
  readonly image: Values;
  readonly output: Values;
  readonly largest: number;
  /** How far roundings may take a right result from it. */
  readonly allowed: number;
}

function expectedAt(sides: Size, { graph, network, batch }: Generated, windows: Windows): Expected {
  const { type } = network.style;
  const original = { graph, statistics: network.statistics };
  const image = imageOfSize(sides, batch, type);
  const { output } = interpret(original, image, { windows });
  const largestIn = (data: Float64Array) => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let largestOnTheWay = 0;
  const round = (data: Float64Array) => {
    largestOnTheWay = Math.max(largestOnTheWay, largestIn(data));
    return roundings[type](data);
  };
  const approximate = interpret(original, image, { windows, round }).output;
  fc.pre(largestOnTheWay < limits[type]);
  const largest = largestIn(output.data);
  const allowed = slack[type] * largest + 16 * largestDifference(approximate.data, output.data);
  return { image, output, largest, allowed };
}

async function compare(session: InferenceSession, type: Style['type'], expected: Expected): Promise<void> {
  const { image, output, largest, allowed } = expected;
  const title = `image of ${image.dims}, largest value ${largest}`;
  const x = await toImageTensor(type, Float32Array.from(image.data), image.dims);
  const { y } = await session.run({ x });
  if (!y) throw new Error('no output');
  expect(y.dims, title).toEqual(output.dims);
  const difference = largestDifference((await floatsOf(y)) ?? [], output.data);
  expect(difference, title).toBeLessThanOrEqual(allowed);
}

async function check(plan: Plan): Promise<void> {
  const generated = generate(plan);
  const { bytes, graph, network, batch, trainSize, baseSize, sizes } = generated;
  const { statistics, style } = network;
  const { model, report } = await convert(bytes, { trainSize, baseSize });
  const { planes } = interpret({ graph, statistics }, imageOfSize(trainSize, batch, style.type));
  const windows = planes.map((plane) => windowFor(plane, { trainSize, baseSize }));
  expect(report.sites.map(({ window }) => window)).toEqual(windows);
  const expected = sizes.map((sides) => expectedAt(sides, generated, windows));
  for (const operators of ['native', 'portable'] as const) {
    const session = await InferenceSession.create(model, { operators, logSeverityLevel: 4 });
    try {
      for (const one of expected) await compare(session, style.type, one);
    } catch (error) {
      throw new Error(`${operators}: ${(error as Error).message}`, { cause: error });
    } finally {
      await session.release();
    }
  }
}

/** The smallest network that fails, and how to run it alone. */
function explain(plan: Plan, cause: Error, again: string): Error {
  const generated = generate(plan);
  const { graph, network, batch, trainSize } = generated;
  let shapes: ReadonlyMap<string, readonly number[]> = new Map();
  try {
    const original = { graph, statistics: network.statistics };
    shapes = interpret(original, imageOfSize(trainSize, batch, network.style.type)).shapes;
  } catch {
    // It is the interpreter that has failed.
  }
  return new Error(`${cause.message}\n  ${again}\n  ${showNetwork(generated, shapes)}`, { cause });
}

it(
  `converts ${count} generated networks, seed ${seed}`,
  async () => {
    const property = fc.asyncProperty(plans, check);
    const found = await fc.check(property, {
      numRuns: count,
      seed,
      ...(path && { path, endOnFailure: true }),
    });
    if (!found.failed) return;
    if (!found.counterexample) throw new Error('too many networks whose values the type does not hold');
    const [plan] = found.counterexample;
    throw explain(
      plan,
      found.errorInstance as Error,
      `TLSC_SEED=${found.seed} TLSC_PATH=${found.counterexamplePath} (${found.numShrinks} steps smaller)`,
    );
  },
  60_000 + count * 1_000,
);
