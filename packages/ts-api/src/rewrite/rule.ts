import type { Graph } from '../graph/graph.js';
import type { Shapes } from '../graph/measure.js';
import type { NodeProto } from '../graph/proto.js';
import type { Size } from '../size.js';

/** Why a node is not rewritten; starts in lower case, to follow the node's name. */
export interface Refusal {
  readonly reason: string;
}

/** A node that can be made local, and all that making it so needs. */
export interface Match {
  /** Height and width of the plane that the statistic is taken over, at the size measured. */
  readonly featureSize: Size;
  /** Puts the local operator, with this window, in the node's place. */
  rewrite(window: Size): void;
}

/** What a rule sees: the graph, and the shapes of its values at one image size. */
export interface RuleContext {
  readonly graph: Graph;
  readonly shapes: Shapes;
}

/** How one kind of global statistic becomes local. Asks, and edits nothing until `Match.rewrite`. */
export interface Rule {
  readonly name: string;
  /** The operator (and function) of domain `tlsc` that it puts in place; undefined when it only ever refuses. */
  readonly operator: string | undefined;
  /** Whether the node looks like a statistic of this kind, going by operators and attributes alone. */
  recognizes(graph: Graph, node: NodeProto): boolean;
  /** What can be done about a recognised node; undefined when its shapes show that it is no global statistic. */
  check(context: RuleContext, node: NodeProto): Match | Refusal | undefined;
}

export function isRefusal(answer: Match | Refusal): answer is Refusal {
  return 'reason' in answer;
}
