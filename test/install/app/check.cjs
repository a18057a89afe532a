// The same package from CommonJS, and on a worker thread.
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

async function provider() {
  const { diagnose } = await import('@tlsc/api');
  const { executionProviders } = await diagnose();
  return executionProviders.cpu;
}

async function main() {
  // require() of an ES module came with Node.js 20.19.
  const { TlscError } = require('@tlsc/api');
  if (typeof TlscError !== 'function') throw new Error('require gives no TlscError');
  const here = await provider();
  const there = await new Promise((resolve, reject) => {
    new Worker(__filename).on('message', resolve).on('error', reject);
  });
  for (const { works, operators } of [here, there])
    if (!works || operators !== 'native') throw new Error('does not work');
  console.log('require, import() and a worker thread: native');
}

if (isMainThread) main();
else provider().then((found) => parentPort.postMessage(found));
