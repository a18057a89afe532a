// Calls of the model's own functions, replaced by what the functions do. PyTorch's dynamo exporter writes whole networks as
// functions in functions.
import { create } from '@bufbuild/protobuf';
import { AttributeProtoSchema, GraphProtoSchema, ModelProtoSchema, OperatorSetIdProtoSchema } from 'onnx-buf';
import { TlscError } from '../errors.js';
import type { Model } from './model.js';
import {
  type AttributeProto,
  allOf,
  attributeOf,
  type FunctionProto,
  type GraphProto,
  isOnnxDomain,
  makeNode,
  type NodeProto,
  shallowCopy,
} from './proto.js';
import { GraphNames, Scope, withSubgraphs } from './renaming.js';

function normalDomain(domain: string): string {
  return isOnnxDomain(domain) ? '' : domain;
}

/** What a call names its function by. */
function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([normalDomain(domain), name, overload]);
}

type Functions = ReadonlyMap<string, FunctionProto>;

function functionsOf(model: Model): Functions {
  return new Map(model.functions.map((one) => [keyOf(one.domain, one.name, one.overload), one]));
}

function calledBy(functions: Functions, node: NodeProto): FunctionProto | undefined {
  return functions.get(keyOf(node.domain, node.opType, node.overload));
}

/** The functions that the nodes call, directly and through others. */
function calledFrom(functions: Functions, nodes: readonly NodeProto[]): Set<FunctionProto> {
  const found = new Set<FunctionProto>();
  const waiting = [nodes];
  for (let some = waiting.pop(); some; some = waiting.pop()) {
    for (const node of allOf(some)) {
      const called = calledBy(functions, node);
      if (!called || found.has(called)) continue;
      found.add(called);
      waiting.push(called.node);
    }
  }
  return found;
}

class Inliner {
  readonly #functions: Functions;
  readonly #names: GraphNames;
  readonly #modelName: string;
  readonly #calls = new Map<FunctionProto, number>();

  constructor(model: Model, functions: Functions, modelName: string) {
    this.#functions = functions;
    this.#names = new GraphNames(model.graph);
    this.#modelName = modelName;
    // What is said of the types in a function holds where there is one call of it; the next one may be of another type.
    const bodies = [...calledFrom(functions, model.graph.node)].map(({ node }) => node);
    for (const node of [model.graph.node, ...bodies].flatMap(allOf)) {
      const called = calledBy(functions, node);
      if (called) this.#calls.set(called, (this.#calls.get(called) ?? 0) + 1);
    }
  }

  /** The graph without calls. */
  inline(graph: GraphProto): GraphProto {
    const copy = shallowCopy(GraphProtoSchema, graph);
    copy.valueInfo = [...graph.valueInfo];
    copy.node = this.#inlineAll(graph.node, copy);
    return copy;
  }

  #inlineAll(nodes: readonly NodeProto[], graph: GraphProto): NodeProto[] {
    return nodes.flatMap((node) => {
      const called = calledBy(this.#functions, node);
      if (called) return this.#inlineAll(this.#bodyOf(node, called, graph), graph);
      const isBare = calledFrom(this.#functions, [node]).size === 0;
      return isBare ? [node] : [withSubgraphs(node, (inner) => this.inline(inner))];
    });
  }

  /** What one call does, in the names of the graph that the call is in. */
  #bodyOf(call: NodeProto, called: FunctionProto, graph: GraphProto): NodeProto[] {
    const scope = new Scope(this.#names, call.name || call.opType, (value) => {
      throw this.#invalid(called, `reads ${value}, which it does not compute`);
    });
    for (const [i, value] of called.input.entries()) scope.bind(value, call.input[i] ?? '');
    const handedOn: NodeProto[] = [];
    for (const [i, value] of called.output.entries()) {
      const output = call.output[i];
      if (!output) continue;
      // An input that is handed out, and a value that is handed out twice, are computed under other names.
      if (scope.has(value)) handedOn.push(makeNode('Identity', [scope.resolve(value)], [output]));
      else scope.bind(value, output);
    }
    const substitute = (attribute: AttributeProto) => substituted(attribute, call, called);
    const nodes = called.node.map((node) => withNotesOf(call, scope.moveNode(node, substitute)));
    for (const node of handedOn) node.name = scope.nodeName(node);
    if (this.#calls.get(called) === 1) {
      const known = new Set([...graph.input, ...graph.output, ...graph.valueInfo].map(({ name }) => name));
      const infos = called.valueInfo
        .filter(({ name }) => scope.has(name))
        .map((info) => scope.moveInfo(info));
      const computed = new Set(nodes.flatMap(({ output }) => output));
      for (const info of infos)
        if (computed.has(info.name) && !known.has(info.name)) graph.valueInfo.push(info);
    }
    return [...nodes, ...handedOn];
  }

  #invalid(called: FunctionProto, what: string): TlscError {
    return new TlscError('ERR_INVALID_MODEL', `function ${called.name} of ${this.#modelName} ${what}`);
  }
}

/** The caller's attribute, else the function's default, in the place of a reference; nothing where there is neither. */
function substituted(
  attribute: AttributeProto,
  call: NodeProto,
  called: FunctionProto,
): AttributeProto | undefined {
  const { refAttrName } = attribute;
  if (refAttrName === '') return attribute;
  const given =
    attributeOf(call, refAttrName) ?? called.attributeProto.find(({ name }) => name === refAttrName);
  if (!given) return undefined;
  const copy = shallowCopy(AttributeProtoSchema, given);
  copy.name = attribute.name;
  return copy;
}

/** The node, with what is noted of the call where nothing of the kind is noted of the node. */
function withNotesOf(call: NodeProto, node: NodeProto): NodeProto {
  if (node.docString === '') node.docString = call.docString;
  const noted = new Set(node.metadataProps.map(({ key }) => key));
  node.metadataProps = [...node.metadataProps, ...call.metadataProps.filter(({ key }) => !noted.has(key))];
  return node;
}

/**
 * The model without calls of its own functions, in the main graph and in branches, by ONNX's semantics of functions. Functions that
 * nothing calls any more are gone. The given model stays as it is; what has not changed is shared. `checkModel` has seen to it that no
 * function calls itself. Throws ERR_INVALID_MODEL for functions that read what they do not compute.
 */
export function inlineFunctions(model: Model, modelName: string): Model {
  const functions = functionsOf(model);
  const inlined = shallowCopy(ModelProtoSchema, model) as Model;
  const called = calledFrom(functions, model.graph.node);
  inlined.graph = new Inliner(model, functions, modelName).inline(model.graph);
  const stays = calledFrom(
    functions,
    model.functions.filter((one) => !called.has(one)).flatMap(({ node }) => node),
  );
  inlined.functions = model.functions.filter((one) => !called.has(one) || stays.has(one));
  inlined.opsetImport = importsOf(inlined, model, called);
  return inlined;
}

/** What the graph needs of other domains comes from the functions; domains that were of functions alone are left out. */
function importsOf(inlined: Model, model: Model, called: ReadonlySet<FunctionProto>): Model['opsetImport'] {
  const bodies = [inlined.graph, ...inlined.functions].flatMap(({ node }) => allOf(node));
  const used = new Set(bodies.map(({ domain }) => normalDomain(domain)));
  const defined = new Set([...called].map(({ domain }) => normalDomain(domain)));
  const kept = model.opsetImport.filter((entry) => {
    const domain = normalDomain(entry.domain);
    return domain === '' || used.has(domain) || !defined.has(domain);
  });
  const known = new Set(kept.map(({ domain }) => normalDomain(domain)));
  for (const { domain, version } of [...called].flatMap(({ opsetImport }) => opsetImport)) {
    const normal = normalDomain(domain);
    if (!used.has(normal) || known.has(normal)) continue;
    known.add(normal);
    kept.push(create(OperatorSetIdProtoSchema, { domain, version }));
  }
  return kept;
}

/**
 * Throws ERR_UNSUPPORTED_MODEL where a function that would be inlined speaks of another version of a domain than the model, or than
 * another such function: its nodes would come to mean something else.
 */
export function refuseOpsetConflicts(model: Model, modelName: string): void {
  const functions = functionsOf(model);
  const versions = new Map(model.opsetImport.map((entry) => [normalDomain(entry.domain), entry.version]));
  for (const called of calledFrom(functions, model.graph.node)) {
    const nodes = allOf(called.node).filter((node) => !calledBy(functions, node));
    const used = new Set(nodes.map(({ domain }) => normalDomain(domain)));
    for (const entry of called.opsetImport) {
      const domain = normalDomain(entry.domain);
      if (!used.has(domain)) continue;
      const other = versions.get(domain) ?? entry.version;
      versions.set(domain, other);
      if (other === entry.version) continue;
      const opset = domain === '' ? 'opset' : `${domain} version`;
      throw new TlscError(
        'ERR_UNSUPPORTED_MODEL',
        `function ${called.name} of ${modelName} is written in ${opset} ${entry.version}, and what calls it in ${other}: it cannot be inlined`,
      );
    }
  }
}
