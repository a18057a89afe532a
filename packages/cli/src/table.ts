/** Rows as aligned columns under their headings. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [headings, ...rows].map(line).join('\n');
}

/** In fast mode with how far its samples may lie apart. */
export function showWindow(window: readonly number[], maxStride: readonly number[] | undefined): string {
  return maxStride ? `${showSize(window)} by up to ${showSize(maxStride)}` : showSize(window);
}

export function showSize(size: readonly (number | string)[]): string {
  return size.join('x');
}
