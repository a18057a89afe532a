import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import multipart, { type MultipartFile } from '@fastify/multipart';
import type { Passage, RestorationPool, RestoredImage } from '@tlsc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failureOf, notFound, RequestError } from '../errors.js';
import { Exchange } from '../exchange.js';
import { originalOf } from '../models/folder.js';
import type { Metrics } from '../observe/metrics.js';
import type { Passenger, Transit } from '../transit.js';
import { chooseFormat, type Format, imageTypes } from './formats.js';
import { optionsIn, type RestoreQuery, restoreQuery } from './query.js';
import {
  checkLength,
  Folder,
  lengthOf,
  readToFile,
  readToMemory,
  type UploadLimits,
  within,
} from './upload.js';

/** Bytes of images that are read into memory, and answered from there; larger ones lie in files, and so do their answers. */
const smallBody = 2 ** 20;

interface Route {
  Params: { readonly model: string };
  Querystring: RestoreQuery;
}

/** An empty one is none for fastify. */
function bodyOf({ body }: FastifyRequest): Readable {
  return (body as Readable | undefined) ?? Readable.from([]);
}

/** The image that a request brings: its body, or the first file of a form. */
async function imageIn(request: FastifyRequest, { idle }: UploadLimits): Promise<Readable> {
  if (!request.isMultipart()) return bodyOf(request);
  // What stands before the file is counted by nobody else.
  if (lengthOf(request) === undefined)
    throw new RequestError(411, 'ERR_LENGTH_REQUIRED', 'a form must say how long it is');
  const part: MultipartFile | undefined = await within(idle, request.file()).catch((error: Error) => {
    if (error instanceof RequestError) throw error;
    throw new RequestError(400, 'ERR_INVALID_ARGUMENT', `the form cannot be read: ${error.message}`);
  });
  if (part) return part.file;
  throw new RequestError(400, 'ERR_INVALID_ARGUMENT', 'the form has no file');
}

/** How it came about, in the words of HTTP where it has some. */
function describe(reply: FastifyReply, { waited, worked, ...restored }: RestoredImage & Passage): void {
  const { height, width, frames, pieces, losses } = restored;
  const milliseconds = (time: number) => (time * 1000).toFixed(1);
  reply.header('server-timing', `wait;dur=${milliseconds(waited)}, restore;dur=${milliseconds(worked)}`);
  reply.header('tlsc-size', `${width}x${height}`);
  if (frames > 1) reply.header('tlsc-frames', frames);
  if (pieces) reply.header('tlsc-pieces', `${pieces.columns}x${pieces.rows}; bound=${pieces.bound}`);
  if (losses.length > 0) reply.header('tlsc-losses', encodeURIComponent(losses.join('; ')));
}

/** Answers with a file that is gone when the answer has been sent, or cannot be. */
async function sendFile(reply: FastifyReply, path: string): Promise<Readable> {
  const { size } = await stat(path);
  reply.header('content-length', size);
  return createReadStream(path);
}

/** What routes for photos need to know. */
export interface Restoring {
  readonly pool: RestorationPool;
  readonly metrics: Metrics;
  readonly limits: UploadLimits;
  readonly transit: Transit;
}

/** An image is not to be read before it has been let in, whatever its type. */
export async function restoreRoutes(
  app: FastifyInstance,
  { pool, metrics, limits, transit }: Restoring,
): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, body, done) => done(null, body));
  await app.register(multipart, {
    limits: { files: 1, fields: 16, fieldSize: 4096, fileSize: limits.maxBody + 1 },
  });

  const restoreSmall = async (
    request: FastifyRequest<Route>,
    format: Format,
    signal: AbortSignal,
    passenger: Passenger,
  ) => {
    const { params, query } = request;
    const read = async () => readToMemory(await imageIn(request, limits), limits, passenger);
    const options = { ...optionsIn(query), model: params.model, signal };
    const restored = await pool.restoreImage(read, format.extension, options);
    passenger.add(restored.bytes.byteLength);
    return restored;
  };

  const restoreLarge = async (
    request: FastifyRequest<Route>,
    format: Format,
    signal: AbortSignal,
    folder: Folder,
  ) => {
    const { params, query } = request;
    const read = async () => {
      await folder.make();
      return readToFile(await imageIn(request, limits), limits, folder.file('image'));
    };
    const path = folder.file(`restored${format.extension}`);
    const options = { ...optionsIn(query), model: params.model, signal };
    return { ...(await pool.restoreFile(read, path, options)), path };
  };

  app.post<Route>(
    '/v1/models/:model/restore',
    {
      schema: {
        summary: 'Restore a photo',
        description:
          'The body is an image file, or a form with one; so is the answer, in the format that format or Accept asks for.',
        tags: ['photos'],
        params: { type: 'object', properties: { model: { type: 'string' } } },
        querystring: restoreQuery,
        consumes: [...imageTypes, 'application/octet-stream', 'multipart/form-data'],
        produces: imageTypes,
      },
    },
    async (request, reply) => {
      const { model } = request.params;
      if (!pool.models.includes(model)) throw notFound(model);
      const length = lengthOf(request);
      checkLength(length, limits);
      const { query, headers } = request;
      const format = chooseFormat(query.format, headers.accept, headers['content-type']);
      const exchange = new Exchange(request, reply);
      const { signal } = exchange;
      const folder = new Folder();
      const passenger = transit.begin();
      exchange.whenOver(() => {
        passenger.end();
        folder.remove().catch((error: Error) => request.log.warn(error));
      });
      try {
        const isSmall = length !== undefined && length <= smallBody;
        const restored = isSmall
          ? await restoreSmall(request, format, signal, passenger)
          : await restoreLarge(request, format, signal, folder);
        const answer = 'bytes' in restored ? restored.bytes : await sendFile(reply, restored.path);
        const { waited, worked, height, width, frames } = restored;
        const pixels = height * width * frames;
        metrics.record({ kind: 'restore', model, result: 'ok', waited, worked, pixels });
        describe(reply, restored);
        return reply.type(format.type).send(answer);
      } catch (error) {
        metrics.record({ kind: 'restore', model, result: failureOf(error).code });
        throw folder.hideIn(error);
      }
    },
  );

  app.get(
    '/v1/models',
    { schema: { summary: 'The models, and what they are', tags: ['photos'] } },
    async () => ({
      models: pool.models.map((name) => {
        const { inputMetadata, outputMetadata, modelMetadata, operators, executionProviders } =
          pool.describe(name);
        return {
          name,
          ...(pool.models.includes(originalOf(name)) && { original: originalOf(name) }),
          inputs: inputMetadata.map(({ name: input }) => input),
          outputs: outputMetadata.map(({ name: output }) => output),
          trainSize: modelMetadata['tlsc.train_size'],
          operators,
          executionProviders,
        };
      }),
    }),
  );
}
