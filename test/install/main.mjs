// What users get: the packed packages, from a registry, on a machine that has nothing else. `npm run test:install`
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, root, run, say } from '../../scripts/lib.mjs';
import { checkArm64 } from './arm64.mjs';
import { checkDockerfile } from './dockerfile.mjs';
import { startMachine } from './machines.mjs';
import { newProject } from './project.mjs';
import { startRegistry } from './registry.mjs';

const packed = join(root, 'packed');
const bin = (name) => join(dirname(fileURLToPath(import.meta.url)), 'node_modules', '.bin', name);
const megabyte = 1e6;
const largestInstallation = 100 * megabyte;

/** Entry points and types of the packages that are imported; the others carry files alone, or a command. */
function checkTarballs() {
  for (const name of readdirSync(packed)) {
    say(`checking ${name}`);
    run(bin('publint'), [join(packed, name), '--strict']);
    if (/^tlsc-(api|core-native)-\d/.test(name))
      run(bin('attw'), [
        join(packed, name),
        '--profile',
        'esm-only',
        '--no-emoji',
        '--format',
        'ascii',
        '--quiet',
      ]);
  }
}

function checkPrograms(project, major) {
  for (const file of ['check.mjs fixture', 'check.cjs'])
    say(`Node.js ${major}, ${file}: ${project.run(major, `node ${file}`).trim()}`);
}

function checkTypes(project) {
  project.run(20, 'npm install --ignore-scripts --silent -D typescript@5.9.3 @types/node@20 esbuild@0.28.2');
  for (const resolution of ['nodenext', 'bundler']) project.run(20, `npx tsc -p tsconfig.${resolution}.json`);
  say('TypeScript: nodenext and bundler, strict, skipLibCheck false');
}

function checkBundle(project) {
  const flags = '--bundle --platform=node --format=esm --external:@tlsc/* --external:sharp';
  project.run(20, `npx esbuild check.mjs ${flags} --outfile=bundle.mjs --log-level=error`);
  say(`esbuild: ${project.run(20, 'node bundle.mjs fixture').trim()}`);
}

/** Without the platform's package the error must name it; on a processor that there is none for, those that there are. */
function checkMissing(project) {
  project.run(20, 'rm -r node_modules/@tlsc/core-native-linux-*');
  const output = project.run(20, 'npx tlsc doctor 2>&1 || true');
  if (!/@tlsc\/core-native-linux-\w+, which carries the native addon, is not installed/.test(output))
    throw new Failure(`the missing package is not named:\n${output}`);
  project.run(20, 'node unknown-processor.mjs');
  say('without its package, and on an unknown processor: the error says so');
}

function checkNpm(machine, registry) {
  const begin = performance.now();
  const project = newProject(machine, registry, 'npm', { '@tlsc/api': '*', tlsc: '*' });
  project.run(20, 'npm install --ignore-scripts --no-audit --no-fund --loglevel=error');
  const installed = performance.now();
  project.run(20, 'npx tlsc convert models/unet_in.onnx -o local.onnx --train-size 64');
  project.run(20, 'npx tlsc run local.onnx photos/tea-gardens_input.png -o restored/');
  const restored = performance.now();
  const bytes = Number(project.run(20, 'du -s --block-size=1 --apparent-size node_modules').split('\t')[0]);
  const seconds = (from, to) => ((to - from) / 1000).toFixed(1);
  say(
    `npm: installed in ${seconds(begin, installed)} s, a photo restored after ${seconds(begin, restored)} s; node_modules has ` +
      `${(bytes / megabyte).toFixed(0)} MB (onnxruntime-node alone: 302)`,
  );
  project.run(20, 'node check.mjs fixture models/unet_in.onnx photos/tea-gardens_input.png');
  if (bytes > largestInstallation)
    throw new Failure(`node_modules has more than ${largestInstallation} bytes`);
  for (const major of [20, 22, 24]) checkPrograms(project, major);
  checkTypes(project);
  checkBundle(project);
  checkMissing(project);
}

function checkPnpm(machine, registry) {
  const project = newProject(machine, registry, 'pnpm', { '@tlsc/api': '*', tlsc: '*' });
  project.run(22, 'pnpm install --ignore-scripts --reporter=silent');
  checkPrograms(project, 22);
  say(`pnpm: ${project.run(22, 'pnpm exec tlsc --version').trim()}`);
}

function checkYarn(machine, registry) {
  for (const linker of ['node-modules', 'pnp']) {
    const project = newProject(machine, registry, `yarn-${linker}`, { '@tlsc/api': '*', tlsc: '*' });
    project.run(24, `YARN_NODE_LINKER=${linker} yarn install --mode=skip-build`);
    const check = `YARN_NODE_LINKER=${linker} yarn node check.mjs fixture`;
    say(`yarn, ${linker}: ${project.run(24, check).trim()}`);
  }
}

/** The command without a project. */
function checkNpx(machine, registry) {
  const project = newProject(machine, registry, 'npx', {});
  if (!/^ {2}convert /m.test(project.run(24, 'npx --yes tlsc --help')))
    throw new Failure('npx tlsc --help does not list the commands');
}

/** What has been started, to be closed in the reverse order. */
const open = [];

async function main() {
  checkTarballs();
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-registry-'));
  open.push(() => rmSync(folder, { recursive: true, force: true }));
  const registry = await startRegistry(packed, folder, (close) => open.push(close));
  const machine = startMachine();
  open.push(machine.close);
  say(machine.isDebian ? 'on Debian 11 (glibc 2.31)' : 'on this machine, with a short PATH');
  checkNpm(machine, registry);
  checkNpx(machine, registry);
  checkPnpm(machine, registry);
  checkYarn(machine, registry);
  checkDockerfile(machine, registry);
  checkArm64(registry);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`\ntlsc: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const close of open.reverse()) close();
}
