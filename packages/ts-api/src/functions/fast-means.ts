import { DataType } from '../graph/proto.js';
import type { Body } from './body.js';
import type { LocalMeans } from './local-means.js';
import { type Extent, sidesOf, windowMeans } from './window-mean.js';

/** An axis of fast mode: what lies along it, in one-element int64 tensors. */
interface FastExtent {
  /** The samples that windows are taken of: the pixels first, first + stride, … */
  readonly samples: Extent;
  readonly first: string;
  readonly stride: string;
  /** Pixels of the plane. */
  readonly length: string;
  /** Outputs of all positions, `stride` each. */
  readonly repeated: string;
}

/** Every stride-th pixel but the first; or, where `covers` is 1, all of them under one window. */
function fastExtent(
  body: Body,
  { axis, length, window }: Extent,
  maxStride: string,
  covers: string,
): FastExtent {
  const one = body.ints(1);
  const candidates = body.ints(5, 4, 3, 2, 1);
  const divides = body.op('Equal', [body.op('Mod', [length, candidates]), body.ints(0)]);
  const largest = body.op('ReduceMax', [body.op('Where', [divides, candidates, body.ints(0)])]);
  const covered = body.op('Cast', [covers], { to: DataType.BOOL });
  const stride = body.op('Where', [covered, one, body.op('Min', [largest, maxStride])]);
  const first = body.op('Where', [covered, body.ints(0), stride]);
  const taken = body.op('Div', [body.op('Sub', [body.op('Add', [length, stride]), one]), stride]);
  const count = body.op('Where', [covered, taken, body.op('Sub', [taken, one])]);
  const side = body.op('Min', [count, body.op('Div', [window, stride])]);
  const positions = body.op('Add', [body.op('Sub', [count, side]), one]);
  return {
    samples: { axis, length: count, window: side },
    first,
    stride,
    length,
    repeated: body.op('Mul', [positions, stride]),
  };
}

/** For each output along the axis the position that it takes its value from. */
function positionsOf(body: Body, { length, stride, repeated }: FastExtent, replicate: string): string {
  const none = body.ints(0);
  const missing = body.op('Mul', [body.op('Sub', [length, repeated]), replicate]);
  const leading = body.op('Div', [missing, body.ints(2)]);
  const [start, end, step] = [none, body.op('Add', [repeated, missing]), body.ints(1)].map((value) =>
    body.op('Squeeze', [value]),
  ) as [string, string, string];
  const pixel = body.op('Sub', [body.op('Range', [start, end, step]), leading]);
  const last = body.op('Sub', [repeated, body.ints(1)]);
  const within = body.op('Min', [body.op('Max', [pixel, none]), last]);
  return body.op('Div', [within, stride]);
}

/**
 * Fast mode, the published approximation: the windows lie on every r-th row and column, r the largest of 5 … 1 that divides
 * the plane's side but no more than `max_stride`, and never on the first; what comes out is repeated r times. A window that
 * covers the plane gives the mean of all of it.
 */
export function fastMeansOf(body: Body, x: string): LocalMeans {
  const sides = sidesOf(body, x);
  const strides = body.attribute('max_stride', 'ints');
  // 1 where the window covers the whole plane.
  const [coversDown = '', coversAcross = ''] = sides.map(({ length, window }) =>
    body.op('Cast', [body.op('Equal', [body.op('Min', [length, window]), length])], { to: DataType.INT64 }),
  );
  const covers = body.op('Mul', [coversDown, coversAcross]);
  const [height, width] = sides.map((side, i) =>
    fastExtent(body, side, body.slice(strides, body.ints(i), body.ints(i + 1), 0), covers),
  ) as [FastExtent, FastExtent];
  const sampled = (value: string) =>
    [height, width].reduce(
      (from, { samples, first, stride, length }) =>
        body.op('Slice', [from, first, length, body.ints(samples.axis), stride]),
      value,
    );
  return {
    valid: (value) => windowMeans(body, sampled(value), [height.samples, width.samples]),
    pad: (value, replicate = body.ints(1)) =>
      [height, width].reduce(
        (from, extent) =>
          body.op('Gather', [from, positionsOf(body, extent, replicate)], { axis: extent.samples.axis }),
        value,
      ),
  };
}
