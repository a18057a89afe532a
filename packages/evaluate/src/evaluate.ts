import { type Candidate, candidatesOf } from './candidates.js';
import type { Evaluation, MethodResult, ModelResult } from './evaluation.js';
import { Evaluator } from './evaluator.js';
import { OtherMetric } from './metrics/other-metric.js';
import { measures } from './metrics/quality.js';
import { type EvaluateOptions, invalidArgument, toPlan } from './options.js';
import type { Pair } from './pairs/pair.js';
import { lookAt, type PhotoInfo } from './photos.js';
import { verdictOf, verdictWithoutTargets } from './summary/verdict.js';

async function evaluateModel(evaluator: Evaluator, candidate: Candidate): Promise<ModelResult> {
  const { name, file, isOfOneSize, sites } = candidate;
  const { plan, hasTargets } = evaluator;
  const methods: MethodResult[] = [];
  for (const method of evaluator.methodsFor(sites.length))
    methods.push(await evaluator.results(candidate, method));
  const found = plan.statistics && sites.length > 0 ? await evaluator.statistics(candidate) : undefined;
  const isFailure = found !== undefined && 'failure' in found;
  const judge = hasTargets ? verdictOf : verdictWithoutTargets;
  return {
    name,
    file,
    isOfOneSize,
    sites,
    methods,
    statistics: isFailure ? undefined : found,
    statisticsFailure: isFailure ? found.failure : undefined,
    verdict: judge(name, sites.length, methods),
  };
}

function checkInputs(models: readonly string[], pairs: readonly Pair[]): void {
  const isText = (one: unknown) => typeof one === 'string' && one !== '';
  if (!Array.isArray(models) || models.length === 0 || !models.every(isText))
    throw invalidArgument('models', 'an array of paths', models);
  const isPair = (one: Pair) => isText(one?.name) && isText(one.input);
  if (!Array.isArray(pairs) || pairs.length === 0 || !pairs.every(isPair))
    throw invalidArgument('pairs', 'an array of pairs, one at least, as findPairs finds them', pairs);
}

/**
 * Restores photos by models, with the global statistics that they were exported with, on whole photos and in tiles of several sizes, and
 * with local ones of several base sizes, and measures the results against targets; and compares the statistics themselves with those on
 * crops of the training size. Where a photo has no target, results are measured against those of the original on whole photos.
 *
 * Two photos and one network, or two without targets, are in memory at a time. A method that fails on a photo is noted and goes without a mean. Rejects with
 * ERR_INVALID_ARGUMENT, ERR_ABORTED, or what `convert`, `InferenceSession.create`, `readPhoto` and `restore` do.
 */
export async function evaluate(
  models: readonly string[],
  pairs: readonly Pair[],
  options: EvaluateOptions,
): Promise<Evaluation> {
  const plan = toPlan(options);
  checkInputs(models, pairs);
  const photos: PhotoInfo[] = [];
  for (const pair of pairs) photos.push(await lookAt(pair, plan.signal));
  const { shave = 0 } = plan;
  const shortest = Math.min(...photos.map(({ size, scale }) => Math.min(...size) * scale));
  if (2 * shave >= shortest)
    throw invalidArgument('shave', `less than half of ${shortest}, the shortest side`, shave);
  const evaluator = new Evaluator(plan, photos);
  const { hasTargets } = evaluator;
  try {
    for (const [name, file] of Object.entries(plan.metrics))
      evaluator.others.push(await OtherMetric.load(name, file));
    const candidates = await candidatesOf(models, plan);
    const isComparable = hasTargets && photos.every(({ scale }) => scale === 1);
    if (isComparable) evaluator.expect([{ kind: 'input' }]);
    for (const { sites } of candidates) {
      evaluator.expect(evaluator.methodsFor(sites.length));
      if (plan.statistics && sites.length > 0) evaluator.work.expect(evaluator.statisticsWork());
    }
    const input = isComparable ? await evaluator.results(undefined, { kind: 'input' }) : undefined;
    const results: ModelResult[] = [];
    for (const candidate of candidates) results.push(await evaluateModel(evaluator, candidate));
    return {
      trainSize: plan.trainSize,
      photos,
      hasTargets,
      measures: [...measures, ...Object.keys(plan.metrics)],
      input,
      models: results,
    };
  } finally {
    await evaluator.close();
  }
}
