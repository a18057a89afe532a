// The figures of a report.
import * as Plot from '@observablehq/plot';
import type { Evaluation, MethodResult, ModelResult } from '../evaluation.js';
import { isSameMethod } from '../methods/method.js';
import type { Histogram, SiteShift } from '../statistics/compare.js';
import { colourOf, draw } from './draw.js';

export interface Figure {
  /** The model that it is of; undefined where it compares them. */
  readonly model: string | undefined;
  /** Of its files. */
  readonly name: string;
  readonly title: string;
  /** What to see in it. */
  readonly caption: string;
  readonly svg: string;
}

interface Point {
  readonly model: string;
  readonly x: number;
  readonly y: number;
  readonly colour: string;
}

const [width, height] = [760, 400];
/** Room for axes and their labels. */
const margins = { marginTop: 36, marginBottom: 48 } as const;
const labelOffset = 42;
const labels = { dx: 8, textAnchor: 'start', lineAnchor: 'middle' } as const;

/** The side of a square of as many pixels as photos have on average. */
function wholeSide({ photos }: Evaluation): number {
  const areas = photos.map(({ size: [rows, columns] }) => rows * columns);
  return Math.sqrt(areas.reduce((sum, area) => sum + area, 0) / areas.length);
}

function psnrOf({ mean }: MethodResult): number | undefined {
  return mean?.psnr !== undefined && Number.isFinite(mean.psnr) ? mean.psnr : undefined;
}

function pointsOf(
  { models }: Evaluation,
  xOf: (result: MethodResult, model: ModelResult) => number | undefined,
): Point[] {
  return models.flatMap((model, i) =>
    model.methods.flatMap((result): Point[] => {
      const [x, y] = [xOf(result, model), psnrOf(result)];
      return x === undefined || y === undefined ? [] : [{ model: model.name, x, y, colour: colourOf(i) }];
    }),
  );
}

/** The paper's first figure: quality against the size of what networks see at once. */
export function patchFigure(evaluation: Evaluation): Figure | undefined {
  const side = wholeSide(evaluation);
  const tiles = pointsOf(evaluation, ({ method }) => {
    if (method.kind === 'global') return side;
    return method.kind === 'patches' && !method.blended ? method.size : undefined;
  });
  if (new Set(tiles.map(({ x }) => x)).size < 2) return undefined;
  const blended = pointsOf(evaluation, ({ method }) =>
    method.kind === 'patches' && method.blended ? method.size : undefined,
  );
  const local = pointsOf(evaluation, ({ method }, { verdict: { baseSize } }) =>
    baseSize && isSameMethod(method, { kind: 'local', baseSize, fast: false }) ? side : undefined,
  );
  const sizes = [...new Set(tiles.map(({ x }) => x))].sort((a, b) => a - b);
  const marks = [
    Plot.gridY({ strokeOpacity: 0.15 }),
    Plot.line(tiles, { x: 'x', y: 'y', z: 'model', stroke: 'colour', strokeWidth: 2 }),
    Plot.dot(tiles, { x: 'x', y: 'y', fill: 'colour', r: 3.5 }),
    Plot.dot(blended, { x: 'x', y: 'y', stroke: 'colour', strokeWidth: 2, r: 5, symbol: 'square' }),
    Plot.dot(local, { x: 'x', y: 'y', fill: 'colour', r: 6, symbol: 'star' }),
    Plot.text(
      tiles.filter(({ x }) => x === side),
      { x: 'x', y: 'y', text: 'model', fill: 'colour', ...labels },
    ),
    Plot.text(local, {
      x: 'x',
      y: 'y',
      text: ({ model }: Point) => `${model}, local`,
      fill: 'colour',
      ...labels,
      dx: 14,
    }),
  ];
  const svg = draw(
    {
      width,
      height,
      ...margins,
      marginRight: 150,
      marginLeft: 56,
      x: {
        type: 'log',
        label: 'what the network sees at once, in pixels',
        labelOffset,
        ticks: sizes,
        tickFormat: (x: number) => (x === side ? 'whole' : String(x)),
      },
      y: { label: 'PSNR, dB', insetTop: 8 },
      color: { type: 'identity' },
      marks,
    },
    'PSNR against the size of tiles, from the training size to whole photos, for each model',
  );
  return {
    model: undefined,
    name: 'patches',
    title: 'What networks make of larger and larger pieces',
    caption:
      'Lines: the original model on tiles of each size, and on whole photos. Squares: tiles that overlap by half and are blended. Stars: local statistics on whole photos, best base size. A network without global statistics gains from all it sees; one with them first rises, then falls.',
    svg,
  };
}

/** Quality against the base size. */
export function sweepFigure(evaluation: Evaluation): Figure | undefined {
  const local = pointsOf(evaluation, ({ method }) =>
    method.kind === 'local' && !method.fast ? Math.min(...method.baseSize) : undefined,
  );
  const global = pointsOf(evaluation, ({ method }, { sites }) =>
    method.kind === 'global' && sites.length > 0 ? 0 : undefined,
  );
  const sizes = [...new Set(local.map(({ x }) => x))].sort((a, b) => a - b);
  if (sizes.length < 2) return undefined;
  const last = sizes.at(-1);
  const svg = draw(
    {
      width,
      height,
      ...margins,
      marginRight: 150,
      marginLeft: 56,
      x: { label: 'base size, in pixels', labelOffset, ticks: sizes, tickFormat: String },
      y: { label: 'PSNR, dB', insetTop: 8 },
      color: { type: 'identity' },
      marks: [
        Plot.gridY({ strokeOpacity: 0.15 }),
        Plot.ruleY(global, { y: 'y', stroke: 'colour', strokeDasharray: '4 4' }),
        Plot.line(local, { x: 'x', y: 'y', z: 'model', stroke: 'colour', strokeWidth: 2 }),
        Plot.dot(local, { x: 'x', y: 'y', fill: 'colour', r: 3.5 }),
        Plot.text(
          local.filter(({ x }) => x === last),
          { x: 'x', y: 'y', text: 'model', fill: 'colour', ...labels },
        ),
        Plot.text(global, {
          x: () => last,
          y: 'y',
          text: ({ model }: Point) => `${model}, global`,
          fill: 'colour',
          ...labels,
        }),
      ],
    },
    'PSNR against the base size of local statistics, for each model',
  );
  return {
    model: undefined,
    name: 'base-sizes',
    title: 'Which base size',
    caption: 'Lines: local statistics by base size. Dashed: the original model on whole photos.',
    svg,
  };
}

/** The end of a node's name, which is what tells it from others. */
export function shortName(node: string): string {
  const most = 34;
  const parts = node.split('/').filter((part) => part !== '');
  let name = parts.pop() ?? node;
  while (parts.length > 0 && name.length + (parts.at(-1) as string).length < most)
    name = `${parts.pop()}/${name}`;
  return name.length > most ? `…${name.slice(-most)}` : name;
}

const kinds = [
  ['train', 'training crops', '#888888'],
  ['whole', 'whole photos', colourOf(1)],
  ['local', 'windows', colourOf(0)],
] as const;

function densities(site: SiteShift, label: string) {
  const { first, width: bin, ...counts } = site.histogram;
  return kinds.flatMap(([kind, , colour]) => {
    const of: Histogram['train'] = counts[kind];
    const total = of.reduce((sum, count) => sum + count, 0) * bin || 1;
    return of.map((count, i) => ({ label, kind, colour, x: first + (i + 0.5) * bin, y: count / total }));
  });
}

/** The paper's second figure: how statistics of whole photos, and of windows, lie to those of training crops. */
export function statisticsFigure({ name, statistics }: ModelResult): Figure | undefined {
  const shown = (statistics?.sites ?? []).filter(({ mean }) => mean !== undefined).slice(0, 4);
  if (shown.length === 0) return undefined;
  const labelOf = ({ node }: SiteShift, i: number) => `${i + 1}. ${shortName(node)}`;
  const [first] = shown.map(labelOf);
  const all = shown.flatMap((site, i) => densities(site, labelOf(site, i)));
  const svg = draw(
    {
      width,
      height: 90 + shown.length * 92,
      ...margins,
      marginLeft: 20,
      marginRight: 20,
      x: { label: 'deviations of training crops from their mean', labelOffset, domain: [-4, 4] },
      y: { axis: null },
      fy: { axis: null, padding: 0.25 },
      color: { type: 'identity' },
      marks: [
        Plot.areaY(
          all.filter(({ kind }) => kind === 'train'),
          { x: 'x', y1: 0, y2: 'y', fy: 'label', fill: 'colour', fillOpacity: 0.35, curve: 'basis' },
        ),
        Plot.lineY(
          all.filter(({ kind }) => kind !== 'train'),
          { x: 'x', y: 'y', fy: 'label', z: 'kind', stroke: 'colour', strokeWidth: 1.8, curve: 'basis' },
        ),
        Plot.text(shown.map(labelOf), {
          fy: (d: string) => d,
          text: (d: string) => d,
          frameAnchor: 'top-left',
          dy: -4,
        }),
        ...kinds.map(([, text, fill], i) =>
          Plot.text([text], {
            fy: () => first,
            text: String,
            fill,
            frameAnchor: 'top-right',
            dy: i * 16 - 4,
          }),
        ),
      ],
    },
    `How the means of ${name} are distributed on training crops, on whole photos and in windows`,
  );
  return {
    model: name,
    name: `statistics-${name}`,
    title: `The statistics of ${name}`,
    caption:
      'Means of all channels of a site, in deviations of those of training crops: on crops of the training size, on whole photos, and in windows of these. Where the second curve is not the first, the network sees statistics that it was not trained on.',
    svg,
  };
}

/** How far each site is from training, before and after. */
export function distanceFigure({ name, statistics }: ModelResult): Figure | undefined {
  const most = 24;
  const rows = (statistics?.sites ?? []).slice(0, most).flatMap((site, i) => {
    const { mean, deviation } = site;
    const worst = (mean?.whole.wasserstein ?? 0) >= (deviation?.whole.wasserstein ?? 0) ? mean : deviation;
    if (!worst) return [];
    const label = `${i + 1}. ${shortName(site.node)}`;
    return [{ label, whole: worst.whole.wasserstein, local: worst.local.wasserstein }];
  });
  if (rows.length === 0) return undefined;
  const [whole, local] = [kinds[1][2], kinds[2][2]];
  const svg = draw(
    {
      width,
      height: 90 + rows.length * 24,
      ...margins,
      marginLeft: 270,
      x: {
        label: '1-Wasserstein distance from training crops, in their deviations',
        labelOffset,
        domain: [0, Math.max(...rows.map((row) => Math.max(row.whole, row.local)))],
        nice: true,
      },
      y: { label: null, domain: rows.map(({ label }) => label) },
      marks: [
        Plot.gridX({ strokeOpacity: 0.15 }),
        Plot.ruleY(rows, {
          y: 'label',
          x1: 'whole',
          x2: 'local',
          stroke: 'currentColor',
          strokeOpacity: 0.4,
        }),
        Plot.dot(rows, { y: 'label', x: 'whole', fill: whole, r: 5 }),
        Plot.dot(rows, { y: 'label', x: 'local', fill: local, r: 5, symbol: 'star' }),
      ],
    },
    `How far the statistics of ${name} are from those of training crops, on whole photos and in windows`,
  );
  return {
    model: name,
    name: `distances-${name}`,
    title: `Which statistics of ${name} suffer`,
    caption: 'The worse of means and deviations of each site. Dots: whole photos. Stars: windows.',
    svg,
  };
}

export function figuresOf(evaluation: Evaluation): Figure[] {
  return [
    patchFigure(evaluation),
    sweepFigure(evaluation),
    ...evaluation.models.flatMap((model) => [statisticsFigure(model), distanceFigure(model)]),
  ].filter((figure) => figure !== undefined);
}
