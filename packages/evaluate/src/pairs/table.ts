import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { TlscError } from '@tlsc/api';
import { csvParse } from 'd3-dsv';
import type { Pair } from './pair.js';

/** Pairs of a CSV file: columns input, target (may be empty), and name (the input's, unless given); paths are relative to it. */
export async function pairsOfTable(path: string): Promise<Pair[]> {
  if (extname(path).toLowerCase() !== '.csv') {
    const message = `${path} is neither a folder nor a CSV file`;
    throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'pairs', received: path });
  }
  // Spreadsheets write a mark in front.
  const rows = csvParse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''));
  if (!rows.columns.includes('input')) {
    const found = rows.columns.join(', ') || 'none';
    throw new TlscError('ERR_INVALID_ARGUMENT', `${path} has no column input; its columns are ${found}`, {
      parameter: 'pairs',
      expected: 'columns input, target and name',
    });
  }
  const fileOf = (text: string | undefined) => (text ? resolve(dirname(path), text) : undefined);
  return rows.map(({ input: text = '', target, name }, i) => {
    const input = fileOf(text);
    if (input === undefined) {
      const message = `${path}: line ${i + 2} names no input`;
      throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'pairs' });
    }
    return { name: name || basename(input, extname(input)), input, target: fileOf(target) };
  });
}
