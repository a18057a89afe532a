// Converts a model in memory and restores one photo with it:
//   node examples/dist/quick-start.js examples/models/unet_in.onnx examples/photos/tea-gardens_input.png restored.png
import { convert, InferenceSession, restoreFile } from '@tlsc/api';

const [model, input, output] = process.argv.slice(2);
if (!model || !input || !output) throw new Error('usage: quick-start MODEL IMAGE OUTPUT');

const { model: local } = await convert(model, { trainSize: 64 });
const session = await InferenceSession.create(local);
await restoreFile(session, input, output);
await session.release();
