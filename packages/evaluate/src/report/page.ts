// The page of a report: all that it needs is in it.
import {
  type Evaluation,
  isScores,
  type MethodResult,
  type ModelResult,
  type Scores,
} from '../evaluation.js';
import { isSameMethod, showSize } from '../methods/method.js';
import { bestOf, gainOver } from '../summary/verdict.js';
import { client } from './client.js';
import { type Figure, shortName } from './figures.js';
import { Html, html } from './html.js';
import type { PhotoPictures, View } from './pictures.js';
import { style } from './style.js';

const viewTitles: Readonly<Record<View, string>> = {
  input: 'input',
  global: 'global statistics',
  local: 'local statistics',
  target: 'target',
  tiles: 'tiles of the training size',
};

const measureTitles: Readonly<Record<string, string>> = {
  psnr: 'PSNR, dB',
  ssim: 'SSIM',
  psnrY: 'PSNR of Y, dB',
  ssimY: 'SSIM of Y',
};

function digitsOf(measure: string): number {
  return measure.startsWith('psnr') ? 2 : 4;
}

function number(value: number | undefined, digits: number): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  return Number.isFinite(value) ? value.toFixed(digits).replace('-', '−') : '∞';
}

function cell(value: number | undefined, digits: number): Html {
  return html`<td data-value="${value === undefined || Number.isNaN(value) ? -1e9 : value}">${number(value, digits)}</td>`;
}

function table(headers: readonly string[], rows: readonly Html[], label: string): Html {
  const cells = headers.map((header) => html`<th scope="col"><button type="button">${header}</button></th>`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${cells}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function figure({ title, caption, svg, name }: Figure): Html {
  return html`<figure id="${name}"><h3>${title}</h3>${new Html(svg)}<figcaption>${caption}</figcaption></figure>`;
}

/** A method's gain over the original on whole photos. */
function gainCell(result: MethodResult, whole: MethodResult | undefined): Html {
  const { kind } = result.method;
  const gain = whole && kind !== 'global' && kind !== 'input' ? gainOver(result, whole) : undefined;
  if (!gain) return html`<td data-value="0">–</td>`;
  const between = gain.interval ? ` (${gain.interval.map((value) => number(value, 2)).join(' to ')})` : '';
  return html`<td data-value="${gain.mean}">${number(gain.mean, 2)}${between}</td>`;
}

function methodTable({ measures, input, hasTargets }: Evaluation, { name, methods }: ModelResult): Html {
  const whole = hasTargets ? methods.find(({ method }) => method.kind === 'global') : undefined;
  const best = hasTargets ? bestOf(methods) : undefined;
  const rows = [...(input ? [input] : []), ...methods].map((result) => {
    const cells = measures.map((measure) => cell(result.mean?.[measure], digitsOf(measure)));
    return html`<tr class="${result === best ? 'best' : ''}"><td>${result.title}</td>${cells}${gainCell(result, whole)}${cell(result.method.kind === 'input' ? 0 : result.work, 2)}</tr>`;
  });
  const headers = measures.map((measure) => measureTitles[measure] ?? measure);
  return table(
    ['method', ...headers, 'gain over global, dB', 'pixels seen for one'],
    rows,
    `Methods with ${name}`,
  );
}

function photoTable({ photos, input }: Evaluation, { name, methods, verdict }: ModelResult): Html {
  const { baseSize } = verdict;
  const whole = methods.find(({ method }) => method.kind === 'global');
  const local =
    baseSize && methods.find(({ method }) => isSameMethod(method, { kind: 'local', baseSize, fast: false }));
  const shown = [input, whole, local].filter((one) => one !== undefined);
  const scoresOf = (result: MethodResult | undefined, i: number): Scores | undefined => {
    const scores = result?.photos[i];
    return isScores(scores) ? scores : undefined;
  };
  const rows = photos.map((photo, i) => {
    const gain = (scoresOf(local, i)?.psnr ?? Number.NaN) - (scoresOf(whole, i)?.psnr ?? Number.NaN);
    const cells = shown.flatMap((result) => [
      cell(scoresOf(result, i)?.psnr, 2),
      cell(scoresOf(result, i)?.ssim, 4),
    ]);
    return html`<tr><td>${photo.name}</td><td data-value="${photo.size[0] * photo.size[1]}">${photo.size[1]} × ${photo.size[0]}</td>${cells}${local ? cell(gain, 2) : undefined}</tr>`;
  });
  const headers = shown.flatMap(({ title }) => [`${title}: PSNR, dB`, `${title}: SSIM`]);
  return table(
    ['photo', 'pixels', ...headers, ...(local ? ['gain, dB'] : [])],
    rows,
    `Photos restored by ${name}`,
  );
}

function siteTable({ name, statistics }: ModelResult): Html | undefined {
  if (!statistics || statistics.sites.length === 0) return undefined;
  const rows = statistics.sites.map(
    ({ node, operator, groups, mean, deviation }, i) =>
      html`<tr><td title="${node}">${i + 1}. ${shortName(node)}</td><td>${operator}</td>${cell(groups, 0)}${cell(mean?.whole.wasserstein, 2)}${cell(mean?.local.wasserstein, 2)}${cell(mean?.whole.shift, 2)}${cell(mean?.local.shift, 2)}${cell(deviation?.whole.wasserstein, 2)}${cell(deviation?.local.wasserstein, 2)}</tr>`,
  );
  const headers = [
    'site',
    'operator',
    'channels',
    'means: whole',
    'local',
    'shift: whole',
    'local',
    'deviations: whole',
    'local',
  ];
  const { total } = statistics;
  const summary = total
    ? html`<p>Over all sites, with a base size of ${showSize(statistics.baseSize)}, the distance from training crops goes from ${number(total.whole.wasserstein, 2)} to ${number(total.local.wasserstein, 2)} deviations.</p>`
    : undefined;
  const { unseen } = statistics;
  const missing =
    unseen.length > 0 &&
    html`<p>Not among them, since they are taken in more than one step: ${unseen.join(', ')}.</p>`;
  return html`${summary}${missing}<details><summary>Distances of each site</summary><p class="faint">1-Wasserstein distances, and the differences of means (shift), from the distribution on crops of the training size, in its standard deviations; the mean over channels.</p>${table(headers, rows, `Statistics of ${name}`)}</details>`;
}

/** The data URIs of a page, each by an id. */
class Images {
  readonly all: Record<string, string> = {};
  readonly #ids = new Map<string, string>();

  idOf(uri: string): string {
    const known = this.#ids.get(uri);
    if (known !== undefined) return known;
    const id = `i${this.#ids.size}`;
    this.#ids.set(uri, id);
    this.all[id] = uri;
    return id;
  }

  image(uri: string, alt: string): Html {
    return html`<img data-image="${this.idOf(uri)}" data-alt="${alt}" alt="${alt}">`;
  }
}

function comparison(images: Images, { photo, views }: PhotoPictures, name: string): Html {
  const choose = (label: string, chosen: View) => {
    const options = views.map(
      ([view, uri]) =>
        html`<option value="${images.idOf(uri)}"${view === chosen ? new Html(' selected') : undefined}>${viewTitles[view]}</option>`,
    );
    return html`<label>${label} <select aria-label="${label}: ${photo}, ${name}">${options}</select></label>`;
  };
  const has = (view: View) => views.some(([one]) => one === view);
  const [left, right]: [View, View] = has('local') ? ['global', 'local'] : ['input', 'global'];
  const uriOf = (view: View) => views.find(([one]) => one === view)?.[1] ?? '';
  return html`<div data-compare><div class="compare">${images.image(uriOf(left), viewTitles[left])}${images.image(uriOf(right), viewTitles[right])}</div><div class="controls">${choose('left', left)}<input type="range" min="0" max="100" value="50" aria-label="where the right image begins: ${photo}, ${name}">${choose('right', right)}</div></div>`;
}

function photoSection(images: Images, pictures: PhotoPictures, name: string): Html {
  const { photo, errors, details } = pictures;
  const captioned = ([view, uri]: readonly [View, string]) =>
    html`<figure>${images.image(uri, `${viewTitles[view]}, ${photo}`)}<figcaption>${viewTitles[view]}</figcaption></figure>`;
  const enlarged = details.map(
    ({ title, views }) => html`<h4>${photo}: ${title}</h4><div class="row">${views.map(captioned)}</div>`,
  );
  const maps =
    errors.length > 0 &&
    html`<h4>${photo}: errors, from none (black) to a tenth of white and more</h4><div class="row errors">${errors.map(captioned)}</div>`;
  return html`<section class="photo"><h3>${photo}</h3>${comparison(images, pictures, name)}${(enlarged.length > 0 || maps) && html`<details><summary>Enlarged, and errors</summary>${enlarged}${maps}</details>`}</section>`;
}

function failuresOf(
  { photos, input }: Evaluation,
  { methods, statisticsFailure }: ModelResult,
): Html | undefined {
  const results = [...(input ? [input] : []), ...methods];
  const failures = results.flatMap(({ title, photos: all }) =>
    all.flatMap((entry, i) =>
      isScores(entry) ? [] : [html`<li>${title}, ${photos[i]?.name}: ${entry.failure}</li>`],
    ),
  );
  if (statisticsFailure !== undefined) failures.push(html`<li>statistics: ${statisticsFailure}</li>`);
  return failures.length > 0 ? html`<h3>What failed</h3><ul>${failures}</ul>` : undefined;
}

export interface PageParts {
  readonly figures: readonly Figure[];
  /** Of each model, in the order of the evaluation. */
  readonly pictures: readonly (readonly PhotoPictures[])[];
  /** Images that were left out. */
  readonly left: readonly string[];
  readonly version: string;
}

export function pageOf(evaluation: Evaluation, { figures, pictures, left, version }: PageParts): string {
  const { models, photos, trainSize, hasTargets } = evaluation;
  const images = new Images();
  const shared = figures.filter(({ model }) => model === undefined);
  const sections = models.map((model, i) => {
    const own = figures.filter((one) => one.model === model.name);
    const shown = (pictures[i] ?? []).map((one) => photoSection(images, one, model.name));
    return html`<h2>${model.name}</h2>${methodTable(evaluation, model)}${failuresOf(evaluation, model)}<h3>Photo by photo</h3>${photoTable(evaluation, model)}${own.map(figure)}${siteTable(model)}${shown}`;
  });
  const measured = hasTargets
    ? 'Results are measured against targets.'
    : 'There are no targets: results are measured against those of the original model on whole photos, which says how far they differ, and not which is better.';
  const lines = models.map(({ verdict }) => html`<p class="verdict">${verdict.sentence}</p>`);
  const body = html`<main><h1>Do local statistics help?</h1><p class="faint">${photos.length} ${photos.length === 1 ? 'photo' : 'photos'}, training size ${showSize(trainSize)}. ${measured}${left.length > 0 && ` ${left.length} images have no other half, and were left out.`}</p>${lines}${shared.length > 0 && html`<h2>${models.length > 1 ? 'The models beside each other' : 'At a glance'}</h2>`}${shared.map(figure)}${sections}<p class="faint">Made by tlsc ${version}. The numbers are in results.json and results.csv beside this page.</p></main>`;
  // A script ends at the first </script, wherever it is.
  const data = JSON.stringify(images.all).replaceAll('<', '\\u003c');
  const head = html`<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Do local statistics help?</title><link rel="icon" href="data:,"><style>${new Html(style)}</style>`;
  return `<!doctype html>\n<html lang="en"><head>${head.text}</head><body>${body.text}<script type="application/json" id="images">${data}</script><script>(${client})();</script></body></html>\n`;
}
