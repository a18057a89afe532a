// A user's project in an empty folder of a machine.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../../scripts/lib.mjs';

const app = join(dirname(fileURLToPath(import.meta.url)), 'app');

function environment(url) {
  return {
    npm_config_registry: url,
    YARN_NPM_REGISTRY_SERVER: url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_NPM_MINIMAL_AGE_GATE: '0', // what the test publishes is new
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
  };
}

/** Writes the test's programs, a fixture, a network and a photo into a folder. */
export function fillProject(folder, dependencies) {
  mkdirSync(folder, { recursive: true });
  cpSync(app, folder, { recursive: true });
  cpSync(join(root, 'test', 'fixtures', 'models', 'nafnet_base_nonsquare'), join(folder, 'fixture'), {
    recursive: true,
  });
  for (const file of ['models/unet_in.onnx', 'photos/tea-gardens_input.png'])
    cpSync(join(root, 'examples', file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, dependencies }));
}

export function newProject(machine, url, name, dependencies) {
  const place = `/home/${name}`;
  fillProject(join(machine.root, place), dependencies);
  return {
    folder: join(machine.root, place),
    run: (major, command) => machine.run(place, major, command, environment(url)),
  };
}
