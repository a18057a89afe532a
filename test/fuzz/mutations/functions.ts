// Functions of the model's own: around nodes, nested, in circles, by names that others have.
import { create } from '@bufbuild/protobuf';
import {
  type FunctionProto,
  FunctionProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
} from 'onnx-buf';
import { oddText } from './oddities.js';
import { bodiesOf, copyOf, type Mutation, nodesOf, valuesOf } from './places.js';

function callTo({ name, domain, input, output }: FunctionProto): NodeProto {
  return create(NodeProtoSchema, { opType: name, domain, input: [...input], output: [...output] });
}

function addImport(model: ModelProto, domain: string): void {
  if (!model.opsetImport.some((entry) => entry.domain === domain))
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: 1n }));
}

/** The function's inputs go by the names inside, so that they may be those of something else. */
const wrapNode: Mutation = (model, random) => {
  const body = random.any(bodiesOf(model).filter(({ node }) => node.length > 0));
  if (!body) return;
  const at = random.below(body.node.length);
  const node = body.node[at];
  if (!node) return;
  const isStandard = random.chance(0.15);
  const one = create(FunctionProtoSchema, {
    name: isStandard ? node.opType : `f${model.functions.length}`,
    domain: isStandard ? node.domain : random.pick(['own', 'own', 'tlsc', '']),
    input: [...new Set(node.input)],
    output: [...node.output],
    node: [copyOf(NodeProtoSchema, node)],
    opsetImport: model.opsetImport.map((entry) => copyOf(OperatorSetIdProtoSchema, entry)),
  });
  model.functions.push(one);
  addImport(model, one.domain);
  if (model.irVersion < 8n) model.irVersion = 8n;
  body.node[at] = callTo(one);
};

/** More or fewer than the function takes. */
const callWrongly: Mutation = (model, random) => {
  const names = new Set(model.functions.map(({ name }) => name));
  const call = random.any(nodesOf(model).filter(({ opType }) => names.has(opType)));
  if (!call) return;
  const list = random.chance(0.6) ? call.input : call.output;
  if (random.chance(0.6)) list.splice(random.below(list.length));
  else list.push(random.any(valuesOf(model)) ?? 'more');
};

/** An input or output of the function by the name of something inside. */
const shadow: Mutation = (model, random) => {
  const one = random.any(model.functions);
  if (!one) return;
  const inside = one.node.flatMap(({ input, output }) => [...input, ...output]);
  const list = random.chance(0.7) ? one.input : one.output;
  const name = random.any([...inside, ...one.input, ...one.output]) ?? '';
  if (random.chance(0.5)) list.push(name);
  else if (list.length > 0) list[random.below(list.length)] = name;
};

/** A function that calls another, or itself. */
const callAnother: Mutation = (model, random) => {
  const [caller, called] = [random.any(model.functions), random.any(model.functions)];
  if (!caller || !called) return;
  const call = callTo(called);
  call.output = random.chance(0.5) ? [...caller.output] : call.output;
  if (random.chance(0.5)) caller.node.push(call);
  else caller.node.splice(0, caller.node.length, call);
  if (random.chance(0.7) && !caller.opsetImport.some(({ domain }) => domain === called.domain))
    caller.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: called.domain, version: 1n }));
};

/** Each calls the one before, several times: what they grow to is the power of it. */
const chain: Mutation = (model, random) => {
  const last = model.functions.at(-1);
  if (!last) return;
  const depth = 1 + random.below(8);
  const width = 1 + random.below(4);
  let called = last;
  for (let i = 0; i < depth; i++) {
    const node = Array.from({ length: width }, (_, k) => {
      const call = callTo(called);
      call.output = call.output.map((name) => (k === width - 1 ? name : `${name}_${k}`));
      return call;
    });
    const imports = [
      ...called.opsetImport,
      create(OperatorSetIdProtoSchema, { domain: called.domain, version: 1n }),
    ];
    called = create(FunctionProtoSchema, {
      name: `chain_${i}`,
      domain: 'own',
      input: [...called.input],
      output: [...called.output],
      node,
      opsetImport: [...new Map(imports.map((entry) => [entry.domain, entry])).values()],
    });
    model.functions.push(called);
  }
  addImport(model, 'own');
  model.graph?.node.push(callTo(called));
};

const changeFunction: Mutation = (model, random) => {
  const one = random.any(model.functions);
  if (!one) return;
  const changes: readonly (() => void)[] = [
    () => {
      model.functions.push(copyOf(FunctionProtoSchema, one));
    },
    () => {
      one.name = random.any(nodesOf(model))?.opType ?? 'f';
    },
    () => {
      one.domain = random.pick(['', 'ai.onnx', 'tlsc', 'com.microsoft', 'own']);
    },
    () => {
      one.node = [];
    },
    () => {
      one.opsetImport = [];
    },
    () => {
      one.output.push(random.any(one.input) ?? 'x');
    },
    () => {
      one.attribute.push(random.pick(['kernel_shape', 'axes', 'alpha', oddText(random)]));
    },
    () => {
      for (const entry of one.opsetImport) entry.version = BigInt(random.below(30));
    },
  ];
  random.pick(changes)();
};

export const functionMutations: readonly Mutation[] = [
  wrapNode,
  wrapNode,
  wrapNode,
  callWrongly,
  callWrongly,
  shadow,
  shadow,
  callAnother,
  chain,
  changeFunction,
];
