// Restores posted photos, a few at a time, and says so where there are too many:
//   node examples/dist/server.js examples/models/unet_in.onnx 64
//   curl --data-binary @examples/photos/tea-gardens_input.png http://127.0.0.1:8080 > restored.png
// `tlsc serve` does far more; this shows how little it takes in a program of one's own.
import { createServer, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { convert, createPool, TlscError } from '@tlsc/api';

const [file, trainSize] = process.argv.slice(2);
if (!file || !trainSize) throw new Error('usage: server MODEL TRAIN_SIZE');
const { model } = await convert(file, { trainSize: Number(trainSize) });
const pool = await createPool(model, { maxPending: 16, maxPixels: 50e6, deadline: 60_000 });

const ofThePhoto = ['ERR_INVALID_IMAGE', 'ERR_IMAGE_TOO_LARGE', 'ERR_IMAGE_CHANNELS'];

function fail(response: ServerResponse, error: unknown): void {
  const { code, message, retryAfter } =
    error instanceof TlscError ? error : new TlscError('ERR_RUN_FAILED', 'failed');
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  const status = code === 'ERR_BUSY' ? 503 : ofThePhoto.includes(code) ? 400 : 500;
  response.writeHead(status).end(message);
}

const server = createServer((request, response) => {
  // A client that goes away takes its work with it.
  const abandoned = new AbortController();
  response.on('close', () => abandoned.abort());
  // The body is read once the photo has been let in.
  pool
    .restoreImage(() => buffer(request), '.png', { signal: abandoned.signal })
    .then(
      ({ bytes }) => response.setHeader('content-type', 'image/png').end(bytes),
      (error: unknown) => fail(response, error),
    );
});
server.listen(8080, '127.0.0.1', () => console.log('listening on http://127.0.0.1:8080'));
process.once('SIGTERM', () => server.close(() => pool.close()));
