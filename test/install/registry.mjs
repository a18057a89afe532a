// An npm registry of the test's own, with the packed packages; all others it passes on from the registry that this machine uses.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readNpm, runNpm } from '../../scripts/lib.mjs';

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function configuration(folder, uplink) {
  const ours = { access: '$all', publish: '$all' };
  return JSON.stringify({
    storage: join(folder, 'storage'),
    uplinks: { others: { url: uplink, maxage: '1h' } },
    packages: { '@tlsc/*': ours, tlsc: ours, '**': { access: '$all', proxy: 'others' } },
    log: { type: 'stdout', format: 'pretty', level: 'error' },
    max_body_size: '200mb',
    web: { enable: false },
  });
}

async function answers(url) {
  for (let tries = 0; tries < 100; ++tries) {
    const answer = await fetch(`${url}-/ping`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the registry does not answer at ${url}`);
}

/** Serves the tarballs of a folder until what `whenDone` is given is called; what it keeps goes below `folder`. Resolves to its address. */
export async function startRegistry(tarballs, folder, whenDone) {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'config.yaml');
  writeFileSync(config, configuration(folder, readNpm(['config', 'get', 'registry']).trim()));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const bin = join(
    createRequire(import.meta.url).resolve('verdaccio/package.json'),
    '..',
    'bin',
    'verdaccio',
  );
  const server = spawn(process.execPath, [bin, '--config', config, '--listen', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  whenDone(() => server.kill());
  await answers(url);
  const userconfig = join(folder, 'npmrc');
  writeFileSync(userconfig, `//127.0.0.1:${port}/:_authToken=anybody\n`);
  for (const name of readdirSync(tarballs))
    runNpm(['publish', '--silent', '--registry', url, '--userconfig', userconfig, join(tarballs, name)]);
  return url;
}
