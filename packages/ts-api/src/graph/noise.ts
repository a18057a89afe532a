/** Values in [0, 1), one a call, always the same for the same name: Mulberry32, its seed a hash (FNV-1a) of the name. */
export function noiseOf(name: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Noise whose brightness drifts, so that local and global statistics differ; of each input another, so that none stands for another. */
export function paintNoise(values: Float32Array, input: string): void {
  const next = noiseOf(input);
  for (let i = 0; i < values.length; i++) values[i] = (next() * (i + 1)) / values.length;
}
