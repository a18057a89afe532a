// What a conversion may change in a model, said independently of the rules: everything else must be as it was.
import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Model } from '../src/graph/model.js';
import {
  type GraphProto,
  isOnnxDomain,
  type NodeProto,
  shallowCopy,
  subgraphsOf,
} from '../src/graph/proto.js';
import { placeInputName } from '../src/rewrite/places.js';
import { readsOf } from './graph-faults.js';

/** The bytes of a message as a key, fields that the schema does not know included; those in `but` are left out. */
function keyOf<S extends DescMessage>(
  schema: S,
  message: MessageShape<S>,
  but: Partial<MessageShape<S>> = {},
): string {
  return Buffer.from(toBinary(schema, Object.assign(shallowCopy(schema, message), but))).toString('latin1');
}

function keysOf<S extends DescMessage>(schema: S, messages: readonly MessageShape<S>[]): string[] {
  return messages.map((message) => keyOf(schema, message));
}

function startsWith(list: readonly string[], beginning: readonly string[]): boolean {
  return beginning.every((entry, i) => list[i] === entry);
}

/** Opset 12 tells Dropout its ratio in another way, or, for inference, not at all. */
function withoutRatios(node: NodeProto): NodeProto {
  const copy = shallowCopy(NodeProtoSchema, node);
  if (node.opType === 'Dropout' && isOnnxDomain(node.domain)) copy.attribute = [];
  for (const inner of subgraphsOf(copy)) inner.node = inner.node.map(withoutRatios);
  return copy;
}

/** Without what was not found. */
const recordKeys =
  /^tlsc.version,tlsc.train_size,tlsc.base_size,tlsc.sites(,tlsc.sides)?(,tlsc.anchor)?(,tlsc.reach)?$/;

function faultsOfHeaders(original: Model, converted: Model): string[] {
  const faults: string[] = [];
  const but = { graph: undefined, irVersion: 0n, opsetImport: [], functions: [], metadataProps: [] } as never;
  if (keyOf(ModelProtoSchema, original, but) !== keyOf(ModelProtoSchema, converted, but))
    faults.push('a field of the model has changed');
  if (converted.irVersion !== (original.irVersion < 8n ? 8n : original.irVersion))
    faults.push(`the IR version is ${converted.irVersion}`);
  const versions = original.opsetImport.map((entry) => {
    const raised = isOnnxDomain(entry.domain) && entry.version === 11n ? { version: 12n } : {};
    return keyOf(OperatorSetIdProtoSchema, entry, raised);
  });
  const imports = keysOf(OperatorSetIdProtoSchema, converted.opsetImport);
  const domains = converted.opsetImport
    .slice(versions.length)
    .map(({ domain, version }) => `${domain} ${version}`);
  if (!startsWith(imports, versions) || domains.join() !== 'tlsc 1')
    faults.push('the imported opsets have changed');
  const foreign = original.metadataProps.filter(({ key }) => !key.startsWith('tlsc.'));
  const after = keysOf(StringStringEntryProtoSchema, converted.metadataProps);
  const added = converted.metadataProps.slice(foreign.length).map(({ key }) => key);
  if (!startsWith(after, keysOf(StringStringEntryProtoSchema, foreign)) || !recordKeys.test(added.join()))
    faults.push('metadata has changed');
  const oursIn = (nodes: readonly NodeProto[]) =>
    nodes.filter(({ domain }) => domain === 'tlsc').map((node) => node.opType);
  const called = new Set(oursIn(converted.graph.node));
  for (const operator of called) {
    const body = converted.functions.find(({ domain, name }) => domain === 'tlsc' && name === operator);
    for (const inner of oursIn(body?.node ?? [])) called.add(inner);
  }
  const names = converted.functions.slice(original.functions.length).map(({ domain, name }) => {
    if (domain !== 'tlsc' || !called.has(name)) faults.push(`function ${domain}::${name} has been added`);
    return name;
  });
  const functions = keysOf(FunctionProtoSchema, converted.functions);
  if (
    !startsWith(functions, keysOf(FunctionProtoSchema, original.functions)) ||
    new Set(names).size < names.length
  )
    faults.push('functions have changed');
  return faults;
}

/** The nodes of both graphs that are in one of them only, byte for byte. */
interface Edits {
  readonly before: readonly NodeProto[];
  readonly after: readonly NodeProto[];
  /** Whether the nodes that are in both stand in the same order. */
  readonly inOrder: boolean;
}

function findEdits(original: GraphProto, converted: GraphProto): Edits {
  const [before, after] = [original.node, converted.node].map((nodes) => keysOf(NodeProtoSchema, nodes));
  const [inBefore, inAfter] = [new Set(before), new Set(after)];
  const kept = before?.filter((key) => inAfter.has(key));
  return {
    before: original.node.filter((_, i) => !inAfter.has(before?.[i] ?? '')),
    after: converted.node.filter((_, i) => !inBefore.has(after?.[i] ?? '')),
    inOrder: kept?.join() === after?.filter((key) => inBefore.has(key)).join(),
  };
}

const reshaping = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** What may go from between two nodes that stay. */
const dropped = new Set([...reshaping, 'Expand', 'Constant']);

/** What a step on the way of a mean may become besides itself: it works on one value per pixel, not per plane. */
const perPixel: Readonly<Record<string, readonly string[]>> = {
  Conv: ['Reshape'],
  Hardmax: ['Transpose'],
  LayerNormalization: ['Transpose'],
  LogSoftmax: ['Transpose'],
  MatMul: ['Transpose'],
  Shape: ['Concat'],
  Softmax: ['Transpose'],
  Tile: ['Expand'],
};

/** What gives one value per pixel where there was one per plane. */
const localMeans = new Set(['LocalAveragePool', 'LocalVariance']);

/** Statistics that are sums, or of more than planes, end in one of these. */
const endings = new Set(['Cast', 'Identity']);

/** Whether the two are one node but for what it reads. */
function isRewired(before: NodeProto, after: NodeProto): boolean {
  const but = { input: [] } as never;
  return keyOf(NodeProtoSchema, before, but) === keyOf(NodeProtoSchema, after, but);
}

/**
 * What a node has lost, or become, that it must not where `after` stands in the place of `before`. `isPooled`: it lies on the way of a
 * mean that is local now.
 */
function faultOfReplacement(
  before: NodeProto,
  after: NodeProto,
  others: readonly NodeProto[],
  isPooled: boolean,
): string | undefined {
  if (before.name !== after.name) return `has the name ${after.name}`;
  if (before.docString !== after.docString) return 'has lost its doc string';
  const metadata = keysOf(StringStringEntryProtoSchema, before.metadataProps);
  if (keysOf(StringStringEntryProtoSchema, after.metadataProps).join() !== metadata.join())
    return 'has lost metadata';
  if (isRewired(before, after)) return undefined;
  const isConv = ['Gemm', 'MatMul'].includes(before.opType) && after.opType === 'Conv';
  // Windows are reshaped to other shapes than whole images.
  const isReshape = reshaping.has(before.opType) && after.opType === 'Reshape';
  // Images with the channels last are turned to be merged, and back; where a normalization has a type of its own, so are they cast.
  const isBack = [
    ['Transpose', 'LocalWindowMerge'],
    ['Cast', 'LocalGroupNormalization'],
  ].some(
    ([back, local]) =>
      before.opType === 'Reshape' &&
      after.opType === back &&
      others.some(({ opType, output }) => opType === local && output[0] === after.input[0]),
  );
  const isEnding = isReduction(before) && endings.has(after.opType);
  // Of one slope.
  const isRelu = before.opType === 'PRelu' && after.opType === 'LeakyRelu';
  const isStep =
    isPooled && (before.opType === after.opType || perPixel[before.opType]?.includes(after.opType) === true);
  return isConv || isReshape || isBack || isEnding || isRelu || isStep || after.domain === 'tlsc'
    ? undefined
    : `has become ${after.opType}, or has other attributes`;
}

function isReduction({ opType }: NodeProto): boolean {
  return opType.startsWith('Reduce') || opType.startsWith('Global');
}

/** The values that are computed, by whatever steps, from what `edited` compute. */
function downstreamOf(graph: GraphProto, edited: readonly NodeProto[]): Set<string> {
  const values = new Set(edited.flatMap(({ output }) => output));
  for (const node of graph.node)
    if (readsOf(node).some((name) => values.has(name))) for (const name of node.output) values.add(name);
  return values;
}

/**
 * What is computed of these values and of what is the same for all images (constants, and shapes): where something else joins in, the
 * means have met an image.
 */
function perPlaneFrom(graph: GraphProto, seeds: readonly string[]): Set<string> {
  const same = new Set(['', ...graph.initializer.map(({ name }) => name)]);
  const values = new Set(seeds);
  for (const node of graph.node) {
    const reads = readsOf(node);
    const isSame = node.opType === 'Shape' || reads.every((name) => same.has(name));
    const isPooled =
      reads.some((name) => values.has(name)) && reads.every((name) => values.has(name) || same.has(name));
    for (const name of node.output) {
      if (isPooled) values.add(name);
      else if (isSame) same.add(name);
    }
  }
  return values;
}

function namesIn(graph: GraphProto): Set<string> {
  return new Set([
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.sparseInitializer.map(({ values }) => values?.name ?? ''),
    ...graph.node.flatMap(({ output }) => output),
  ]);
}

/** Both graphs, and what follows from how they differ. */
interface Comparison extends Edits {
  readonly original: GraphProto;
  readonly converted: GraphProto;
  /** What the converted graph reads or hands out. */
  readonly read: ReadonlySet<string>;
  /** Whether a value may go: something that was edited needed it, and nothing does now. */
  isFree(name: string): boolean;
}

function compareGraphs(original: GraphProto, converted: GraphProto): Comparison {
  const edits = findEdits(original, converted);
  const parameters = converted.quantizationAnnotation.flatMap((entry) => entry.quantParameterTensorNames);
  const read = new Set([
    ...converted.node.flatMap(readsOf),
    ...converted.output.map(({ name }) => name),
    ...parameters.map(({ value }) => value),
  ]);
  const readByEdited = new Set(edits.before.flatMap(readsOf));
  const isFree = (name: string) => readByEdited.has(name) && !read.has(name);
  return { ...edits, original, converted, read, isFree };
}

function faultsOfNodes({ before, after, inOrder, read, isFree, original, converted }: Comparison): string[] {
  const faults = inOrder ? [] : ['nodes have changed places'];
  const rewired = before.filter((node) => after.some((other) => isRewired(node, other)));
  // The shape that something is given anew may have been computed by anything.
  const isSized = ({ opType }: NodeProto) => reshaping.has(opType) || opType === 'Tile';
  const readByRewired = new Set(
    rewired.flatMap((node) => (isSized(node) ? node.input.slice(0, 1) : readsOf(node))),
  );
  const readBefore = new Set([...original.node.flatMap(readsOf), ...original.output.map(({ name }) => name)]);
  const cut = new Set(
    after.flatMap(({ opType, input }) => (opType === 'LocalWindowPartition' ? input.slice(0, 1) : [])),
  );
  const local = perPlaneFrom(
    converted,
    after.filter(({ opType }) => localMeans.has(opType)).flatMap(({ output }) => output),
  );
  const pooled = perPlaneFrom(original, [...local]);
  const isPooled = ({ input }: NodeProto) => input.some((name) => pooled.has(name));
  /**
   * Whether a node may go: who stays and reads something else now has lost nothing but a reshape or a constant, or the turn of an
   * image that is cut into windows first.
   */
  const mayGo = (node: NodeProto) => {
    const { opType, input, output } = node;
    const isTurn = opType === 'Transpose' && cut.has(input[0] ?? '');
    const isDropped = dropped.has(opType) || isTurn || !output.some((name) => readByRewired.has(name));
    const isUseless = output.every((name) => !readBefore.has(name) || isFree(name));
    return (isDropped || isPooled(node)) && isUseless && output.some(isFree);
  };
  for (const node of before) {
    // Outputs that nobody reads may go.
    const outputs = node.output.filter((name, i) => i === 0 || read.has(name));
    const replacement = after.find(
      ({ output }) => output.join() === node.output.join() || output.join() === outputs.join(),
    );
    // A local operator may stand where the last of several nodes stood; it goes by the name of the one that it localizes.
    const named = before.find(({ name }) => name !== '' && name === replacement?.name);
    const noted = replacement?.domain === 'tlsc' ? (named ?? node) : node;
    const fault = replacement && faultOfReplacement(noted, replacement, after, isPooled(node));
    const where = `node ${node.opType} of ${node.output[0]}`;
    if (fault) faults.push(`${where} ${fault}`);
    if (!replacement && !mayGo(node)) faults.push(`${where} is missing`);
  }
  const computedBefore = new Set(before.flatMap(({ output }) => output));
  for (const { opType, output } of after)
    if (!output.some((name) => read.has(name) || computedBefore.has(name)))
      faults.push(`node ${opType} of ${output[0]} serves nothing`);
  return faults;
}

function faultsOfInitializers({ original, converted, read, isFree }: Comparison): string[] {
  const faults: string[] = [];
  const kept = new Map(
    converted.initializer.map((tensor) => [tensor.name, keyOf(TensorProtoSchema, tensor)]),
  );
  for (const tensor of original.initializer) {
    const key = kept.get(tensor.name);
    if (key === undefined && !isFree(tensor.name)) faults.push(`initializer ${tensor.name} is missing`);
    if (key !== undefined && key !== keyOf(TensorProtoSchema, tensor))
      faults.push(`initializer ${tensor.name} has changed`);
  }
  const old = namesIn(original);
  for (const { name } of converted.initializer)
    if (!old.has(name) && !read.has(name)) faults.push(`initializer ${name} serves nothing`);
  return faults;
}

function faultsOfAnnotations({ original, converted, after }: Comparison): string[] {
  const faults: string[] = [];
  const names = namesIn(converted);
  const mayHaveChanged = downstreamOf(converted, after);
  const infos = new Map(converted.valueInfo.map((info) => [info.name, keyOf(ValueInfoProtoSchema, info)]));
  for (const info of original.valueInfo) {
    const key = infos.get(info.name);
    const isStale = !names.has(info.name) || mayHaveChanged.has(info.name);
    if (key === undefined ? !isStale : key !== keyOf(ValueInfoProtoSchema, info))
      faults.push(`the type of ${info.name} is missing or has changed`);
  }
  const annotations = new Set(keysOf(TensorAnnotationSchema, converted.quantizationAnnotation));
  for (const annotation of original.quantizationAnnotation)
    if (names.has(annotation.tensorName) && !annotations.has(keyOf(TensorAnnotationSchema, annotation)))
      faults.push(`the quantization of ${annotation.tensorName} is missing or has changed`);
  return faults;
}

function faultsOfContents(original: GraphProto, converted: GraphProto): string[] {
  const comparison = compareGraphs(original, converted);
  const faults = [
    ...faultsOfNodes(comparison),
    ...faultsOfInitializers(comparison),
    ...faultsOfAnnotations(comparison),
  ];
  const but = { node: [], initializer: [], valueInfo: [], quantizationAnnotation: [] } as never;
  // The place of a piece is asked for where windows are cut, and nowhere else.
  const cuts = converted.node.some(({ opType }) =>
    /^Local(WindowPartition|TransposedAttention)/.test(opType),
  );
  const input = cuts ? converted.input.filter(({ name }) => name !== placeInputName) : converted.input;
  const plain = { ...(but as object), input } as never;
  if (keyOf(GraphProtoSchema, original, but) !== keyOf(GraphProtoSchema, converted, plain))
    faults.push('a field of the graph has changed');
  return faults;
}

/** Everything that the conversion has changed or dropped and must not, and everything it has added that serves nothing. */
export function changesIn(original: Model, converted: Model): string[] {
  const graph = shallowCopy(GraphProtoSchema, original.graph);
  if (original.opsetImport.some(({ domain, version }) => isOnnxDomain(domain) && version === 11n))
    graph.node = graph.node.map(withoutRatios);
  return [...faultsOfHeaders(original, converted), ...faultsOfContents(graph, converted.graph)];
}
