import type { RestorationPool } from '@tlsc/api';
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** What a request was about, and how it went. */
export interface Outcome {
  readonly kind: 'restore' | 'infer';
  /** A name that the pool has. */
  readonly model: string;
  /** 'ok', or the code of an error. */
  readonly result: string;
  readonly waited?: number;
  readonly worked?: number;
  /** Of the restored photo. */
  readonly pixels?: number;
}

/** Everything that Prometheus is told; event-loop delay and memory of the process are prom-client's own. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'kind' | 'model' | 'result'>;
  readonly #waits: Histogram<'model'>;
  readonly #runs: Histogram<'model'>;
  readonly #pixels: Counter<'model'>;

  constructor(pool: RestorationPool) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge('tlsc_pending', 'Requests that wait for a place or for memory', () => pool.stats().pending);
    gauge('tlsc_running', 'Requests that have a place', () => pool.stats().running);
    gauge(
      'tlsc_memory_taken_bytes',
      'Memory that those with a place may take',
      () => pool.stats().memory.taken,
    );
    gauge('tlsc_memory_limit_bytes', 'Memory that they may take at most', () => pool.stats().memory.limit);
    gauge('tlsc_concurrency', 'Runs of networks at once', () => pool.stats().concurrency);
    this.#requests = new Counter({
      name: 'tlsc_requests_total',
      help: 'Requests that are over, by what came of them: ok, or the code of the error (ERR_BUSY was refused)',
      labelNames: ['kind', 'model', 'result'],
      registers,
    });
    const histogram = (name: string, help: string) =>
      new Histogram({ name, help, labelNames: ['model'] as const, buckets: seconds, registers });
    this.#waits = histogram('tlsc_wait_seconds', 'Time before a place was free');
    this.#runs = histogram('tlsc_work_seconds', 'Time from there on: decoding, the network, encoding');
    this.#pixels = new Counter({
      name: 'tlsc_pixels_total',
      help: 'Pixels of restored photos',
      labelNames: ['model'],
      registers,
    });
  }

  record({ kind, model, result, waited, worked, pixels }: Outcome): void {
    this.#requests.inc({ kind, model, result });
    if (waited !== undefined) this.#waits.observe({ model }, waited);
    if (worked !== undefined) this.#runs.observe({ model }, worked);
    if (pixels !== undefined) this.#pixels.inc({ model }, pixels);
  }
}

export function metricsRoute(app: FastifyInstance, { registry }: Metrics): void {
  const schema = { summary: 'Metrics for Prometheus', tags: ['operation'] };
  app.get('/metrics', { schema, logLevel: 'warn' }, async (_, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
}
