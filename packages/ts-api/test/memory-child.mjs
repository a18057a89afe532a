// Runs, inspects or converts a model at 256 x 256, and prints the most memory in MiB that the process ever had.
import { convert, InferenceSession, inspect, Tensor } from '../dist/index.js';

const [, , task, path] = process.argv;
if (task === 'run') {
  const session = await InferenceSession.create(path);
  const x = new Tensor('float32', new Float32Array(3 * 256 * 256), [1, 3, 256, 256]);
  await session.run({ x });
} else {
  await (task === 'inspect' ? inspect : convert)(path, { trainSize: 256 });
}
console.log(process.resourceUsage().maxRSS / 1024);
