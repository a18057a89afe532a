// What is done with a file: each way in which strangers' files come into tlsc.
import { convert, InferenceSession, inspect, type Outputs, readPhoto, TlscError, verify } from '@tlsc/api';
import { feedsFor } from './feeds.js';
import { limits } from './limits.js';
import type { Fault } from './messages.js';

/** Of conversions and runs, which have no default. */
const usualSide = 256;

/** What calls hand on to the ones behind them. */
export interface Progress {
  /** Of images; undefined for the defaults of the calls. */
  readonly side: number | undefined;
  /** What `convert` has made. */
  converted?: Uint8Array;
  /** What `create` has opened. */
  session?: InferenceSession;
}

type Call = (bytes: Uint8Array, progress: Progress) => Promise<Fault | undefined>;

/** A model is a program, which may run without end: what ends it is the caller's signal. */
function deadline(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(limits.deadlineMs) };
}

/** One thread is enough for so little, and starts faster. */
function open(bytes: Uint8Array, operators: 'native' | 'portable'): Promise<InferenceSession> {
  const options = { operators, logSeverityLevel: 4, intraOpNumThreads: 1 } as const;
  return InferenceSession.create(bytes, { ...options, ...deadline() });
}

/** Releases the session, too. */
async function run(session: InferenceSession, side = usualSide): Promise<Outputs | undefined> {
  try {
    const feeds = feedsFor(session.inputMetadata, side);
    return feeds && (await session.run(feeds, deadline()));
  } finally {
    await session.release();
  }
}

/** What a model computes must not depend on who computes it; what is no number or endless compares with nothing. */
async function verifyBoth(bytes: Uint8Array, { converted, side }: Progress): Promise<Fault | undefined> {
  const {
    passed,
    selfCheck,
    fullSize: full,
    tolerance,
    wrongWindows,
    wrongEpsilons,
  } = await verify(bytes, converted ?? bytes, {
    fullSize: side === undefined ? false : Math.round(1.5 * side),
    ...deadline(),
  });
  if (!converted || passed || !selfCheck) return undefined;
  const differences = [selfCheck.native, selfCheck.portable, full?.nativeToPortable ?? 0];
  if (!differences.every(Number.isFinite)) return undefined;
  const wrong = [...wrongWindows, ...wrongEpsilons].join(', ');
  return {
    kind: 'disagreement',
    detail: wrong || `differences ${differences.join(', ')}, tolerance ${tolerance}`,
  };
}

export const calls = {
  async inspect(bytes, { side }) {
    await inspect(bytes, { ...(side !== undefined && { trainSize: side }), ...deadline() });
    return undefined;
  },
  async convert(bytes, progress) {
    const { model, report } = await convert(bytes, { trainSize: progress.side ?? usualSide, ...deadline() });
    if (report.sites.length > 0) progress.converted = model;
    return undefined;
  },
  verify: verifyBoth,
  async create(bytes, progress) {
    progress.session = await open(bytes, 'native');
    return undefined;
  },
  async run(bytes, { session, side }) {
    await run(session ?? (await open(bytes, 'native')), side);
    await run(await open(bytes, 'portable'), side);
    return undefined;
  },
  async readPhoto(bytes) {
    await readPhoto(bytes, deadline());
    return undefined;
  },
} satisfies Record<string, Call>;

export type CallName = keyof typeof calls;

/** All that a model goes through. */
export const modelCalls = ['inspect', 'convert', 'verify', 'create', 'run'] as const;

/** An error is what it must be, or is a fault. */
export function faultOf(error: unknown, codes: readonly string[]): Fault | undefined {
  if (error instanceof TlscError && codes.includes(error.code)) return undefined;
  return { kind: 'error', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
