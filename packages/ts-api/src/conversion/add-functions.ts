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
  const known = [...uses];
  // Those that bodies call are found on the way.
  const operators = new Set(oursIn(model.graph.node));
  if (operators.size === 0) return;
  for (const operator of operators) {
    const types = new Set(known.filter((use) => use.operator === operator).map((use) => use.type));
    const [type, ...others] = types;
    const make = functions[operator];
    if (!make || !type) continue;
    const options = { opset: opsetOf(model), type: others.length > 0 ? ('mixed' as const) : type, fast };
    const made = make(options);
    model.functions.push(made);
    for (const called of oursIn(made.node)) {
      operators.add(called);
      for (const one of types) known.push({ operator: called, type: one });
    }
  }
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: domainVersion }));
  if (model.irVersion < functionsIrVersion) model.irVersion = functionsIrVersion;
}
