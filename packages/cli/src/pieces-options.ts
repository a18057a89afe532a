// The options that say how much memory photos may take, and how they are cut.
import { type Pieces, type PiecesOptions, TlscError } from '@tlsc/api';
import type { Command } from 'commander';
import { parseBytes, parseHalo } from './parse.js';

export interface PiecesFlags {
  readonly memory?: number;
  readonly halo?: number;
  readonly exact?: boolean;
  readonly checkPieces?: boolean;
}

export function addPiecesOptions(command: Command): Command {
  return command
    .option(
      '--memory <size>',
      'what the command may take, 2GB for example; photos that take more are restored in pieces (default: 0.7 of what is left)',
      parseBytes,
    )
    .option(
      '--halo <pixels>',
      'how much of the photo the network sees around a piece (default: what keeps the difference below half a level)',
      parseHalo,
    )
    .option('--exact', 'have pieces see all that their pixels depend on, where the network is not too deep')
    .option('--check-pieces', 'measure what pieces differ from the whole by, at one place of each photo');
}

/** The same for one of several images that are restored at once; to be asked before any is. Throws ERR_INVALID_ARGUMENT. */
export function piecesIn({ memory, halo, exact, checkPieces }: PiecesFlags, jobs: number): PiecesOptions {
  const taken = process.memoryUsage.rss();
  const rest = memory === undefined ? undefined : Math.floor((memory - taken) / jobs);
  if (rest !== undefined && rest < 1) {
    const message = `memory is less than the ${Math.ceil(taken / 1e6)} MB that the command takes before it has seen a photo`;
    throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'memory' });
  }
  return {
    ...(rest !== undefined && { memory: rest }),
    ...(halo !== undefined && { halo }),
    ...(exact && { exact }),
    ...(checkPieces && { checkPieces }),
  };
}

const bounds: Readonly<Record<Pieces['bound'], string>> = {
  exact: 'equal to the whole but for rounding',
  'half-level': 'less than half a level of 8 bits from the whole',
  none: 'other than the whole',
};

/** 'in 2x3 pieces, halo 168x160, 1.28 times the work, …' */
export function showPieces({ rows, columns, halo, work, bound, check }: Pieces): string {
  const measured = check
    ? `, ${check.levels.toPrecision(2)} levels measured at ${check.top}, ${check.left}`
    : '';
  return `in ${rows}x${columns} pieces, halo ${halo.join('x')}, ${work.toFixed(2)} times the work, ${bounds[bound]}${measured}`;
}
