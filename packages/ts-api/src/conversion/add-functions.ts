import { create } from '@bufbuild/protobuf';
import { OperatorSetIdProtoSchema } from 'onnx-buf';
import { domain, domainVersion } from '../functions/body.js';
import { functions } from '../functions/index.js';
import { type Model, opsetOf } from '../graph/model.js';
import type { NodeProto } from '../graph/proto.js';
import type { ImageType } from '../session/image-tensors.js';

/** IR version 8 brought functions to models. */
const functionsIrVersion = 8n;

/** An operator of ours that nodes of the model are, on tensors of this type. */
interface Use {
  readonly operator: string;
  readonly type: ImageType;
}

/** Puts the portable body of each operator of ours that the model has into it. */
export function addFunctions(model: Model, uses: readonly Use[], fast: boolean): void {
  const oursIn = (nodes: readonly NodeProto[]) =>
    nodes.filter((node) => node.domain === domain).map(({ opType }) => opType);
  // Those that bodies call are found on the way, with the types that they are called in.
  const known = [...uses];
  const operators = new Set(oursIn(model.graph.node));
  if (operators.size === 0) return;
  const bodyOf = (operator: string) => {
    const types = new Set(known.filter((use) => use.operator === operator).map((use) => use.type));
    const [type, ...others] = types;
    const written = others.length > 0 ? ('mixed' as const) : type;
    return written && functions[operator]?.({ opset: opsetOf(model), type: written, fast });
  };
  for (const operator of operators) {
    const types = known.filter((use) => use.operator === operator).map((use) => use.type);
    for (const called of oursIn(bodyOf(operator)?.node ?? [])) {
      operators.add(called);
      for (const type of types) known.push({ operator: called, type });
    }
  }
  model.functions.push(...[...operators].flatMap((operator) => bodyOf(operator) ?? []));
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: domainVersion }));
  if (model.irVersion < functionsIrVersion) model.irVersion = functionsIrVersion;
}
