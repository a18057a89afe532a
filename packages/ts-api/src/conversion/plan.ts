// What is to become of each global statistic of a model.

import { TlscError } from '../errors.js';
import { lowestMixedOpset } from '../functions/body.js';
import { type Model, opsetOf } from '../graph/model.js';
import { labelOf } from '../graph/proto.js';
import { isMatch, isRefusal, type Match, type Rule } from '../rewrite/rule.js';
import { showSize } from '../size.js';
import { type Finding, standing } from './analysis.js';
import type { Choice, NamePattern } from './choice.js';
import type { Site } from './record.js';
import { type ConversionSizes, maxStrideFor, windowFor } from './sizes.js';

/** A global statistic that stays as it is. */
export interface KeptStatistic {
  readonly node: string;
  readonly reason: string;
}

export interface Rewrite {
  readonly match: Match;
  readonly site: Site;
}

export interface Plan {
  readonly rewrites: Rewrite[];
  readonly kept: KeptStatistic[];
}

/** Why a statistic stays global by the caller's choice; undefined for one that was chosen. */
function whyLeft(label: string, { include, exclude }: Choice): string | undefined {
  const matches = (pattern: NamePattern) => pattern.matches(label);
  const excluding = exclude.find(matches);
  if (excluding) return `left global: it is excluded by ${excluding.shown}`;
  return !include || include.some(matches) ? undefined : 'left global: it is not among those included';
}

/** Throws ERR_INVALID_ARGUMENT for a pattern that no statistic goes by: most likely a typo. */
function checkPatterns(
  own: readonly Finding[],
  all: readonly Finding[],
  { include = [], exclude }: Choice,
  name: string,
): void {
  const labels = own.map(({ node }) => labelOf(node));
  for (const [parameter, patterns] of [
    ['include', include],
    ['exclude', exclude],
  ] as const) {
    for (const { shown, matches } of patterns) {
      if (labels.some(matches)) continue;
      const known = labels.length > 0 ? `it has ${labels.join(', ')}` : 'it has none';
      const part = all.find(({ node }) => matches(labelOf(node)));
      const message = part?.partOf
        ? `${parameter}: ${labelOf(part.node)} goes with ${labelOf(part.partOf.node)}, which it is part of; choose that`
        : `${parameter}: ${shown} is no global statistic of ${name} (* stands for any characters); ${known}`;
      throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter, received: shown });
    }
  }
}

/** What to do at each site. Nothing is edited before every site is known to be possible. */
export function planRewrites(findings: readonly Finding[], choice: Choice, model: Model, name: string): Plan {
  const own = standing(findings, ({ node }) => whyLeft(labelOf(node), choice) !== undefined);
  checkPatterns(own, findings, choice, name);
  const plan: Plan = { rewrites: [], kept: [] };
  const refusals: string[] = [];
  for (const { node, rule, answer, partOf } of own) {
    const label = labelOf(node);
    const left = whyLeft(label, choice);
    if (left !== undefined) plan.kept.push({ node: label, reason: left });
    else if (isRefusal(answer) && partOf)
      plan.kept.push({
        node: label,
        reason: `left global with ${labelOf(partOf.node)}, which it is part of`,
      });
    else if (isRefusal(answer)) refusals.push(`${label}: ${answer.reason}`);
    else if (!isMatch(answer)) plan.kept.push({ node: label, reason: answer.kept });
    else plan.rewrites.push({ match: answer, site: siteOf(label, rule, answer, choice) });
  }
  if (opsetOf(model) < lowestMixedOpset) refusals.push(...refuseMixedTypes(plan.rewrites));
  if (refusals.length === 0) return plan;
  const count = refusals.length === 1 ? 'a global statistic' : `${refusals.length} global statistics`;
  const message = `${name} has ${count} that cannot be made local:\n  ${refusals.join('\n  ')}`;
  throw new TlscError('ERR_NOT_LOCALIZABLE', message);
}

/** A refusal for every node that wants a function in another type than the first node that wants it. */
function refuseMixedTypes(rewrites: readonly Rewrite[]): string[] {
  return rewrites.flatMap(({ match, site }) => {
    for (const operator of match.operators) {
      const first = rewrites.find((other) => other.match.operators.includes(operator));
      if (!first || first.match.type === match.type) continue;
      const types = `it is ${match.type} where ${first.site.node} is ${first.match.type}`;
      return [
        `${site.node}: ${types}; ${operator} in both takes opset ${lowestMixedOpset} (CastLike) or newer: raise it by the option opset`,
      ];
    }
    return [];
  });
}

function siteOf(node: string, rule: Rule, match: Match, { sizes, fast }: Choice): Site {
  const { featureSize, validLayers, exactOnly = false } = match;
  const window = windowFor(featureSize, sizes);
  if (window.includes(0)) {
    const plane = `its plane is ${showSize(featureSize)} at ${showSize(sizes.trainSize)}`;
    throw tooSmallBaseSize(`${node} would get a window of ${showSize(window)}: ${plane}`, sizes);
  }
  const maxStride = fast && !exactOnly ? maxStrideFor(featureSize, sizes) : undefined;
  if (maxStride?.some((stride, axis) => stride > (window[axis] ?? 0))) {
    const strides = `its samples may lie ${showSize(maxStride)} apart in fast mode`;
    throw tooSmallBaseSize(`${node} would get a window of ${showSize(window)}, but ${strides}`, sizes);
  }
  const [operator = ''] = match.operators;
  return { node, rule: rule.name, operator, featureSize, window, maxStride, validLayers };
}

function tooSmallBaseSize(what: string, { baseSize }: ConversionSizes): TlscError {
  return new TlscError('ERR_NOT_LOCALIZABLE', `${what}; use a larger baseSize`, {
    parameter: 'baseSize',
    received: showSize(baseSize),
  });
}
