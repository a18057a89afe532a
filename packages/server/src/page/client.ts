// What the page does in a browser. It is served as it was compiled, and so imports nothing.

interface Model {
  readonly name: string;
  /** The name of the model that it was converted from, if that is served, too. */
  readonly original?: string;
}

/** What is shown of one image. */
interface Shown {
  readonly title: string;
  readonly url: string;
  /** What it is called when it is downloaded; nothing for the photo itself. */
  readonly file?: string;
}

function find<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no ${id}`);
  return element as T;
}

const form = find<HTMLFormElement>('form');
const drop = find('drop');
const file = find<HTMLInputElement>('file');
const model = find<HTMLSelectElement>('model');
const withOriginal = find('with-original');
const original = find<HTMLInputElement>('original');
const withToken = find('with-token');
const token = find<HTMLInputElement>('token');
const start = find<HTMLButtonElement>('start');
const stop = find<HTMLButtonElement>('stop');
const status = find('status');
const progress = find<HTMLProgressElement>('progress');
const result = find('result');
const compare = find('compare');
const at = find<HTMLInputElement>('at');
const download = find<HTMLAnchorElement>('download');
const sides = [
  { select: find<HTMLSelectElement>('left'), image: find<HTMLImageElement>('left-image') },
  { select: find<HTMLSelectElement>('right'), image: find<HTMLImageElement>('right-image') },
] as const;

let models: readonly Model[] = [];
let shown: readonly Shown[] = [];
let request: XMLHttpRequest | undefined;

function say(text: string, failed = false): void {
  status.textContent = text;
  status.classList.toggle('failed', failed);
}

function headers(): Record<string, string> {
  return token.value === '' ? {} : { authorization: `Bearer ${token.value}` };
}

function chosen(): Model | undefined {
  return models.find(({ name }) => name === model.value);
}

function update(): void {
  start.disabled = !file.files?.length || !chosen() || !stop.hidden;
  withOriginal.hidden = chosen()?.original === undefined;
}

async function loadModels(): Promise<void> {
  const response = await fetch('v1/models', { headers: headers() });
  if (response.status === 401) {
    withToken.hidden = false;
    say('This server wants a token.');
    token.focus();
    return;
  }
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  ({ models } = (await response.json()) as { models: Model[] });
  const originals = new Set(models.map((one) => one.original));
  const own = models.filter(({ name }) => !originals.has(name));
  model.replaceChildren(...own.map(({ name }) => new Option(name)));
  model.disabled = own.length === 0;
  say(own.length === 0 ? 'This server has no models.' : 'Choose a photo.');
  update();
}

/** Browsers show these; whatever else comes is answered as PNG. */
const shownTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/avif', 'image/gif'];

function typeFor({ type }: File): string {
  return shownTypes.includes(type) ? type : 'image/png';
}

/** Sends a photo; tells of the part that has gone, then that the server is at work. */
function restore(photo: File, name: string): Promise<Blob> {
  const sent = new XMLHttpRequest();
  request = sent;
  sent.open('POST', `v1/models/${encodeURIComponent(name)}/restore`);
  sent.responseType = 'blob';
  for (const [key, value] of Object.entries(headers())) sent.setRequestHeader(key, value);
  sent.setRequestHeader('accept', typeFor(photo));
  sent.setRequestHeader('content-type', photo.type || 'application/octet-stream');
  sent.upload.onprogress = ({ loaded, total }) => {
    progress.value = loaded / total;
  };
  sent.upload.onload = () => {
    progress.removeAttribute('value');
    say(`${name} restores the photo …`);
  };
  return new Promise((resolve, reject) => {
    sent.onload = async () => {
      const body = sent.response as Blob;
      if (sent.status === 200) return resolve(body);
      // What stands between here and the server may answer in words of its own.
      const { error } = await body
        .text()
        .then((text) => JSON.parse(text) as { error?: { message: string } })
        .catch(() => ({ error: undefined }));
      reject(new Error(error?.message ?? `the server answered ${sent.status}`));
    };
    sent.onerror = () => reject(new Error('the server cannot be reached'));
    sent.onabort = () => reject(new Error('stopped'));
    progress.value = 0;
    say(`Sending the photo to ${name} …`);
    sent.send(photo);
  });
}

function show(): void {
  const places = sides.map(({ select, image }) => {
    const one = shown[select.selectedIndex];
    if (one && image.src !== one.url) image.src = one.url;
    image.alt = one?.title ?? '';
    return one;
  });
  compare.style.setProperty('--at', `${at.value}%`);
  at.setAttribute(
    'aria-valuetext',
    `${at.value} % ${places[0]?.title ?? ''}, the rest ${places[1]?.title ?? ''}`,
  );
  const wanted = places.toReversed().find((one) => one?.file !== undefined);
  download.hidden = !wanted;
  if (wanted?.file === undefined) return;
  download.href = wanted.url;
  download.download = wanted.file;
  download.textContent = `Download ${wanted.title}`;
}

function showAll(images: readonly Shown[]): void {
  for (const { url } of shown) if (!images.some((one) => one.url === url)) URL.revokeObjectURL(url);
  shown = images;
  for (const [i, { select }] of sides.entries()) {
    select.replaceChildren(...images.map(({ title }) => new Option(title)));
    select.selectedIndex = i === 0 ? 0 : 1;
  }
  // The original against what it became, where both are there.
  if (images.length > 2) sides[0].select.selectedIndex = 2;
  result.hidden = false;
  show();
}

async function restoreAll(): Promise<void> {
  const [photo] = file.files ?? [];
  const one = chosen();
  if (!photo || !one) return;
  const extension = typeFor(photo).split('/')[1];
  const base = photo.name.replace(/\.\w+$/, '');
  const images: Shown[] = [{ title: 'the photo', url: URL.createObjectURL(photo) }];
  const names = [one.name, ...(one.original !== undefined && original.checked ? [one.original] : [])];
  stop.hidden = false;
  update();
  progress.hidden = false;
  try {
    for (const name of names) {
      const blob = await restore(photo, name);
      images.push({ title: name, url: URL.createObjectURL(blob), file: `${base}.${name}.${extension}` });
    }
    showAll(images);
    say('Done.');
  } catch (error) {
    for (const { url } of images) URL.revokeObjectURL(url);
    say(`It failed: ${(error as Error).message}`, true);
  } finally {
    progress.hidden = true;
    stop.hidden = true;
    update();
  }
}

function load(): void {
  loadModels().catch((error: Error) => say(`The models could not be had: ${error.message}`, true));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void restoreAll();
});
stop.addEventListener('click', () => request?.abort());
file.addEventListener('change', update);
model.addEventListener('change', update);
token.addEventListener('change', load);
for (const control of [at, ...sides.map(({ select }) => select)]) control.addEventListener('input', show);

drop.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  if (event.dataTransfer?.files.length) file.files = event.dataTransfer.files;
  update();
});

function moveTo(event: PointerEvent): void {
  if (event.buttons === 0 && event.pointerType === 'mouse') return;
  const { left, width } = compare.getBoundingClientRect();
  at.value = String(Math.round(Math.min(1, Math.max(0, (event.clientX - left) / width)) * 100));
  show();
}
compare.addEventListener('pointerdown', moveTo);
compare.addEventListener('pointermove', moveTo);

load();
