import { basename } from 'node:path';
import { invalidArgument } from '../errors.js';
import type { ModelSource } from '../graph/model.js';
import { availableMemory } from '../session/available-memory.js';
import { type PoolOptions, toPoolOptions } from './options.js';
import { fastest, type Parallelism, waysFor } from './parallelism.js';
import { openSession, PooledModel, warmUp } from './pooled-model.js';
import { RestorationPool } from './restoration-pool.js';

/** The share of available memory that is taken where nobody says how much. */
const share = 0.7;

/** One is read and written while another is restored. */
const runsOnCard = 2;

/** What a model is called that has no name. */
function usualName(model: ModelSource): string {
  return typeof model === 'string' ? basename(model).replace(/(\.local)?\.onnx$/i, '') : 'model';
}

function isSource(models: unknown): models is ModelSource {
  return typeof models === 'string' || models instanceof Uint8Array;
}

/**
 * Loads models, finds out what they take, and on the CPU how many runs on how many threads restore most, and makes a pool of them. One
 * model is called by its file, without `.local` and `.onnx`, or 'model'; several have names: `{ denoise: 'nafnet.onnx' }`.
 * Rejects as `InferenceSession.create` does.
 */
export async function createPool(
  models: ModelSource | Readonly<Record<string, ModelSource>>,
  options: PoolOptions = {},
): Promise<RestorationPool> {
  const checked = toPoolOptions(options);
  const { session: ofSessions, signal } = checked;
  if (!isSource(models) && (typeof models !== 'object' || models === null))
    throw invalidArgument('models', 'a model, or models by name', models);
  const named = isSource(models) ? [[usualName(models), models] as const] : Object.entries(models);
  const isOnCpu = (ofSessions.executionProviders ?? ['cpu'])[0] === 'cpu';
  const ways = waysFor(checked.concurrency ?? (isOnCpu ? undefined : runsOnCard), checked.threads);
  const sessions = new Map<string, PooledModel>();
  let way = ways[0] as Parallelism;
  try {
    for (const [i, [name, model]] of named.entries()) {
      const open = (other: Parallelism) => openSession(model, ofSessions, other, signal);
      const opened = i === 0 ? await fastest(ways, open) : { way, session: await open(way) };
      way = opened.way;
      sessions.set(name, new PooledModel(opened.session));
      await warmUp(opened.session, signal);
    }
    const [first] = sessions.values();
    const left = first ? await availableMemory(first.session) : process.availableMemory();
    // Where nobody can tell how much a card has, it is any number.
    const memory = checked.memory ?? Math.min(Math.floor(share * left), Number.MAX_SAFE_INTEGER);
    return new RestorationPool(checked, way, memory, sessions);
  } catch (error) {
    await Promise.all([...sessions.values()].map((model) => model.retire()));
    throw error;
  }
}
