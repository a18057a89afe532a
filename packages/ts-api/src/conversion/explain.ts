// Why a node is converted, or is not: what each rule says of it.

import { TlscError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../graph/model.js';
import { labelOf, type NodeProto } from '../graph/proto.js';
import { type Answer, isMatch, isRefusal } from '../rewrite/rule.js';
import { rules } from '../rules/index.js';
import { showSize } from '../size.js';
import { type Finding, graphsOf } from './analysis.js';

/** What one rule says of a node. */
export interface Verdict {
  readonly rule: string;
  /** 'passes': the node is none of the rule's business. */
  readonly outcome: 'converts' | 'keeps' | 'refuses' | 'passes';
  readonly reason: string;
}

export interface Explanation {
  readonly node: string;
  readonly opType: string;
  /** One for each rule. */
  readonly verdicts: readonly Verdict[];
}

interface Place {
  readonly graph: Graph;
  readonly node: NodeProto;
}

/** The node of that name, or that computes the value of that name, wherever in the model. */
function findNode(model: Model, name: string): Place | undefined {
  const places = graphsOf(model).flatMap((graph) => graph.nodes.map((node) => ({ graph, node })));
  return (
    places.find(({ node }) => labelOf(node) === name) ?? places.find(({ node }) => node.output.includes(name))
  );
}

function verdictOf(answer: Answer): Omit<Verdict, 'rule'> {
  if (isRefusal(answer)) return { outcome: 'refuses', reason: answer.reason };
  if (!isMatch(answer)) return { outcome: 'keeps', reason: answer.kept };
  const { operators, featureSize } = answer;
  const reason = `its plane is ${showSize(featureSize)}; it becomes ${operators.join(' … ')}`;
  return { outcome: 'converts', reason };
}

/**
 * What each rule says of the node named `name`, given what was found in the model. Throws ERR_INVALID_ARGUMENT when there is no
 * such node.
 */
export function explain(
  model: Model,
  findings: readonly Finding[],
  name: string,
  modelName: string,
): Explanation {
  const place = findNode(model, name);
  if (!place) {
    const message = `explain: ${modelName} has no node named ${name}, and none that computes ${name}`;
    throw new TlscError('ERR_INVALID_ARGUMENT', message, { parameter: 'explain', received: name });
  }
  const { graph, node } = place;
  const found = findings.find((finding) => finding.node === node);
  const around = findings.find(({ answer }) => answer.covers?.has(node));
  const own = around ? undefined : found;
  const other = own && `${own.rule.name} answers for this`;
  const part = around && `this is part of ${labelOf(around.node)}`;
  const why = other ?? part ?? 'shapes show that this is none';
  const verdicts = rules.map((rule): Verdict => {
    if (own?.rule === rule) return { rule: rule.name, ...verdictOf(own.answer) };
    if (around?.rule === rule) {
      const { outcome, reason } = verdictOf(around.answer);
      return { rule: rule.name, outcome, reason: `as part of ${labelOf(around.node)}: ${reason}` };
    }
    const looks = `it looks for ${rule.seeks}`;
    const reason = rule.recognizes(graph, node) ? `${looks}; ${why}` : looks;
    return { rule: rule.name, outcome: 'passes', reason };
  });
  return { node: labelOf(node), opType: node.opType, verdicts };
}
