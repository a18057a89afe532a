import { clone, toBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from 'onnx-buf';
import type { Random } from '../random.js';
import { attributeMutations } from './attributes.js';
import { mutateBytes } from './bytes.js';
import { functionMutations } from './functions.js';
import { headerMutations } from './headers.js';
import { nameMutations } from './names.js';
import { operatorMutations } from './operators.js';
import type { Mutation } from './places.js';
import { shapeMutations } from './shapes.js';
import { subgraphMutations } from './subgraphs.js';
import { tensorMutations } from './tensors.js';
import { wireMutations } from './wires.js';

/** Each kind is as likely as any other. */
const kinds: Readonly<Record<string, readonly Mutation[]>> = {
  attributes: attributeMutations,
  functions: functionMutations,
  headers: headerMutations,
  names: nameMutations,
  operators: operatorMutations,
  shapes: shapeMutations,
  subgraphs: subgraphMutations,
  tensors: tensorMutations,
  wires: wireMutations,
};

/** Most mutants have few changes, so that they get past the first checks. */
const onceMore = 0.4;
const changesBytes = 0.08;

export interface Mutant {
  readonly bytes: Uint8Array;
  /** The kinds of what was done to it. */
  readonly kinds: readonly string[];
}

export function mutate(seed: ModelProto, random: Random): Mutant {
  const model = clone(ModelProtoSchema, seed);
  const done: string[] = [];
  do {
    const kind = random.pick(Object.keys(kinds));
    done.push(kind);
    random.pick(kinds[kind] ?? [])(model, random);
  } while (random.chance(onceMore) && done.length < 8);
  const bytes = toBinary(ModelProtoSchema, model);
  if (!random.chance(changesBytes)) return { bytes, kinds: done };
  return { bytes: mutateBytes(bytes, random), kinds: [...done, 'bytes'] };
}
