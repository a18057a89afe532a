// Under a limit of memory: a run that needs more than that, then one that does not. Prints the error and the second run's shape.
import { InferenceSession, Tensor } from '../dist/index.js';

const session = await InferenceSession.create(process.argv[2]);
const photo = (height, width) => ({
  x: new Tensor('float32', new Float32Array(3 * height * width), [1, 3, height, width]),
});
const error = await session.run(photo(1000, 2000)).catch((caught) => caught);
const { y } = await session.run(photo(20, 30));
console.log(JSON.stringify([error.code, error.message, error.cause?.message, y.dims]));
