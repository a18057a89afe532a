import type { Progress } from '@tlsc/evaluate';
import { SingleBar } from 'cli-progress';

const steps = 1000;

function timeOf(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes} min left` : `${Math.ceil(seconds)} s left`;
}

/** Tells how far an evaluation has come, where someone watches. */
export function showShares(isSilent: boolean): { show: (progress: Progress) => void; close: () => void } {
  if (isSilent || !process.stderr.isTTY) return { show: () => {}, close: () => {} };
  const bar = new SingleBar({ format: '{bar} {percentage} % {time} {what}', clearOnComplete: true });
  bar.start(steps, 0, { what: '', time: '' });
  return {
    show: ({ what, done, secondsLeft }) =>
      bar.update(Math.round(done * steps), { what, time: timeOf(secondsLeft) }),
    close: () => bar.stop(),
  };
}
