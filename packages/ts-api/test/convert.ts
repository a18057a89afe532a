// `convert` for tests: every conversion is held against its original, whatever the test is about.
import { readFileSync } from 'node:fs';
import type { ConvertOptions } from '../src/conversion/choice.js';
import { inlineEnclosed } from '../src/conversion/inline-enclosed.js';
import { raiseOpset } from '../src/conversion/raise-opset.js';
import type { ConversionSizes } from '../src/conversion/sizes.js';
import { type Conversion, convert as convertModel } from '../src/convert.js';
import { freePlanePools, freeSizes } from '../src/freeing/free-sizes.js';
import { measure, type Shapes } from '../src/graph/measure.js';
import { decodeModel, type Model, type ModelSource } from '../src/graph/model.js';
import type { ValueInfoProto } from '../src/graph/proto.js';
import type { Size } from '../src/size.js';
import { changesIn } from './conversion-faults.js';
import { faultsOf } from './graph-faults.js';
import { faultsOfInlining } from './inlining-faults.js';

function sidesOf({ type }: ValueInfoProto): (number | undefined)[] | undefined {
  if (type?.value.case !== 'tensorType') return undefined;
  return type.value.value.shape?.dim.map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : undefined,
  );
}

/** The values that do not have the shape that the model says they have. */
function wrongShapesOf({ graph }: Model, shapes: Shapes): string[] {
  return [...graph.valueInfo, ...graph.output].flatMap((info) => {
    const said = sidesOf(info);
    const shape = shapes.get(info.name);
    if (!said || !shape) return [];
    const isRight = said.length === shape.length && said.every((side, i) => (side ?? shape[i]) === shape[i]);
    return isRight ? [] : [`${info.name} is said to be [${said.join()}] and is [${shape.join()}]`];
  });
}

/** The values whose shape the original says, rightly, and the converted model no longer says, although it is what it was. */
function lostShapesOf(
  original: Model,
  converted: Model,
  [before, after]: readonly [Shapes, Shapes],
): string[] {
  const kept = new Set(converted.graph.valueInfo.map(({ name }) => name));
  const lost = original.graph.valueInfo.filter(
    ({ name }) => !kept.has(name) && after.has(name) && after.get(name)?.join() === before.get(name)?.join(),
  );
  return lost.map(({ name }) => `the type of ${name} is missing, and would be right`);
}

/** Whether the model takes images of one size only. */
function isFixed({ graph }: Model): boolean {
  return graph.input.some((input) => sidesOf(input)?.[2] !== undefined);
}

/** A size that the network takes and at which no window covers its plane. */
function largerThanWindows({ trainSize, baseSize }: ConversionSizes): Size {
  const factor = Math.floor(Math.max(baseSize[0] / trainSize[0], baseSize[1] / trainSize[1])) + 1;
  return [trainSize[0] * factor, trainSize[1] * factor];
}

/** What the model says of shapes, against the shapes that ONNX Runtime finds. */
async function faultsOfShapes(original: Model, converted: Model, sizes: ConversionSizes): Promise<string[]> {
  const size = isFixed(original) ? sizes.trainSize : largerThanWindows(sizes);
  const { shapes } = await measure(converted, size, 'converted');
  const wrong = wrongShapesOf(converted, shapes);
  // Where all windows cover their planes, shapes that change elsewhere are what they were.
  if (isFixed(original) || original.graph.valueInfo.length === converted.graph.valueInfo.length) return wrong;
  const { shapes: before } = await measure(original, size, 'original');
  return [...wrong, ...lostShapesOf(original, converted, [before, shapes])];
}

/** The original in the opset that was asked for: `raise-opset.test.ts` says what raising may change. */
async function toOpset(original: Model, opset: number, { trainSize }: ConversionSizes): Promise<Model> {
  const measureShapes = async () => (await measure(original, trainSize, 'original')).shapes;
  await raiseOpset(original, opset, 'original', measureShapes);
  return original;
}

async function toAnySize(original: Model, { trainSize }: ConversionSizes): Promise<Model> {
  const freed = await freeSizes(original, 'original');
  await freePlanePools(original, freed?.size ?? trainSize, 'original');
  return original;
}

async function faultsOfConversion(
  bytes: Uint8Array,
  { model, externalDataFolder, report }: Conversion,
  opset: number | undefined,
): Promise<string[]> {
  if (report.sites.length === 0) {
    const isSame = Buffer.compare(bytes, model) === 0;
    return isSame ? [] : ['there was nothing to convert, and yet the bytes differ'];
  }
  const [source, converted] = [decodeModel(bytes, 'original'), decodeModel(model, 'converted')];
  source.externalDataFolder = externalDataFolder;
  // What is inlined must compute what it did, and is then the original to which nothing happens that need not.
  const inlined = await inlineEnclosed(source, 'original');
  const hadBefore = faultsOf(source);
  const faults =
    inlined === source
      ? []
      : await faultsOfInlining(decodeModel(bytes, 'original'), inlined, report.trainSize);
  // So is what was freed of the size that it was exported for, which has tests of its own.
  const raised = opset === undefined ? inlined : await toOpset(inlined, opset, report);
  const original = await toAnySize(raised, report);
  const had = faultsOf(original);
  faults.push(...had.filter((fault) => !hadBefore.includes(fault)));
  faults.push(
    ...faultsOf(converted).filter((fault) => !had.includes(fault)),
    ...changesIn(original, converted),
  );
  // A model that cannot run cannot be measured.
  return faults.length > 0 ? faults : faultsOfShapes(original, converted, report);
}

/**
 * Throws, all faults named, when a conversion has corrupted its model or changed what it should not. `opset` is the one that was asked
 * for, if any.
 */
export async function checkConversion(
  source: ModelSource,
  conversion: Conversion,
  opset?: number,
): Promise<void> {
  const bytes = typeof source === 'string' ? readFileSync(source) : source;
  const faults = await faultsOfConversion(bytes, conversion, opset);
  if (faults.length > 0) throw new Error(`the conversion is faulty:\n  ${faults.join('\n  ')}`);
}

export async function convert(source: ModelSource, options: ConvertOptions): Promise<Conversion> {
  const conversion = await convertModel(source, options);
  await checkConversion(source, conversion, options.opset);
  return conversion;
}
