// How late timers fire while something is at work: for how long it holds up the event loop.

/** Far below what anybody notices, and far above what a timer is off by. */
const tickMs = 5;

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Milliseconds by which each tick of the timer came after its due time, until `work` has ended. */
export async function latenessDuring(work: Promise<unknown>): Promise<number[]> {
  const lateness: number[] = [];
  let due = performance.now() + tickMs;
  let timer = setTimeout(function tick() {
    const now = performance.now();
    lateness.push(Math.max(0, now - due));
    due = now + tickMs;
    timer = setTimeout(tick, tickMs);
  }, tickMs);
  try {
    await work;
    // A loop blocked to the very end shows its lateness in a last tick.
    await new Promise((resolve) => setTimeout(resolve, 2 * tickMs));
  } finally {
    clearTimeout(timer);
  }
  return lateness.sort((a, b) => a - b);
}
