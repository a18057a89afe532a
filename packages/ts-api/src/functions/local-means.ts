import type { Body } from './body.js';
import { fastMeansOf } from './fast-means.js';
import { replicatePadding } from './replicate-padding.js';
import { windowMeans, windowSidesOf } from './window-mean.js';

/** The means over the windows of an operator, worked out once for all that it takes the mean of. */
export interface LocalMeans {
  /** The mean of a float64 tensor shaped like X over the window at each of its positions. */
  valid(value: string): string;
  /** What is worth a position each, out to the size of X, or not where `replicate`, 1 or 0, says so. */
  pad(value: string, replicate?: string): string;
}

function exactMeansOf(body: Body, x: string): LocalMeans {
  const [height, width] = windowSidesOf(body, x);
  const missing = [height, width].map(({ window }) => body.op('Sub', [window, body.ints(1)]));
  return {
    valid: (value) => windowMeans(body, value, [height, width]),
    pad(value, replicate) {
      // 1 or 0 times the padding, so that the body has no branches.
      const [rows = '', columns = ''] = missing.map((count) =>
        replicate ? body.op('Mul', [count, replicate]) : count,
      );
      return replicatePadding(body, value, [rows, columns]);
    },
  };
}

/** The means over the windows of `kernel_shape` in the planes of X, [N, C, H, W]; in fast mode, by `max_stride` too. */
export function localMeansOf(body: Body, x: string, fast: boolean): LocalMeans {
  return fast ? fastMeansOf(body, x) : exactMeansOf(body, x);
}
