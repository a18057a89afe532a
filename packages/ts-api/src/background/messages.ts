// What goes between the threads: errors lose their class on the way, and memory is handed over where that saves a copy.
import { type ErrorCode, type ErrorDetails, TlscError } from '../errors.js';
import type { Tasks } from './tasks.js';

export interface Request {
  readonly task: keyof Tasks;
  readonly args: readonly unknown[];
}

interface Failure extends ErrorDetails {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Reply = { readonly result: unknown } | { readonly failure: Failure } | { readonly bug: unknown };

/** An error as it can be sent; one that is no TlscError is a bug, and stays one. */
export function toReply(error: unknown): Reply {
  if (!(error instanceof TlscError)) return { bug: sendable(error) };
  const { code, message, parameter, expected, received, cause } = error;
  const given = Object.entries({ parameter, expected, received }).filter(([, value]) => value !== undefined);
  const details = cause === undefined ? {} : { cause: sendable(cause) };
  return { failure: { code, message, ...Object.fromEntries(given), ...details } };
}

/** What structured cloning takes of an error: name, message and stack. */
function sendable(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const copy = new Error(error.message);
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/** The result in a reply; throws the error that there is instead. */
export function resultOf(reply: Reply): unknown {
  if ('result' in reply) return reply.result;
  if ('bug' in reply) throw reply.bug;
  const { code, message, ...details } = reply.failure;
  throw new TlscError(code, message, details);
}

/** The array buffers in a plain value, each once, to be handed over rather than copied. */
export function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (value instanceof Uint8Array) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) buffersIn(part, found);
  }
  return found;
}
