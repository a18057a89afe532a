// The images that mutants are made of: small ones of each format that is read, and files that only look like one.
import sharp, { type Sharp } from 'sharp';

export interface ImageSeed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** As the file's header says; what mutations look for. */
  readonly width: number;
  readonly height: number;
}

const [width, height] = [23, 17];

function pixels(channels: 1 | 2 | 3 | 4): Sharp {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37) % 256);
  return sharp(data, { raw: { width, height, channels } });
}

/** Frames below each other, as sharp takes the pages of an animation. */
function animation(count: number): Sharp {
  const data = Uint8Array.from({ length: width * height * count * 3 }, (_, i) => (i * 37 + (i >> 9)) % 256);
  return sharp(data, { raw: { width, height: height * count, channels: 3, pageHeight: height } });
}

const encoded: Readonly<Record<string, () => Sharp>> = {
  'png, RGB': () => pixels(3).png(),
  'png, gray, 16 bits': () => pixels(1).toColourspace('grey16').png(),
  'png, palette': () => pixels(3).png({ palette: true, colours: 8 }),
  'png, RGBA, interlaced': () => pixels(4).png({ progressive: true }),
  'jpeg, RGB': () => pixels(3).jpeg(),
  'jpeg, progressive, turned': () => pixels(3).jpeg({ progressive: true }).withMetadata({ orientation: 6 }),
  'jpeg, CMYK': () => pixels(3).toColourspace('cmyk').jpeg(),
  'webp, lossy': () => pixels(3).webp(),
  'webp, lossless, RGBA': () => pixels(4).webp({ lossless: true }),
  'webp, animated': () => animation(3).webp(),
  'tiff, deflate': () => pixels(3).tiff({ compression: 'deflate', predictor: 'horizontal' }),
  'tiff, tiles, floats': () => pixels(3).toColourspace('scrgb').tiff({ tile: true, compression: 'none' }),
  'tiff, pyramid, lzw': () => pixels(3).tiff({ pyramid: true, compression: 'lzw' }),
  gif: () => pixels(3).gif(),
  'gif, animated': () => animation(4).gif(),
  avif: () => pixels(3).avif({ effort: 0 }),
};

const svg = (side: string, inside: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${side}" height="${side}">${inside}</svg>`;

const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join(
  '',
);

/** Few bytes that ask for much, or for other files. */
const texts: Readonly<Record<string, string>> = {
  svg: svg('23', '<rect width="17" height="17"/>'),
  'svg, large': svg('30000', '<rect width="17" height="17"/>'),
  'svg, percent': svg('100%', '<circle r="9"/>'),
  'svg, file': svg('23', '<image xlink:href="file:///etc/hostname" width="9" height="9"/>'),
  'svg, filter': svg(
    '900',
    '<filter id="f"><feGaussianBlur stdDeviation="300"/></filter><rect width="900" height="900" filter="url(#f)"/>',
  ),
  'svg, entities': `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "x">${entities}]>${svg('23', '<text>&e9;</text>')}`,
  pdf: '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 23 17]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF',
  ppm: 'P6 23 17 255\n',
  'ppm, large': 'P6 60000 60000 255\n',
  pfm: 'PF\n23 17\n-1.0\n',
  hdr: '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 17 +X 23\n',
  matrix: '23 17\n1 2 3\n4 5 6\n',
  text: 'no image at all\n',
  empty: '',
};

export async function imageSeeds(): Promise<ImageSeed[]> {
  const seeds: ImageSeed[] = [];
  for (const [name, make] of Object.entries(encoded))
    seeds.push({ name, bytes: new Uint8Array(await make().toBuffer()), width, height });
  for (const [name, text] of Object.entries(texts))
    seeds.push({ name, bytes: new TextEncoder().encode(text), width, height });
  return seeds;
}
