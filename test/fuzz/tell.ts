import type { drive } from './driver.js';

/** Prints what a campaign has found; the process fails if that is anything. */
export function tell({ tried, findings }: Awaited<ReturnType<typeof drive>>): void {
  const { counts, greedy } = findings;
  console.log(`${tried} files tried, ${counts.size} kinds of findings`);
  if (greedy > 0) console.log(`${greedy} files take as much memory in a plain run, and were passed over`);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  for (const [kind, count] of sorted) console.log(`${String(count).padStart(6)} ${kind}`);
  if (counts.size > 0) process.exitCode = 1;
}
