// ICC profiles of RGB and gray spaces: version 2, a matrix and a gamma.

/** Chromaticities of red, green and blue, adapted to D50, as columns of X, Y, Z; from the spaces' definitions. */
const primaries = {
  'Display P3': [0.51512, 0.2412, -0.00105, 0.29198, 0.69225, 0.04189, 0.1571, 0.06657, 0.78407],
  'Adobe RGB': [0.60974, 0.31111, 0.01947, 0.20528, 0.62567, 0.06087, 0.14919, 0.06322, 0.74457],
  ProPhoto: [0.79767, 0.28804, 0, 0.13519, 0.71187, 0, 0.03135, 0.00009, 0.82491],
} as const;

export type RgbSpace = keyof typeof primaries;
export const rgbSpaces = Object.keys(primaries) as RgbSpace[];

const whitePoint = [0.9642, 1, 0.8249];

function fixed(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(Math.round(value * 65536));
  return bytes;
}

function xyz(values: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from('XYZ \0\0\0\0', 'latin1'), ...values.map(fixed)]);
}

function gamma(value: number): Buffer {
  const bytes = Buffer.from('curv\0\0\0\0\0\0\0\x01\0\0\0\0', 'latin1');
  bytes.writeUInt16BE(Math.round(value * 256), 12);
  return bytes;
}

function description(text: string): Buffer {
  const bytes = Buffer.alloc(12 + text.length + 1 + 78);
  bytes.write('desc', 'latin1');
  bytes.writeUInt32BE(text.length + 1, 8);
  bytes.write(text, 12, 'latin1');
  return bytes;
}

function profile(colours: 'RGB ' | 'GRAY', tags: readonly (readonly [string, Buffer])[]): Buffer {
  const directory = 128 + 4 + 12 * tags.length;
  const head = Buffer.alloc(directory);
  const bodies: Buffer[] = [];
  let at = directory;
  tags.forEach(([name, given], i) => {
    const body = Buffer.concat([given, Buffer.alloc((4 - (given.length % 4)) % 4)]);
    head.write(name, 132 + 12 * i, 'latin1');
    head.writeUInt32BE(at, 136 + 12 * i);
    head.writeUInt32BE(given.length, 140 + 12 * i);
    bodies.push(body);
    at += body.length;
  });
  head.writeUInt32BE(at, 0);
  head.writeUInt32BE(0x02400000, 8);
  head.write(`mntr${colours}XYZ `, 12, 'latin1');
  head.write('acsp', 36, 'latin1');
  Buffer.concat(whitePoint.map(fixed)).copy(head, 68);
  head.writeUInt32BE(tags.length, 128);
  return Buffer.concat([head, ...bodies]);
}

export function rgbProfile(space: RgbSpace): Buffer {
  const [red, green, blue] = [0, 3, 6].map((first) => xyz(primaries[space].slice(first, first + 3))) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const curve = gamma(space === 'ProPhoto' ? 1.8 : 2.2);
  return profile('RGB ', [
    ['desc', description(space)],
    ['wtpt', xyz(whitePoint)],
    ['rXYZ', red],
    ['gXYZ', green],
    ['bXYZ', blue],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
    ['cprt', Buffer.from('text\0\0\0\0none\0', 'latin1')],
  ]);
}

export function grayProfile(): Buffer {
  return profile('GRAY', [
    ['desc', description('gray of gamma 1.8')],
    ['wtpt', xyz(whitePoint)],
    ['kTRC', gamma(1.8)],
    ['cprt', Buffer.from('text\0\0\0\0none\0', 'latin1')],
  ]);
}
