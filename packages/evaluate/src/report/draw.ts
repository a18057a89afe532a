// Plots as SVG, for pages and files, and as PNG.
import { createRequire } from 'node:module';
import * as Plot from '@observablehq/plot';
import { Resvg } from '@resvg/resvg-js';
import { parseHTML } from 'linkedom';

/** Of series, in their order: told apart without colours' names, on white and on black. */
export const palette = [
  '#4a7bd0',
  '#d9822b',
  '#3f9b6c',
  '#c4487f',
  '#8a6fd1',
  '#7a8a2e',
  '#2f97a8',
  '#a05a3c',
];

export function colourOf(index: number): string {
  return palette[index % palette.length] as string;
}

// Named by file, so that labels look the same on a server without fonts.
const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');

/** The text of an SVG file. `label` says what it shows, for those who don't see it. */
export function draw(options: Plot.PlotOptions, label: string): string {
  const { document } = parseHTML('<html><body></body></html>');
  const plot = Plot.plot({
    style: { fontSize: '13px', background: 'none' },
    ...options,
    // All that plots use of a document is what they make of elements.
    document: document as unknown as Document,
  });
  // Names that a group may not have.
  for (const group of plot.querySelectorAll('[aria-label]')) group.removeAttribute('aria-label');
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  plot.setAttribute('role', 'img');
  // Attributes are written as HTML has them, in which these are no trouble.
  plot.setAttribute('aria-label', label.replaceAll('&', '&amp;').replaceAll('<', '&lt;'));
  return plot.outerHTML;
}

/** On white, at twice the size. */
export function toPng(svg: string): Uint8Array {
  const image = new Resvg(svg, {
    background: 'white',
    fitTo: { mode: 'zoom', value: 2 },
    font: { loadSystemFonts: false, fontFiles: [font], defaultFontFamily: 'DejaVu Sans' },
  });
  return image.render().asPng();
}
