// Where users install: a machine without compilers, without this checkout, with nothing but Node.js and a package manager. As root on Debian it is
// the oldest Debian that the mirror has (glibc 2.31), in a folder of its own; elsewhere a temporary folder and a short PATH.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, read, run, say, tools } from '../../scripts/lib.mjs';
import { debianMirror, hasDebian } from '../../scripts/steps/debian.mjs';
import { nodeVersions, provideNode } from './node.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const commands = {
  npm: 'npm/bin/npm-cli.js',
  npx: 'npm/bin/npx-cli.js',
  pnpm: 'pnpm/bin/pnpm.cjs',
  yarn: '@yarnpkg/cli-dist/bin/yarn.js',
};

/** Debian 11 in `root`. */
function installDebian(root) {
  const pristine = join(tools, 'debian-bullseye');
  if (!existsSync(pristine)) {
    say('installing Debian 11 into .tools');
    const work = `${pristine}.new`;
    rmSync(work, { recursive: true, force: true });
    const args = ['--variant=minbase', 'bullseye', work, debianMirror()];
    const log = spawnSync('debootstrap', args, { encoding: 'utf8' });
    if (log.status !== 0) throw new Failure(`debootstrap failed:\n${log.stdout ?? log.error}`);
    renameSync(work, pristine);
  }
  run('cp', ['-a', '--reflink=auto', `${pristine}/.`, root]);
}

/** Containers may refuse what it takes. */
function canHaveDebian() {
  const commands = [
    ['debootstrap', ['--version']],
    ['unshare', ['--mount', 'true']],
  ];
  const isRoot = process.getuid?.() === 0;
  return isRoot && hasDebian() && commands.every(([name, args]) => read(name, args) !== undefined);
}

/** In Debian every command has its own /proc, which goes with it; its root folder is `root`. */
function inDebian(root, line) {
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', enter, root, ...line];
}

function installNode(root, inside, major) {
  const bin = join(root, 'opt', `node${major}`, 'bin');
  mkdirSync(bin, { recursive: true });
  cpSync(provideNode(major, process.arch), join(bin, 'node'));
  for (const [name, script] of Object.entries(commands)) {
    const line = `exec '${inside(`/opt/node${major}/bin/node`)}' '${inside(`/opt/tools/${script}`)}' "$@"`;
    writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(bin, name), 0o755);
  }
}

/** A machine with every Node.js under /opt/node<major>/bin, and the package managers. `close` removes it. */
export function startMachine() {
  const isDebian = canHaveDebian();
  const root = mkdtempSync(join(tmpdir(), 'tlsc-install-'));
  const close = () => rmSync(root, { recursive: true, force: true });
  // In Debian a path is what it is inside, elsewhere what it is outside.
  const inside = (path) => (isDebian ? path : join(root, path));
  try {
    if (isDebian) installDebian(root);
    chmodSync(root, 0o755);
    mkdirSync(join(root, 'home'), { recursive: true });
    cpSync(join(here, 'node_modules'), join(root, 'opt', 'tools'), { recursive: true });
    for (const major of Object.keys(nodeVersions)) installNode(root, inside, major);
  } catch (error) {
    close();
    throw error;
  }
  return {
    isDebian,
    root,
    close,
    /** Runs a shell's command line in a folder of the machine; throws a `Failure` with what it printed unless it exits with 0. */
    run(folder, major, command, env = {}) {
      const path = `${inside(`/opt/node${major}/bin`)}:/usr/bin:/bin`;
      const settings = { PATH: path, HOME: inside('/home'), CI: 'true', ...env };
      const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
      const line = ['env', '-i', ...assignments, '/bin/sh', '-c', `cd '${inside(folder)}' && ${command}`];
      const [first, ...args] = isDebian ? inDebian(root, line) : line;
      const result = spawnSync(first, args, { encoding: 'utf8', cwd: '/' });
      if (result.status !== 0)
        throw new Failure(`${command} failed in ${folder}:\n${result.stdout}${result.stderr}`);
      return result.stdout;
    },
  };
}
