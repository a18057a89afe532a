import type { ConvertOptions } from './conversion/choice.js';
import type { Site } from './conversion/record.js';
import { convert } from './convert.js';
import { invalidArgument } from './errors.js';
import { domain } from './functions/body.js';
import { encodeModel, loadModel, type Model, type ModelSource, opsetOf } from './graph/model.js';
import {
  DataType,
  intOf,
  intsOf,
  isOnnxDomain,
  makeNode,
  makeTensorInfo,
  type NodeProto,
} from './graph/proto.js';
import { ObservingNodes } from './observation/observing-nodes.js';
import { isBoolean } from './options.js';

export interface ObserveOptions extends Omit<ConvertOptions, 'fast' | 'fuse' | 'opset'> {
  /** Whether statistics are those of whole planes, as in the original, and not local. Default: false. */
  readonly whole?: boolean;
}

/** A statistic that is shown, and the outputs that do: float32, [samples, groups], of one image. */
export interface ObservedSite extends Pick<Site, 'node' | 'operator'> {
  /** Means of channels, or of groups of them; of attention its scores, as they are multiplied. */
  readonly mean: string;
  /** Standard deviations, where they are taken. */
  readonly deviation: string | undefined;
}

/** A converted model that hands out its statistics beside its outputs; it runs on tlsc's kernels alone. */
export interface ObservedModel {
  readonly model: Uint8Array;
  readonly externalDataFolder: string | undefined;
  readonly sites: readonly ObservedSite[];
  /** Statistics that are taken in more than one step, and not shown: the names of their nodes. */
  readonly unseen: readonly string[];
}

/** Longer than any side. */
const wholeSide = 2n ** 30n;

/** Nodes without a name get one, by which they are found again when they have been converted. */
function nameNodes({ graph }: Model): void {
  const taken = new Set(graph.node.map(({ name }) => name));
  for (const [i, node] of graph.node.entries()) {
    if (node.name !== '') continue;
    const [output = ''] = node.output;
    node.name = output === '' || taken.has(output) ? `tlsc_${node.opType}_${i}` : output;
    taken.add(node.name);
  }
}

function openWindows({ graph }: Model): void {
  for (const { attribute } of graph.node.filter((node) => node.domain === domain)) {
    for (const one of attribute) if (one.name === 'kernel_shape') one.ints = one.ints.map(() => wholeSide);
  }
}

/** Has a model show a site's statistics; undefined where they are taken in more than one step. */
function show(model: Model, { node, operator }: Site, index: number): ObservedSite | undefined {
  const nodes = new ObservingNodes(`tlsc_observed_${index}`, opsetOf(model));
  const output = (what: string, value: string) => {
    const name = `tlsc_${what}_${index}`;
    nodes.made.push(makeNode('Cast', [value], [name], { attributes: { to: DataType.FLOAT } }));
    model.graph.output.push(makeTensorInfo(name, DataType.FLOAT, [undefined, undefined]));
    return name;
  };
  const find = (fits: (one: NodeProto) => boolean) =>
    model.graph.node.find((one) => one.name === node && fits(one));
  const outputs = () => {
    if (operator === 'LocalWindowPartition') {
      const product = find((one) => isOnnxDomain(one.domain) && /^(MatMul|Einsum)$/.test(one.opType));
      if (!product) return undefined;
      return { mean: output('mean', nodes.scores(product.output[0] ?? '')), deviation: undefined };
    }
    const own = find((one) => one.domain === domain && one.opType === operator);
    if (!own) return undefined;
    const window = intsOf(own, 'kernel_shape') ?? [];
    const { mean, deviation } = nodes.windowStatistics(
      own.input[0] ?? '',
      window,
      intOf(own, 'num_groups', 0),
    );
    const isMean = operator === 'LocalAveragePool';
    return { mean: output('mean', mean), deviation: isMean ? undefined : output('deviation', deviation) };
  };
  const shown = outputs();
  model.graph.node.push(...nodes.made);
  return shown && { node, operator, ...shown };
}

/** The work of `background/index.ts`'s `observe`, on the thread that calls it. */
export async function observe(source: ModelSource, options: ObserveOptions): Promise<ObservedModel> {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { whole = false, ...others } = options;
  if (!isBoolean(whole)) throw invalidArgument('whole', 'true or false', whole);
  const { model: original } = await loadModel(source, options.externalDataFolder);
  const { externalDataFolder } = original;
  nameNodes(original);
  const conversion = await convert(encodeModel(original), { ...others, externalDataFolder, fuse: false });
  const { model } = await loadModel(conversion.model, externalDataFolder);
  if (whole) openWindows(model);
  const shown = conversion.report.sites.map((site, i) => show(model, site, i) ?? site.node);
  return {
    model: encodeModel(model),
    externalDataFolder,
    sites: shown.filter((site) => typeof site !== 'string'),
    unseen: shown.filter((site) => typeof site === 'string'),
  };
}
