/**
 * What the page does in a browser. It is written into the page as it stands here, and so knows nothing that is outside of it.
 */
export function client(): void {
  const images = JSON.parse(document.querySelector('#images')?.textContent ?? '{}') as Record<string, string>;
  const show = (image: HTMLImageElement, id: string) => {
    image.src = images[id] ?? '';
    image.alt = image.dataset.alt ?? '';
  };
  for (const image of document.querySelectorAll<HTMLImageElement>('img[data-image]'))
    show(image, image.dataset.image ?? '');

  for (const compare of document.querySelectorAll<HTMLElement>('[data-compare]')) {
    const frame = compare.querySelector<HTMLElement>('.compare');
    const [left, right] = compare.querySelectorAll<HTMLImageElement>('.compare img');
    const [ofLeft, ofRight] = compare.querySelectorAll<HTMLSelectElement>('select');
    const slider = compare.querySelector<HTMLInputElement>('input');
    if (!frame || !left || !right || !ofLeft || !ofRight || !slider) continue;
    const update = () => {
      for (const [image, select] of [
        [left, ofLeft],
        [right, ofRight],
      ] as const) {
        image.dataset.alt = select.selectedOptions[0]?.text ?? '';
        show(image, select.value);
      }
      frame.style.setProperty('--at', `${slider.value}%`);
      const names = [ofLeft, ofRight].map((select) => select.selectedOptions[0]?.text ?? '');
      slider.setAttribute('aria-valuetext', `${slider.value} % ${names[0]}, the rest ${names[1]}`);
    };
    for (const control of [ofLeft, ofRight, slider]) control.addEventListener('input', update);
    frame.addEventListener('pointermove', (event) => {
      if (event.buttons === 0 && event.pointerType === 'mouse') return;
      const { left: from, width } = frame.getBoundingClientRect();
      slider.value = String(Math.round(Math.min(1, Math.max(0, (event.clientX - from) / width)) * 100));
      update();
    });
    frame.style.touchAction = 'pan-y';
    update();
  }

  for (const table of document.querySelectorAll('table')) {
    const headers = [...table.querySelectorAll<HTMLTableCellElement>('thead th')];
    for (const [column, header] of headers.entries()) {
      header.querySelector('button')?.addEventListener('click', () => {
        const isDescending = header.getAttribute('aria-sort') !== 'descending';
        for (const other of headers) other.removeAttribute('aria-sort');
        header.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending');
        const body = table.tBodies[0];
        const keyOf = (row: HTMLTableRowElement) =>
          row.cells[column]?.dataset.value ?? row.cells[column]?.textContent ?? '';
        const compareRows = (a: HTMLTableRowElement, b: HTMLTableRowElement) => {
          const [one, other] = [keyOf(a), keyOf(b)];
          const difference = Number(one) - Number(other);
          return Number.isNaN(difference) ? one.localeCompare(other) : difference;
        };
        const rows = [...(body?.rows ?? [])].sort((a, b) =>
          isDescending ? compareRows(b, a) : compareRows(a, b),
        );
        body?.append(...rows);
      });
    }
  }
}
