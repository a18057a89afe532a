// Prints what is found of CUDA: in a process of its own, since a driver stays loaded.
import { describeCuda } from '../dist/index.js';

console.log(JSON.stringify(await describeCuda(process.argv[2])));
