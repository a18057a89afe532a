import { analyzeSizes } from './conversion/analysis.js';
import { raiseOld } from './conversion/raise-opset.js';
import { TlscError } from './errors.js';
import { freeSizes } from './freeing/free-sizes.js';
import type { FrozenSize } from './graph/frozen-sizes.js';
import { inlineFunctions, refuseOpsetConflicts } from './graph/inline-functions.js';
import { encodeModel, loadModel, type ModelSource } from './graph/model.js';
import { checkOptions, checkSignal } from './options.js';
import { type Size, showSize } from './size.js';

export interface FreeOptions {
  /** Where the external data of a model lies that is given as bytes. */
  readonly externalDataFolder?: string;
  readonly signal?: AbortSignal;
}

export interface FreeReport {
  /** The size that the model was exported for; undefined where its images were free already, and the freed model is the model. */
  readonly size: Size | undefined;
  /** The nodes that held it, or sizes that follow from it, as constants. */
  readonly nodes: readonly string[];
}

export interface FreedModel {
  /** The bytes of the file. Where the model has external data, `writeModel` takes that along. */
  readonly model: Uint8Array;
  readonly externalDataFolder: string | undefined;
  readonly report: FreeReport;
}

function refuse(name: string, size: Size, frozen: readonly FrozenSize[]): TlscError {
  const nodes = frozen.map(({ node, reason }) => `${node} ${reason}`).join('\n  ');
  const message = `${name} was exported for images of ${showSize(size)}, and not all that holds this could be freed:\n  ${nodes}\nexport it with dynamic height and width`;
  return new TlscError('ERR_UNSUPPORTED_MODEL', message);
}

/** The work of `background/index.ts`'s `free`, on the thread that calls it. */
export async function free(source: ModelSource, options: FreeOptions = {}): Promise<FreedModel> {
  checkOptions(options, { externalDataFolder: true, signal: true });
  const { signal } = options;
  checkSignal(signal);
  const { bytes, model: loaded, name } = await loadModel(source, options.externalDataFolder);
  const { externalDataFolder } = loaded;
  const isPlain = loaded.functions.length === 0;
  const model = isPlain ? loaded : inlineFunctions(loaded, name);
  await raiseOld(model, name);
  const freed = await freeSizes(model, name, signal);
  if (!freed) return { model: bytes, externalDataFolder, report: { size: undefined, nodes: [] } };
  if (!isPlain) refuseOpsetConflicts(loaded, name);
  const frozen = await analyzeSizes(model, freed.size, name, signal);
  if (frozen.length > 0) throw refuse(name, freed.size, frozen);
  return { model: encodeModel(model), externalDataFolder, report: freed };
}
