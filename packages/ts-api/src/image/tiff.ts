/** Bytes of a value, by its type. */
export const widths = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

/** The values of a tag. */
export interface TiffValues {
  readonly count: number;
  /** Where in the file they end. */
  readonly end: number;
  /** One of them, if they are unsigned numbers. Throws a RangeError where the file ends before it. */
  readonly at: (index: number) => number;
}

/**
 * The first directory of a TIFF, by tag. Throws a RangeError where the file ends before the directory does. BigTIFF is not read: it
 * has no tags.
 */
export function readTags(bytes: Uint8Array): ReadonlyMap<number, TiffValues> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const numberAt = (at: number, width: number) => {
    if (width === 1) return view.getUint8(at);
    return width === 2 ? view.getUint16(at, little) : view.getUint32(at, little);
  };
  const tags = new Map<number, TiffValues>();
  if (numberAt(2, 2) !== 42) return tags;
  const start = numberAt(4, 4);
  const end = start + 2 + 12 * numberAt(start, 2);
  for (let entry = start + 2; entry < end; entry += 12) {
    const width = widths[numberAt(entry + 2, 2)] ?? 0;
    const count = numberAt(entry + 4, 4);
    // What does not fit into the entry lies elsewhere.
    const values = width * count > 4 ? numberAt(entry + 8, 4) : entry + 8;
    tags.set(numberAt(entry, 2), {
      count,
      end: values + width * count,
      at: (index) => numberAt(values + width * index, width),
    });
  }
  return tags;
}
