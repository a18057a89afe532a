// The thread that parses requests.
import { parentPort } from 'node:worker_threads';
import { failureOf } from '../errors.js';
import { type ParsedRequest, parseRequest } from './parse.js';
import type { Answer, Question } from './parser.js';

async function parsed({ body, from }: Question): Promise<ParsedRequest> {
  if (from !== 'grpc') return parseRequest(body, from.jsonLength);
  // gRPC's own packages take half a second to load.
  const { parseGrpc } = await import('../grpc/parse.js');
  return parseGrpc(body);
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
