// Restores posted photos:
//   node examples/dist/server.js examples/models/unet_in.onnx 64
//   curl --data-binary @examples/photos/tea-gardens_input.png http://127.0.0.1:8080 > restored.png
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { convert, encodePhoto, InferenceSession, restore, TlscError } from '@tlsc/api';

const [file, trainSize] = process.argv.slice(2);
if (!file || !trainSize) throw new Error('usage: server MODEL TRAIN_SIZE');
const { model } = await convert(file, { trainSize: Number(trainSize) });
const session = await InferenceSession.create(model);

async function restorePosted(request: IncomingMessage, signal: AbortSignal): Promise<Uint8Array> {
  const photo = await restore(session, await buffer(request), { signal });
  return encodePhoto(photo, '.png', { signal });
}

/** Whose fault an error is: the photo's, or ours. */
function statusOf(error: unknown): number {
  const ofThePhoto = ['ERR_INVALID_IMAGE', 'ERR_IMAGE_TOO_LARGE', 'ERR_IMAGE_CHANNELS'];
  return error instanceof TlscError && ofThePhoto.includes(error.code) ? 400 : 500;
}

createServer((request, response) => {
  // A client that goes away takes its inference with it.
  const abandoned = new AbortController();
  response.on('close', () => abandoned.abort());
  restorePosted(request, abandoned.signal).then(
    (png) => response.setHeader('content-type', 'image/png').end(png),
    (error: unknown) =>
      response.writeHead(statusOf(error)).end(error instanceof TlscError ? error.message : 'failed'),
  );
}).listen(8080, '127.0.0.1', () => console.log('listening on http://127.0.0.1:8080'));
