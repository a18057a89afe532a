// The pictures of a report: photos as they are restored, where results gain and lose, and their errors.
import type { Photo } from '@tlsc/api';
import sharp, { type Sharp } from 'sharp';
import { type Evaluation, isScores, type ModelResult } from '../evaluation.js';
import type { Method } from '../methods/method.js';
import { type Restorer, restorerFor } from '../methods/sessions.js';
import { type Planes, planesOf } from '../metrics/planes.js';
import { type Plan, usualBaseSize } from '../options.js';
import { type PhotoInfo, read } from '../photos.js';
import type { WorkerThread } from '../work/worker-thread.js';
import type { Pixels } from './pixels.js';
import type { Region } from './regions.js';

/** What is shown of a photo. */
export type View = 'input' | 'global' | 'local' | 'target' | 'tiles';

/** A region of a photo in several views, enlarged. */
export interface Detail {
  readonly title: string;
  readonly views: readonly (readonly [View, string])[];
}

/** Data URIs. */
export interface PhotoPictures {
  readonly photo: string;
  readonly views: readonly (readonly [View, string])[];
  /** Errors of results, white where they are a tenth of white or more. */
  readonly errors: readonly (readonly [View, string])[];
  readonly details: readonly Detail[];
}

const [longest, errorLongest, enlarged] = [1280, 480, 288];
const mostError = 0.1;

function dataUri(type: string, bytes: Uint8Array): string {
  return `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

function rawOf({ data, channels, height, width }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: channels as 1 | 3 } });
}

/** `scale`: how many times as large it is to be, so that views of a photo lie on each other. */
async function viewOf(pixels: Pixels, scale: number): Promise<string> {
  const { width, height } = pixels;
  const enlargedTo = rawOf(pixels).resize(width * scale, height * scale, { kernel: 'nearest' });
  const same = scale === 1 ? rawOf(pixels) : sharp(await enlargedTo.png().toBuffer());
  const image = same.resize(longest, longest, { fit: 'inside', withoutEnlargement: true });
  return dataUri('webp', await image.webp({ quality: 88 }).toBuffer());
}

async function detailOf(pixels: Pixels): Promise<string> {
  const image = rawOf(pixels).resize(enlarged, enlarged, { fit: 'inside', kernel: 'nearest' });
  return dataUri('webp', await image.webp({ lossless: true }).toBuffer());
}

async function errorOf(errors: Uint8Array, { height, width }: Planes): Promise<string> {
  const image = rawOf({ data: errors, channels: 1, height, width });
  const small = image.resize(errorLongest, errorLongest, { fit: 'inside', withoutEnlargement: true });
  return dataUri('webp', await small.webp({ quality: 80 }).toBuffer());
}

/** Of one photo. */
class Shown {
  readonly #planes = new Map<View, Planes>();

  constructor(
    readonly thread: WorkerThread,
    readonly photo: PhotoInfo,
  ) {}

  add(view: View, photo: Photo): void {
    this.#planes.set(view, planesOf(photo));
  }

  get(view: View): Planes | undefined {
    return this.#planes.get(view);
  }

  /** A region of the target, in some views. */
  async detail(title: string, region: Region, views: readonly View[]): Promise<Detail> {
    const { scale } = this.photo;
    const shown: (readonly [View, string])[] = [];
    for (const view of views) {
      const planes = this.#planes.get(view);
      if (!planes) continue;
      const part = (length: number) => (view === 'input' ? Math.max(1, Math.floor(length / scale)) : length);
      const { top, left, height, width } = region;
      const [rows, columns] = [part(height), part(width)];
      const own = {
        top: view === 'input' ? Math.floor(top / scale) : top,
        left: view === 'input' ? Math.floor(left / scale) : left,
        height: rows,
        width: columns,
      };
      shown.push([view, await detailOf(await this.thread.run('pixelsOf', planes, own))]);
    }
    return { title, views: shown };
  }

  async views(): Promise<(readonly [View, string])[]> {
    const shown: (readonly [View, string])[] = [];
    for (const view of ['input', 'global', 'local', 'target'] as const) {
      const planes = this.#planes.get(view);
      const scale = view === 'input' ? this.photo.scale : 1;
      if (planes) shown.push([view, await viewOf(await this.thread.run('pixelsOf', planes), scale)]);
    }
    return shown;
  }

  async errors(): Promise<(readonly [View, string])[]> {
    const target = this.#planes.get('target');
    if (!target) return [];
    const shown: (readonly [View, string])[] = [];
    for (const view of ['global', 'local'] as const) {
      const planes = this.#planes.get(view);
      if (planes)
        shown.push([
          view,
          await errorOf(await this.thread.run('errorMap', planes, target, mostError), target),
        ]);
    }
    return shown;
  }

  async details(tile: number): Promise<Detail[]> {
    const [global, local, target] = (['global', 'local', 'target'] as const).map((view) => this.get(view));
    if (!global || !local || !target) return [];
    const { gain, loss } = await this.thread.run('gainAndLoss', global, local, target);
    const details = [
      await this.detail('where local statistics gain most', gain, ['input', 'global', 'local', 'target']),
      await this.detail('where they lose most, or gain least', loss, ['input', 'global', 'local', 'target']),
    ];
    const tiles = this.get('tiles');
    const seams = tiles && (await this.thread.run('seamsOf', tiles, target, tile * this.photo.scale));
    if (!seams || !(seams.ratio >= visible)) return details;
    const title = `where tiles of ${tile} meet: errors jump ${seams.ratio.toFixed(1)} times as far as elsewhere`;
    return [...details, await this.detail(title, seams.worst, ['tiles', 'local', 'target'])];
  }
}

/** Seams from so much on are worth a picture. */
const visible = 1.5;

/** The pictures of one model's results, photo by photo. Photos on which a method failed have none. */
export async function picturesOf(
  evaluation: Evaluation,
  model: ModelResult,
  plan: Plan,
  thread: WorkerThread,
  onPhoto: (name: string) => void,
): Promise<PhotoPictures[]> {
  const network = { file: model.file, isOfOneSize: model.isOfOneSize, plan };
  const tile = Math.max(...plan.trainSize);
  const hasTiles = model.methods.some(({ method }) => method.kind === 'patches' && method.size === tile);
  const methods: [View, Method][] = [['global', { kind: 'global' }]];
  const baseSize = model.verdict.baseSize ?? usualBaseSize(plan.trainSize);
  if (model.sites.length > 0) methods.push(['local', { kind: 'local', baseSize, fast: false }]);
  if (model.sites.length > 0 && hasTiles)
    methods.push(['tiles', { kind: 'patches', size: tile, blended: false }]);
  const failed = (i: number) => model.methods.some(({ photos }) => !isScores(photos[i]));
  const restorers: [View, Restorer][] = [];
  const pictures: PhotoPictures[] = [];
  try {
    for (const [view, method] of methods) restorers.push([view, await restorerFor(network, method)]);
    for (const [i, photo] of evaluation.photos.entries()) {
      if (failed(i)) {
        onPhoto(photo.name);
        continue;
      }
      const input = await read(photo.input, plan.signal);
      const shown = new Shown(thread, photo);
      shown.add('input', input);
      for (const [view, restorer] of restorers) shown.add(view, await restorer.restore(input));
      if (photo.target !== undefined) shown.add('target', await read(photo.target, plan.signal));
      pictures.push({
        photo: photo.name,
        views: await shown.views(),
        errors: await shown.errors(),
        details: await shown.details(tile),
      });
      onPhoto(photo.name);
    }
  } finally {
    for (const [, restorer] of restorers) await restorer.release();
  }
  return pictures;
}
