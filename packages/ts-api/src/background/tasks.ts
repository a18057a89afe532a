// What runs on a thread of its own: whatever decodes models, which may be large and strange.
import { convert } from '../convert.js';
import { free } from '../free.js';
import { embedShapes } from '../graph/model.js';
import { planModelFiles } from '../graph/model-files.js';
import { inspect } from '../inspect.js';
import { observe } from '../observe.js';
import { optimize } from '../optimize.js';
import { verify } from '../verify.js';

/** By name. Each takes plain values, and resolves to one. */
export const tasks = {
  convert,
  embedShapes,
  free,
  inspect,
  observe,
  optimize,
  planModelFiles,
  verify,
} as const;

export type Tasks = typeof tasks;
