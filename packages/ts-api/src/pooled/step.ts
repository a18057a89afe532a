import { labelOf, type NodeProto } from '../graph/proto.js';
import { type Refusal, type RuleContext, shapeOf } from '../rewrite/rule.js';
import type { Axes } from './axes.js';
import type { LocalForms } from './local-forms.js';
import { measuredAxes } from './starts.js';

/** A place where a pooled value meets an image, and whether the product there can repeat the borders by itself. */
export interface Meeting {
  readonly padsInProduct: boolean;
}

/** What one node makes of pooled values. */
export interface Step {
  /** Of each output that is still one value per plane, its axes; undefined for images. */
  readonly axes: readonly (Axes | undefined)[];
  /** Where it is no image any more. */
  readonly meeting?: Meeting | undefined;
  /** Whether it computes something: reshapes do not. */
  readonly isLayer: boolean;
  /** Whether padding cannot wait until behind it. */
  readonly padsFirst?: boolean | undefined;
  /** Whether it only asks for the shape. */
  readonly asks?: boolean | undefined;
  /** Puts the local step in the node's place. `valid`: its operands have the size of the valid windows. */
  write(forms: LocalForms, valid: boolean): void;
}

/** What a step is asked about. */
export interface Situation {
  readonly context: RuleContext;
  readonly node: NodeProto;
  /** The axes of a pooled value; undefined for others. */
  axesOf(value: string): Axes | undefined;
  /** Whether a value has just the planes, at both sizes, of which the pooled ones are statistics, on these two axes or this one. */
  hasPlane(value: string, axes: readonly number[]): boolean;
  /** Height and width of these planes, or how many pixels they have, in words. */
  readonly pixels: string;
  /** Whether an image has always the size of the one that was pooled. */
  isTied(value: string): boolean;
}

export type StepOf = (situation: Situation) => Step | Refusal;

export function refuse({ node }: Pick<Situation, 'node'>, why: string): Refusal {
  return { reason: `its mean feeds ${labelOf(node)} (${node.opType}), ${why}` };
}

export function notPointwise(situation: Pick<Situation, 'node'>): Refusal {
  return refuse(situation, 'which does not treat pixels one by one');
}

/** The shape of what a node reads or computes. */
export function shapeIn({ context }: Situation, value: string): readonly number[] {
  return shapeOf(context, value) ?? [];
}

/** The axes of what a node reads or computes. */
export function axesIn({ context }: Situation, value: string): Axes {
  return measuredAxes(context, value);
}

/** Whether a value is the same for all pixels, and no statistic: it has no axis that grows with the image. */
export function isUniform({ context }: Situation, value: string): boolean {
  return (
    shapeOf(context, value) !== undefined && context.growth.along(value).every((one) => one === undefined)
  );
}

/** The first operand, where it is pooled and no other is. */
export function pooledFirst(situation: Situation): { value: string; axes: Axes } | undefined {
  const [value = '', ...others] = situation.node.input;
  const axes = situation.axesOf(value);
  return axes && !others.some((other) => situation.axesOf(other)) ? { value, axes } : undefined;
}

/** A step that hands on its first operand: it only changes the axes. */
export function handOn(value: string, { node }: Situation, axes: Axes): Step {
  return {
    axes: [axes],
    isLayer: false,
    write: (forms) => forms.set(node.output[0] ?? '', forms.of(value)),
  };
}
