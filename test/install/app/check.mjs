// What a user's program does first, as an ES module: converts a network and runs it, then, with a photo, verifies and restores. Prints how far
// the result is from the published one. `node check.mjs FIXTURE [MODEL PHOTO]`
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { convert, InferenceSession, restore, Tensor, verify, writeModel, writePhoto } from '@tlsc/api';

const [fixture, model, photo] = process.argv.slice(2);

function readFloats(name) {
  const { buffer, byteOffset, byteLength } = readFileSync(join(fixture, name));
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

const { input, restored_output, input_shape, train_size, base_size, fast_imp, tolerance } = JSON.parse(
  readFileSync(join(fixture, 'case.json'), 'utf8'),
);
const original = join(fixture, 'model.onnx');
const converted = await convert(original, { trainSize: train_size, baseSize: base_size, fast: fast_imp });
const session = await InferenceSession.create(converted.model);
const { [restored_output]: output } = await session.run({
  [input]: new Tensor('float32', readFloats('input.bin'), input_shape),
});
const expected = readFloats('expected_local.bin');
const error = Math.max(...output.data.map((value, i) => Math.abs(value - expected[i])));
if (!(error <= tolerance)) throw new Error(`off by ${error}, allowed are ${tolerance}`);
if (session.operators !== 'native') throw new Error(`the operators are ${session.operators}`);
await session.release();

if (photo) {
  await writeModel(converted, 'local.onnx');
  await verify(original, 'local.onnx');
  const restoring = await InferenceSession.create((await convert(model, { trainSize: 64 })).model);
  await writePhoto(await restore(restoring, photo), 'restored.png');
  if (statSync('restored.png').size < 10_000) throw new Error('restored.png is too small to be a photo');
}
console.log(`off by ${error.toExponential(1)} of ${tolerance}`);
