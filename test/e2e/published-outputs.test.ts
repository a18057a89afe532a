// The claim that everything rests on: a converted network computes what the published implementation does.
import {
  type ConvertOptions,
  convert as convertUnchecked,
  diagnose,
  InferenceSession,
  Tensor,
} from '@tlsc/api';
import * as onnxruntime from 'onnxruntime-node';
import * as onnxruntimeWeb from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { convert } from '../../packages/ts-api/test/convert.js';
import { float16Bits, float16Values } from '../fixtures/float16.js';
import { carriedCases, otherCases, type PublishedCase, wildCases } from '../fixtures/index.js';

/** The case's input in its element type. The stock binding has a class of its own. */
function feedsOf(one: PublishedCase, TensorClass: onnxruntime.TensorConstructor) {
  const { dtype, input, input_data, input_shape } = one;
  const tensor =
    dtype === 'float16'
      ? new TensorClass('float16', Uint16Array.from(input_data, float16Bits), input_shape)
      : new TensorClass('float32', input_data, input_shape);
  return { [input]: tensor };
}

function outputOf(one: PublishedCase, outputs: Readonly<Record<string, onnxruntime.Tensor>>): Float32Array {
  const tensor = outputs[one.restored_output];
  expect(tensor?.type).toBe(one.dtype);
  return one.dtype === 'float16' ? float16Values(tensor?.data) : (tensor?.data as Float32Array);
}

function largestDifference(values: Float32Array, expected: Float32Array): number {
  expect(values.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const distance = Math.abs((values[i] as number) - (expected[i] as number));
    largest = Math.max(largest, distance); // which keeps a NaN
  }
  return largest;
}

function optionsOf({ train_size, base_size, fast_imp }: PublishedCase): ConvertOptions {
  return { trainSize: train_size, baseSize: base_size, fast: fast_imp };
}

const conversions = new Map<string, ReturnType<typeof convert>>();

/** Each case is converted once, whatever runs it. */
function convertCase(one: PublishedCase) {
  const { model } = one;
  const known = conversions.get(model);
  if (known) return known;
  const conversion = convert(model, optionsOf(one));
  conversions.set(model, conversion);
  return conversion;
}

// Browsers have threads for pages that are isolated from others only; without, it runs everywhere.
onnxruntimeWeb.env.wasm.numThreads = 1;

const { cuda } = (await diagnose()).executionProviders;

const suites = [
  { title: 'the carried cases', cases: carriedCases },
  { title: 'the rest of the collection', cases: otherCases },
  { title: 'what other exporters and architectures write', cases: wildCases },
];

for (const { title, cases } of suites) {
  describe.skipIf(cases.length === 0)(title, () => {
    const told = cases.filter(({ local_kernels }) => local_kernels !== undefined);
    it.each(told)('$name gets the published windows', async (one) => {
      const { report } = await convertCase(one);
      const shown = (window: readonly unknown[]) => window.slice(-2).join('x');
      const windows = report.sites.map(({ window }) => shown(window));
      const expected = (one.local_kernels ?? []).map(shown);
      // Some name each window once, whatever the number of its statistics.
      const isList = one.local_kernels?.every(({ length }) => length === 3);
      expect(isList ? windows : [...new Set(windows)]).toEqual(expected);
    });

    it.each(cases)('$name agrees on the kernels', async (one) => {
      const session = await InferenceSession.create((await convertCase(one)).model);
      const outputs = await session.run(feedsOf(one, Tensor));
      await session.release();
      expect(largestDifference(outputOf(one, outputs), one.expected_local)).toBeLessThan(one.tolerance);
    });

    it.runIf(cuda.works).each(cases)('$name agrees on a card, kernels and bodies', async (one) => {
      const kernels = cuda.works && cuda.operators === 'native' ? (['native'] as const) : [];
      for (const operators of [...kernels, 'portable'] as const) {
        const session = await InferenceSession.create((await convertCase(one)).model, {
          executionProviders: [{ name: 'cuda', useTf32: false }],
          operators,
        });
        const outputs = await session.run(feedsOf(one, Tensor));
        await session.release();
        expect(largestDifference(outputOf(one, outputs), one.expected_local)).toBeLessThan(one.tolerance);
      }
    });

    it.each(cases)('$name agrees in the newest opset that it can be raised to', async (one) => {
      // What else this may change `raise-opset.test.ts` says, and it takes less time.
      const { model, report } = await convertUnchecked(one.model, { ...optionsOf(one), opset: 22 });
      const { sites, opset } = (await convertCase(one)).report;
      expect(report).toMatchObject({ sites, opset: sites.length > 0 ? 22 : opset });
      const session = await InferenceSession.create(model);
      const outputs = await session.run(feedsOf(one, Tensor));
      await session.release();
      expect(largestDifference(outputOf(one, outputs), one.expected_local)).toBeLessThan(one.tolerance);
    });

    it.each(cases)('$name agrees in the stock onnxruntime-node', async (one) => {
      const session = await onnxruntime.InferenceSession.create((await convertCase(one)).model);
      const outputs = await session.run(feedsOf(one, onnxruntime.Tensor));
      await session.release();
      expect(largestDifference(outputOf(one, outputs), one.expected_local)).toBeLessThan(one.tolerance);
    });

    it.each(cases)('$name agrees in onnxruntime-web', async (one) => {
      const session = await onnxruntimeWeb.InferenceSession.create((await convertCase(one)).model);
      const outputs = await session.run(feedsOf(one, onnxruntimeWeb.Tensor));
      await session.release();
      expect(largestDifference(outputOf(one, outputs), one.expected_local)).toBeLessThan(one.tolerance);
    });
  });
}
