// The thread that parses requests.
import { parentPort } from 'node:worker_threads';
import { failureOf } from '../errors.js';
import { parseRequest } from './parse.js';
import type { Answer, Question } from './parser.js';

parentPort?.on('message', ({ id, body, jsonLength }: Question) => {
  try {
    const request = parseRequest(body, jsonLength);
    const memory = request.inputs.map(({ values }) => values);
    parentPort?.postMessage({ id, request } satisfies Answer, memory);
  } catch (error) {
    parentPort?.postMessage({ id, failure: failureOf(error) } satisfies Answer);
  }
});
