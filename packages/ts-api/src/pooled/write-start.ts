// Puts the local mean of an image in the place of a statistic of its planes.
import { DataType, makeNode } from '../graph/proto.js';
import { type LocalWindow, type RuleContext, windowAttributes } from '../rewrite/rule.js';
import { isAxesInput } from './along-axes.js';
import { type Axes, single } from './axes.js';
import type { LocalForm, LocalForms } from './local-forms.js';
import { planesOf } from './planes.js';
import { isMean, type Start } from './starts.js';

/** All axes but the first in one, which is what local operators take. */
function asImage(lead: Axes): Axes {
  const [first = single, ...others] = lead;
  if (lead.length === 1 && !first.isBatch) return [single, first];
  return [first, { size: others.reduce((product, { size }) => product * size, 1), isBatch: false }];
}

/** Writes what a start computes, as the local form of its output. */
class StartWriter {
  constructor(
    readonly context: RuleContext,
    readonly forms: LocalForms,
    readonly start: Start,
    readonly window: LocalWindow,
    readonly valid: boolean,
  ) {}

  write(): void {
    const { node, kind } = this.start;
    const [output = ''] = node.output;
    const { graph } = this.context;
    const { name: planes, lead } = planesOf(this.context, this.forms, this.start, node);
    const name = this.#isWidened() ? this.#cast(planes, DataType.FLOAT) : planes;
    const image = { name: this.forms.reform(name, lead, asImage(lead), node), lead: asImage(lead) };
    const isPlain = isMean(kind) && this.#others(lead).length === 0;
    if (isPlain) {
      graph.replace(node, this.#pool(image.name, node.output, node.name));
      this.forms.set(output, { name: output, lead: image.lead });
      return;
    }
    const made = this.#sums(image);
    const whole = { name: this.forms.reform(made, image.lead, lead, node), lead };
    const last = kind === 'variance' ? this.#totalVariance(whole, image) : this.#acrossOthers(whole);
    const value = kind === 'norm' ? graph.insertBefore(node, last.name, 'Sqrt', [last.name]) : last.name;
    const [opType, attributes] = this.#isWidened()
      ? (['Cast', { to: DataType.FLOAT16 }] as const)
      : (['Identity', {}] as const);
    graph.replace(node, makeNode(opType, [value], node.output, { name: node.name, attributes }));
    this.forms.set(output, { name: output, lead: last.lead });
  }

  /** Halves have no room for squares, and sums. */
  #isWidened(): boolean {
    const { node, kind } = this.start;
    const isHalf = this.context.types.get(node.input[0] ?? '') === 'float16';
    return isHalf && !isMean(kind);
  }

  #cast(value: string, to: DataType): string {
    return this.context.graph.insertBefore(this.start.node, value, 'Cast', [value], { attributes: { to } });
  }

  #pool(image: string, output: readonly string[], name: string) {
    const isVariance = this.start.kind === 'variance';
    const padding = isVariance ? {} : { replicate: this.valid ? 0 : 1 };
    const attributes = { ...windowAttributes(this.window), ...padding };
    const options = { domain: 'tlsc', name, attributes };
    return makeNode(isVariance ? 'LocalVariance' : 'LocalAveragePool', [image], output, options);
  }

  /** Which of the axes in front of the plane are reduced, too. */
  #others(lead: Axes): number[] {
    const { axes, places, plane } = this.start;
    const front = axes.map((_, i) => i).filter((i) => !plane.includes(i as never));
    return lead.flatMap((_, at) => (places.includes(front[at] ?? -1) ? [at] : []));
  }

  /** The mean over the windows, times their pixels where it is the sum that is wanted. */
  #sums({ name, lead }: LocalForm): string {
    const { node, kind } = this.start;
    const insert = (opType: string, input: readonly string[]) =>
      this.context.graph.insertBefore(node, name, opType, input);
    const isSquared = kind === 'norm' || kind === 'sum of squares';
    const image = isSquared
      ? insert('Mul', [name, name])
      : kind === 'sum of magnitudes'
        ? insert('Abs', [name])
        : name;
    const pool = this.#pool(
      image,
      [this.context.graph.freeName(name)],
      this.context.graph.freeName(`${node.name || name}_mean`),
    );
    this.context.graph.insert(node, pool);
    const [means = ''] = pool.output;
    if (isMean(kind) || this.start.divisions) return means;
    // The pixels of a window: on a smaller plane it is the plane.
    const plane = this.forms.planeOf(name, lead.length, node);
    const window = this.context.graph.addIntegers(`${name}_window`, this.window.window);
    const pixels = insert('ReduceProd', [insert('Min', [plane, window])]);
    const count = this.context.graph.insertBefore(node, name, 'Cast', [pixels], {
      attributes: { to: DataType.FLOAT },
    });
    return insert('Mul', [means, count]);
  }

  #acrossOthers(form: LocalForm): LocalForm {
    const { kind, divisions } = this.start;
    return this.#reduce(form, isMean(kind) || divisions ? 'ReduceMean' : 'ReduceSum');
  }

  #reduce(form: LocalForm, opType: 'ReduceMean' | 'ReduceSum'): LocalForm {
    const { node } = this.start;
    const others = this.#others(form.lead);
    if (others.length === 0) return form;
    const { graph, opset } = this.context;
    const isInput = isAxesInput(opset, { opType });
    const input = isInput ? [form.name, graph.addIntegers(`${form.name}_axes`, others)] : [form.name];
    const attributes = { keepdims: 1, ...(isInput ? {} : { axes: others }) };
    const name = graph.insertBefore(node, form.name, opType, input, { attributes });
    return { name, lead: form.lead.map((axis, i) => (others.includes(i) ? single : axis)) };
  }

  /** Over channels, too: the mean of the planes' variances, and the variance of their means. */
  #totalVariance(variances: LocalForm, image: LocalForm): LocalForm {
    const { node } = this.start;
    const { graph } = this.context;
    const within = this.#reduce(variances, 'ReduceMean');
    const attributes = { ...windowAttributes(this.window), replicate: 1 };
    const pooled = graph.insertBefore(node, image.name, 'LocalAveragePool', [image.name], {
      domain: 'tlsc',
      attributes,
    });
    const means = { name: this.forms.reform(pooled, image.lead, variances.lead, node), lead: variances.lead };
    const insert = (opType: string, input: readonly string[]) =>
      graph.insertBefore(node, image.name, opType, input);
    const off = insert('Sub', [means.name, this.#reduce(means, 'ReduceMean').name]);
    const between = this.#reduce({ ...means, name: insert('Mul', [off, off]) }, 'ReduceMean');
    return { ...within, name: insert('Add', [within.name, between.name]) };
  }
}

export function writeStart(
  context: RuleContext,
  forms: LocalForms,
  start: Start,
  window: LocalWindow,
  valid: boolean,
): void {
  new StartWriter(context, forms, start, window, valid).write();
}
