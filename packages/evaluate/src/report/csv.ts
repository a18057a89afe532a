import { csvFormatRows } from 'd3-dsv';
import { type Evaluation, isScores, type MethodResult } from '../evaluation.js';

/** A row for each model, method and photo. */
export function csvOf({ photos, measures, input, models }: Evaluation): string {
  const rowsOf = (model: string, { title, work, photos: entries }: MethodResult) =>
    entries.map((entry, i) => {
      const values = measures.map((measure) => (isScores(entry) ? String(entry[measure]) : ''));
      return [
        model,
        title,
        photos[i]?.name ?? '',
        ...values,
        String(work),
        isScores(entry) ? '' : entry.failure,
      ];
    });
  const rows = [
    ...(input ? rowsOf('', input) : []),
    ...models.flatMap(({ name, methods }) => methods.flatMap((result) => rowsOf(name, result))),
  ];
  return `${csvFormatRows([['model', 'method', 'photo', ...measures, 'work', 'failure'], ...rows])}\n`;
}
