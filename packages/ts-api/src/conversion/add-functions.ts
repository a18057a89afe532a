import { create } from '@bufbuild/protobuf';
import { OperatorSetIdProtoSchema } from 'onnx-buf';
import { domain, domainVersion } from '../functions/body.js';
import { functions } from '../functions/index.js';
import { type Model, opsetOf } from '../graph/model.js';
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
  const ours = model.graph.node.filter((node) => node.domain === domain);
  for (const operator of new Set(ours.map(({ opType }) => opType))) {
    const users = uses.filter((use) => use.operator === operator);
    const [type, ...others] = new Set(users.map((use) => use.type));
    const make = functions[operator];
    if (make && type) {
      const options = { opset: opsetOf(model), type: others.length > 0 ? ('mixed' as const) : type, fast };
      model.functions.push(make(options));
    }
  }
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: domainVersion }));
  if (model.irVersion < functionsIrVersion) model.irVersion = functionsIrVersion;
}
