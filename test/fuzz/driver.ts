// Gives children one file after the other until time or count is up, and gathers what they do wrong.
import { setTimeout as wait } from 'node:timers/promises';
import type { CallName } from './calls.js';
import { limits } from './limits.js';
import { minimise } from './minimise.js';
import type { FuzzOptions } from './options.js';
import { type Found, kindOf, write } from './report.js';
import { attemptAlone, type Finding, Subject } from './subject.js';

export interface Sample {
  readonly bytes: Uint8Array;
  /** Words for people: which seed, which mutations. */
  readonly origin: string;
}

export interface Campaign extends FuzzOptions {
  /** The same sample for the same index, always. */
  readonly sample: (index: number) => Promise<Sample>;
  readonly calls: readonly CallName[];
  /** Of images that models are run with; small ones are fast. */
  readonly side?: number;
  /** Of the files that findings are written to. */
  readonly extension: string;
}

/** A child that has served this many files is asked to end, which it must be able to. */
const filesPerChild = 400;

/** What looking at a model may take more than a plain run does. */
const looking = 1.5;

class Findings {
  readonly counts = new Map<string, number>();
  readonly files: string[] = [];
  /** Models whose plain run takes about as much memory, which is their own affair. */
  greedy = 0;

  constructor(readonly campaign: Campaign) {}

  async add(sample: Sample, finding: Finding): Promise<void> {
    if (finding.kind === 'memory' && (await this.#isGreedy(sample))) {
      this.greedy++;
      return;
    }
    const kind = kindOf(finding);
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (count > this.campaign.keep) return;
    const found = await this.#confirm(sample, finding);
    if (!found) return;
    const file = write(this.campaign.folder, found);
    this.files.push(file);
    console.log(`${file} (${found.bytes.length} bytes): ${kind}`);
  }

  async #isGreedy({ bytes }: Sample): Promise<boolean> {
    const { calls, side } = this.campaign;
    if (!calls.includes('run')) return false;
    const { finding, outcomes } = await attemptAlone(bytes, ['run'], { side });
    const peaks = outcomes.map(({ peakBytes }) => peakBytes);
    return finding?.kind === 'memory' || Math.max(...peaks) * looking > limits.memoryBytes;
  }

  /** Once more in a process of its own, then smaller. What does not come again is reported as it was met. */
  async #confirm(sample: Sample, finding: Finding): Promise<Found | undefined> {
    const { calls, side, extension } = this.campaign;
    const kind = kindOf(finding);
    const isSame = async (bytes: Uint8Array, names: readonly CallName[]) => {
      const again = (await attemptAlone(bytes, names, { side })).finding;
      return again !== undefined && kindOf(again) === kind;
    };
    const { call } = finding;
    const alone = call === 'exit' ? calls : [call];
    const needed = (await isSame(sample.bytes, alone)) ? alone : calls;
    const comesAgain = needed === alone || (await isSame(sample.bytes, calls));
    // The machine was busy, most likely.
    if (!comesAgain && (finding.kind === 'slow' || finding.kind === 'stall')) return undefined;
    const origin = comesAgain ? sample.origin : `${sample.origin}; not seen again when tried alone`;
    const bytes = comesAgain
      ? await minimise(sample.bytes, (smaller) => isSame(smaller, needed), this.campaign.minimise)
      : sample.bytes;
    return { bytes, extension, finding, side, origin };
  }
}

/** Runs the campaign; returns how many files were tried, and the findings by kind. */
export async function drive(campaign: Campaign): Promise<{ tried: number; findings: Findings }> {
  const findings = new Findings(campaign);
  const end = performance.now() + campaign.seconds * 1000;
  let next = campaign.first;
  const last = campaign.first + campaign.count;
  const serve = async () => {
    let subject = new Subject();
    let served: Sample[] = [];
    const renew = async () => {
      const finding = await subject.end();
      if (finding) await findCulprit(served, findings);
      subject = new Subject();
      served = [];
    };
    while (next < last && performance.now() < end) {
      const sample = await campaign.sample(next++);
      served.push(sample);
      const { finding } = await subject.attempt(sample.bytes, campaign.calls, campaign.side);
      if (finding) {
        await subject.kill();
        await findings.add(sample, finding);
      }
      if (finding || served.length >= filesPerChild) await renew();
    }
    await renew();
    await subject.kill();
  };
  const report = new AbortController();
  void tellProgress(() => next - campaign.first, findings, report.signal);
  await Promise.all(Array.from({ length: campaign.children }, serve));
  report.abort();
  return { tried: next - campaign.first, findings };
}

/** Which of the files keeps a process from ending, or makes it die at its end. */
async function findCulprit(samples: readonly Sample[], findings: Findings): Promise<void> {
  const { calls, side } = findings.campaign;
  for (const sample of samples) {
    const { finding } = await attemptAlone(sample.bytes, calls, { side });
    if (finding?.call === 'exit') return findings.add(sample, finding);
  }
}

const progressMs = 30_000;

async function tellProgress(tried: () => number, { counts }: Findings, signal: AbortSignal): Promise<void> {
  const begun = performance.now();
  for (;;) {
    await wait(progressMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const perSecond = (1000 * tried()) / (performance.now() - begun);
    console.log(
      `${tried()} files, ${perSecond.toFixed(1)} a second, ${total} findings of ${counts.size} kinds`,
    );
  }
}
