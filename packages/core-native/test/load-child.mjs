// Loads several sessions at once, as the first of the process.
import { createSession } from '../dist/index.js';

const given = JSON.parse(process.argv[2]);
await Promise.all(Array.from({ length: 8 }, () => createSession(given).session));
console.log('loaded');
