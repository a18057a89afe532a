import type { Body } from './body.js';

/** Where `total` rows or columns of padding go: half in front, rounded down, and the rest behind. */
function split(body: Body, total: string): { front: string; back: string } {
  const front = body.op('Div', [total, body.ints(2)]);
  return { front, back: body.op('Sub', [total, front]) };
}

/** `value`, [N, C, H, W], with so many rows and columns more, which repeat its first and last ones. */
export function replicatePadding(
  body: Body,
  value: string,
  [height, width]: readonly [height: string, width: string],
): string {
  const rows = split(body, height);
  const columns = split(body, width);
  const none = body.ints(0, 0);
  const pads = body.op('Concat', [none, rows.front, columns.front, none, rows.back, columns.back], {
    axis: 0,
  });
  return body.op('Pad', [value, pads], { mode: { text: 'edge' } });
}
