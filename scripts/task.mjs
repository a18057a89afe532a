// The root npm scripts. Each task first brings what it needs, then does its job; what is there already is left alone.
import { join } from 'node:path';
import { Failure, root, run } from './lib.mjs';
import { testArm64 } from './release/arm64.mjs';
import { testInstallation } from './release/installation.mjs';
import { pack } from './release/pack.mjs';
import { prebuild } from './release/prebuilds.mjs';
import { release } from './release/release.mjs';
import { fuzz, soak } from './steps/fuzz.mjs';
import { format, lint } from './steps/lint.mjs';
import { benchKernels, buildAddon, buildCudaOperators, testKernels } from './steps/native.mjs';
import { provideNativePackages } from './steps/native-packages.mjs';
import { installPackages } from './steps/packages.mjs';
import { testPages } from './steps/pages.mjs';
import { evaluateReal } from './steps/real.mjs';
import { checkToolchain } from './steps/toolchain.mjs';
import { buildTypeScript, checkTestTypes, runVitest } from './steps/typescript.mjs';

function setup() {
  checkToolchain();
  installPackages();
  provideNativePackages();
  buildAddon();
  buildTypeScript();
}

function orHere(platforms) {
  return platforms.length > 0 ? platforms : [`${process.platform}-${process.arch}`];
}

const tasks = {
  setup,
  cuda() {
    setup();
    buildCudaOperators();
  },
  demo(args) {
    setup();
    run(process.execPath, [join(root, 'examples', 'dist', 'demo.js'), ...args]);
  },
  async test(args) {
    setup();
    if (args.length === 0) await testKernels('release');
    runVitest(['run', ...args]);
  },
  async sanitize() {
    setup();
    await testKernels('asan');
    await testKernels('tsan');
  },
  async fuzz(args) {
    setup();
    await fuzz(args);
  },
  bench() {
    setup();
    provideNativePackages('bench');
    benchKernels();
    for (const name of ['networks', 'event-loop', 'photos', 'pieces'])
      run(process.execPath, [join(root, 'test', 'dist', 'bench', `${name}.js`)]);
  },
  async prebuild(platforms) {
    checkToolchain();
    installPackages();
    provideNativePackages('prebuild');
    for (const platform of orHere(platforms)) await prebuild(platform);
  },
  async pack(platforms) {
    installPackages();
    buildTypeScript();
    await pack(orHere(platforms));
  },
  async release(args) {
    installPackages();
    buildTypeScript();
    await release(args);
  },
  async 'test:arm64'(args) {
    checkToolchain();
    installPackages();
    provideNativePackages('prebuild');
    await testArm64(args);
  },
  async 'test:install'() {
    const platforms = ['linux-x64', 'linux-arm64'];
    await tasks.prebuild(platforms);
    await tasks.pack(platforms);
    testInstallation();
  },
  'evaluate:real'(args) {
    setup();
    evaluateReal(args);
  },
  'test:page'() {
    setup();
    testPages();
  },
  load(args) {
    setup();
    run(process.execPath, [join(root, 'test', 'dist', 'load', 'main.js'), ...args]);
  },
  soak(args) {
    setup();
    soak(args);
  },
  lint() {
    installPackages();
    buildTypeScript();
    checkTestTypes();
    lint();
  },
  format() {
    installPackages();
    format();
  },
};

const [name, ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(tasks, name))
    throw new Failure(`unknown task ${name}`, `Tasks: ${Object.keys(tasks).join(', ')}.`);
  await tasks[name](args);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`\ntlsc: ${error.message}${error.advice ? `\n${error.advice}` : ''}`);
  process.exitCode = 1;
}
