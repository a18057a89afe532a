// The samples of raw pixels, as libvips and JavaScript have them.

/** libvips' name of the colour space that pixels are read and written in. */
export function colourspaceOf(colours: number, bitDepth: 8 | 16): string {
  if (bitDepth === 16) return colours === 1 ? 'grey16' : 'rgb16';
  return colours === 1 ? 'b-w' : 'srgb';
}

/** libvips' name of the type of a sample. */
export function sampleTypeOf(bitDepth: 8 | 16): 'uchar' | 'ushort' {
  return bitDepth === 16 ? 'ushort' : 'uchar';
}

/** The samples in the bytes of raw pixels. */
export function samplesIn(bytes: Uint8Array, bitDepth: 8 | 16): Uint8Array | Uint16Array {
  return bitDepth === 16 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2) : bytes;
}
