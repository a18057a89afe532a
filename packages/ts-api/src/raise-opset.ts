import { TlscError } from './errors.js';
import { lowestOpset } from './functions/body.js';
import { type Model, opsetOf } from './graph/model.js';
import { type GraphProto, isOnnxDomain, subgraphsOf } from './graph/proto.js';

/** Opset 11 and 12 differ, for inference, only in how Dropout is told a ratio that it does not use. */
export function raiseOpset(model: Model, name: string): void {
  const opset = opsetOf(model);
  if (opset >= lowestOpset) return;
  if (opset < lowestOpset - 1) {
    throw new TlscError(
      'ERR_UNSUPPORTED_MODEL',
      `${name} uses opset ${opset}; 11 is the lowest that can be converted`,
    );
  }
  dropRatios(model.graph);
  for (const entry of model.opsetImport) if (isOnnxDomain(entry.domain)) entry.version = BigInt(lowestOpset);
}

function dropRatios(graph: GraphProto): void {
  for (const node of graph.node) {
    if (node.opType === 'Dropout' && isOnnxDomain(node.domain)) node.attribute = [];
    for (const inner of subgraphsOf(node)) dropRatios(inner);
  }
}
