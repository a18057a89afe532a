// What puts two halves of channels together again.
import { isOnnxDomain, type NodeProto, textOf } from '../graph/proto.js';
import { halvesOf } from './channel-parts.js';
import { numberIn } from './constants.js';
import { type FusionContext, isReadBy } from './context.js';

export type GateKind = 'product' | 'gelu';

/** A gate behind a value. */
export interface Gate {
  readonly kind: GateKind;
  /** The product. */
  readonly node: NodeProto;
}

function isOp(node: NodeProto | undefined, opType: string): node is NodeProto {
  return node !== undefined && isOnnxDomain(node.domain) && node.opType === opType;
}

/** Numbers in float16 are off by as much. */
const tolerance = 1e-3;

/** A factor of a product: one half, or a value. */
type Factor = { readonly isHalf: true } | { readonly isHalf: false; readonly value: string };

/** Matches the parts of a GELU: x · Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2, however the factors are put together. */
class GeluMatcher {
  constructor(
    readonly context: FusionContext,
    readonly x: string,
  ) {}

  #isNumber(value: string, expected: number): boolean {
    return Math.abs((numberIn(this.context, value) ?? Number.NaN) - expected) < tolerance;
  }

  /** What the node computes its product with besides this number. */
  #without(node: NodeProto | undefined, number: number): string | undefined {
    if (isOp(node, 'Div') && this.#isNumber(node.input[1] ?? '', 1 / number)) return node.input[0];
    if (!isOp(node, 'Mul')) return undefined;
    const at = node.input.findIndex((value) => this.#isNumber(value, number));
    return at < 0 ? undefined : node.input[1 - at];
  }

  /** Whether it is 1 + erf(x / √2). */
  #isTwicePart(value: string): boolean {
    const { graph } = this.context;
    const sum = graph.producer(value);
    if (!isOp(sum, 'Add')) return false;
    const at = sum.input.findIndex((one) => this.#isNumber(one, 1));
    const error = at < 0 ? undefined : graph.producer(sum.input[1 - at] ?? '');
    const inner = isOp(error, 'Erf') ? graph.producer(error.input[0] ?? '') : undefined;
    return this.#without(inner, Math.SQRT1_2) === this.x;
  }

  /** What is multiplied, through so many products at most. */
  #factors(value: string, left: number): Factor[] {
    const node = this.context.graph.producer(value);
    const itself = { isHalf: false, value } as const;
    if (value === this.x || left === 0 || !node) return [itself];
    const others = this.#without(node, 0.5);
    if (others !== undefined) return [{ isHalf: true }, ...this.#factors(others, left - 1)];
    if (!isOp(node, 'Mul')) return [itself];
    return node.input.flatMap((one) => this.#factors(one, left - 1));
  }

  /** Whether it is the GELU of x. */
  matches(value: string): boolean {
    const node = this.context.graph.producer(value);
    if (isOp(node, 'Gelu')) return node.input[0] === this.x && textOf(node, 'approximate') !== 'tanh';
    const factors = this.#factors(value, 3);
    const values = factors.flatMap((factor) => (factor.isHalf ? [] : [factor.value]));
    const [part, ...more] = values.filter((one) => one !== this.x);
    return (
      factors.length === 3 &&
      values.length === 2 &&
      more.length === 0 &&
      part !== undefined &&
      this.#isTwicePart(part)
    );
  }
}

/** As many nodes as a GELU is written in, and some more. */
const mostBetween = 16;

/** The product of the halves of a value's channels, of the first or its GELU with the second; undefined where there is none. */
export function gateBehind(context: FusionContext, value: string): Gate | undefined {
  const { graph } = context;
  const halves = halvesOf(context, value);
  if (!halves) return undefined;
  const [first, second] = halves;
  const node = graph.consumers(second).find((one) => isOp(one, 'Mul'));
  const other = node?.input.find((one) => one !== second);
  if (!node || other === undefined || graph.consumers(second).length > 1) return undefined;
  if (other === first) return isReadBy(context, first, [node]) ? { kind: 'product', node } : undefined;
  const isGelu = new GeluMatcher(context, first).matches(other);
  const inner = isGelu ? between(context, first, other) : undefined;
  return inner && isReadBy(context, first, inner) && isReadBy(context, other, [node])
    ? { kind: 'gelu', node }
    : undefined;
}

/** The nodes that compute `to` of `from`, if nothing else reads what they compute on the way. */
function between(context: FusionContext, from: string, to: string): NodeProto[] | undefined {
  const { graph } = context;
  const found: NodeProto[] = [];
  const waiting = [to];
  for (const value of waiting) {
    const node = graph.producer(value);
    if (value === from || graph.constant(value) || !node) continue;
    if (found.length === mostBetween) return undefined;
    if (!found.includes(node)) found.push(node);
    waiting.push(...node.input.filter((input) => !waiting.includes(input)));
  }
  const isInner = (value: string) => value === to || isReadBy(context, value, found);
  return found.every(({ output }) => output.every(isInner)) ? found : undefined;
}
