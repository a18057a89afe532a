// What the names of files and folders say: which images are inputs, which are targets, and which belong together.

/** Names that datasets give to what a network is fed. */
const ofInputs = new Set([
  ...['input', 'inputs', 'lq', 'lr', 'low', 'degraded', 'noisy', 'noise', 'blur', 'blurry', 'blurred'],
  ...['rain', 'rainy', 'haze', 'hazy', 'snow', 'snowy', 'compressed'],
]);

/** … and to what should come out. */
const ofTargets = new Set([
  ...['target', 'targets', 'gt', 'groundtruth', 'truth', 'hq', 'hr', 'high', 'label', 'labels', 'reference'],
  ...['clean', 'clear', 'sharp', 'norain', 'original', 'originals'],
]);

export type Role = 'input' | 'target';

function roleOf(word: string): Role | undefined {
  const plain = word.toLowerCase();
  if (ofInputs.has(plain)) return 'input';
  return ofTargets.has(plain) ? 'target' : undefined;
}

/** A word of a path, and where it stands: how many folders down, and which of the name's. */
interface Word {
  readonly depth: number;
  readonly text: string;
  readonly role: Role | undefined;
}

/** `ground_truth` is one word. */
function wordsOf(path: string): Word[] {
  return path
    .replaceAll('\\', '/')
    .split('/')
    .flatMap((name, depth) =>
      name
        .replace(/ground[-_ ]truth/i, 'groundtruth')
        .split(/[-_. ]+/)
        .filter((text) => text !== '')
        .map((text) => ({ depth, text, role: roleOf(text) })),
    );
}

/** What an image is, and by what it is found: two that belong together have the same key. */
export interface Named {
  readonly role: Role | undefined;
  /** Without the word that says what it is. */
  readonly key: string;
  /** Without any word of that kind, which the names of inputs may have and those of targets lack. */
  readonly plainKey: string;
}

function keyOf(words: readonly Word[]): string {
  return words.map(({ depth, text }) => `${depth} ${text}`).join('\n');
}

/** Where names say what an image is: in those of its folders, or in its own. */
export type Place = 'folders' | 'files';

/**
 * `path` is relative, without its extension. The last word that says something where it is looked for wins: in rain/target/001 it is the
 * second.
 */
export function namedBy(path: string, place: Place): Named {
  const words = wordsOf(path);
  const last = words.at(-1)?.depth ?? 0;
  const isThere = ({ depth }: Word) => (depth === last) === (place === 'files');
  const deciding = words.findLast((word) => word.role !== undefined && isThere(word));
  return {
    role: deciding?.role,
    key: keyOf(words.filter((word) => word !== deciding)),
    plainKey: keyOf(words.filter(({ role }) => role === undefined)),
  };
}
