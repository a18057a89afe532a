import { createRequire } from 'node:module';
import { encodePhoto, type Photo } from '@tlsc/api';
import sharp from 'sharp';

export interface Panel {
  readonly caption: string;
  readonly photo: Photo;
}

const panelWidth = 720;
const captionHeight = 44;
const gap = 8;
// Named by file, so that captions look the same on a server without fonts.
const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');

async function renderPanel({ photo }: Panel): Promise<{ data: Buffer; height: number }> {
  const { data, info } = await sharp(await encodePhoto(photo, '.png'))
    .resize({ width: panelWidth })
    .png()
    .toBuffer({ resolveWithObject: true });
  return { data, height: info.height };
}

async function renderCaption({ caption }: Panel): Promise<{ data: Buffer; height: number }> {
  const text = { text: caption, font: 'DejaVu Sans 15', fontfile: font, rgba: true, dpi: 96 };
  const { data, info } = await sharp({ text }).png().toBuffer({ resolveWithObject: true });
  return { data, height: info.height };
}

/** A PNG of the panels side by side, each under its caption. */
export async function renderComparison(panels: readonly Panel[]): Promise<Uint8Array> {
  const pictures = await Promise.all(panels.map(renderPanel));
  const captions = await Promise.all(panels.map(renderCaption));
  const left = (i: number) => i * (panelWidth + gap);
  const layers = panels.flatMap((_, i) => {
    const caption = captions[i] as { data: Buffer; height: number };
    const picture = pictures[i] as { data: Buffer; height: number };
    return [
      { input: caption.data, left: left(i) + gap, top: Math.floor((captionHeight - caption.height) / 2) },
      { input: picture.data, left: left(i), top: captionHeight },
    ];
  });
  const height = captionHeight + Math.max(...pictures.map((picture) => picture.height));
  const background = { r: 255, g: 255, b: 255 };
  return sharp({ create: { width: left(panels.length) - gap, height, channels: 3, background } })
    .composite(layers)
    .png()
    .toBuffer();
}
