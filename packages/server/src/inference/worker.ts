// The thread that parses requests.
import { parentPort } from 'node:worker_threads';
import { failureOf } from '../errors.js';
import { parseGrpc } from '../grpc/parse.js';
import { type ParsedRequest, parseRequest } from './parse.js';
import type { Answer, Question } from './parser.js';

function parsed({ body, from }: Question): Promise<ParsedRequest> | ParsedRequest {
  return from === 'grpc' ? parseGrpc(body) : parseRequest(body, from.jsonLength);
}

parentPort?.on('message', async (question: Question) => {
  try {
    const request = await parsed(question);
    const memory = request.inputs.map(({ values }) => values);
    parentPort?.postMessage({ request } satisfies Answer, memory);
  } catch (error) {
    parentPort?.postMessage({ failure: failureOf(error) } satisfies Answer);
  }
});
