// The peer: the same fastify, and a session of onnxruntime-node, as its documentation has it. Prints its address.
//
// node peer.js <model>
import fastify from 'fastify';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const [model = ''] = process.argv.slice(2);
const session = await InferenceSession.create(model);
const [input = ''] = session.inputNames;
const [output = ''] = session.outputNames;

const app = fastify({ bodyLimit: 100e6 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
app.get('/livez', async () => ({ status: 'live' }));
app.post('/restore', async (request, reply) => {
  const { data, info } = await sharp(request.body as Buffer)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const area = width * height;
  const planes = new Float32Array(3 * area);
  for (let i = 0; i < area; i++)
    for (let c = 0; c < 3; c++) planes[c * area + i] = (data[3 * i + c] as number) / 255;
  const outputs = await session.run({ [input]: new Tensor('float32', planes, [1, 3, height, width]) });
  const made = outputs[output]?.data as Float32Array;
  const pixels = new Uint8Array(3 * area);
  for (let i = 0; i < area; i++)
    for (let c = 0; c < 3; c++)
      pixels[3 * i + c] = Math.max(0, Math.min(255, Math.round((made[c * area + i] as number) * 255)));
  reply.type('image/jpeg');
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    .toBuffer();
});
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
