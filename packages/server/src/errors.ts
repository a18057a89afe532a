import { type ErrorCode, TlscError } from '@tlsc/api';
import type { FastifyError } from 'fastify';

/** A request that cannot be answered; `status` is of HTTP. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function notFound(model: string): RequestError {
  return new RequestError(404, 'ERR_MODEL_NOT_FOUND', `there is no model ${JSON.stringify(model)}`);
}

/** An error as a client is told of it. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Seconds after which another try may do. */
  readonly retryAfter?: number | undefined;
}

/** Whose fault it is, as HTTP has numbers for it; what is not here is ours. */
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  ERR_INVALID_ARGUMENT: 400,
  ERR_INPUT_MISMATCH: 400,
  ERR_INVALID_IMAGE: 422,
  ERR_IMAGE_CHANNELS: 422,
  ERR_IMPLAUSIBLE_RESULT: 422,
  ERR_UNSUPPORTED_MODEL: 422,
  ERR_RUN_FAILED: 422,
  ERR_IMAGE_TOO_LARGE: 413,
  ERR_BUSY: 503,
  ERR_SESSION_RELEASED: 503,
  ERR_OUT_OF_MEMORY: 503,
  ERR_DEADLINE: 504,
  ERR_ABORTED: 499,
};

/** In how many seconds another machine, or this one, may have memory, or be up again. */
const usualRetry = 5;

function statusOf({ code, parameter }: TlscError): number {
  // It would be so another time, too.
  if (code === 'ERR_OUT_OF_MEMORY' && parameter === 'memory') return 413;
  return statuses[code] ?? 500;
}

/** More than anybody reads: names in messages may be of any length. */
const longestMessage = 1000;

function shortened(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage)} …` : message;
}

const ours: Failure = { status: 500, code: 'ERR_INTERNAL', message: 'the server failed; its log says more' };

/** What of an error a client may know. Where the fault is ours the words are for the log alone. */
export function failureOf(error: unknown): Failure {
  const { message: text = '' } = error as Partial<Error>;
  const message = shortened(text);
  if (error instanceof RequestError) return { status: error.status, code: error.code, message };
  if (error instanceof TlscError) {
    const { code } = error;
    const status = statusOf(error);
    if (status === 500) return { ...ours, code };
    const retryAfter = status === 503 ? (error.retryAfter ?? usualRetry) : undefined;
    return { status, code, message, retryAfter };
  }
  const { statusCode = 500, code = 'ERR_REQUEST', validation } = error as Partial<FastifyError>;
  if (validation) return { status: 400, code: 'ERR_INVALID_ARGUMENT', message };
  return statusCode < 500 ? { status: statusCode, code, message } : ours;
}
