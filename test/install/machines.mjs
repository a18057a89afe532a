// Where users install: a machine without compilers, without this checkout, with nothing but Node.js and a package manager. As root on Debian it is
// the oldest Debian that the mirror has (glibc 2.31), in a folder of its own; elsewhere a temporary folder and a short PATH.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** Debian 11 in `root`; what it was before is gone. */
function installDebian(root) {
  const pristine = join(tools, 'debian-bullseye');
  if (!existsSync(join(pristine, 'etc', 'debian_version'))) {
    say('installing Debian 11 into .tools');
    rmSync(pristine, { recursive: true, force: true });
    const args = ['--variant=minbase', 'bullseye', pristine, debianMirror()];
    const log = spawnSync('debootstrap', args, { encoding: 'utf8' });
    if (log.status !== 0) throw new Failure(`debootstrap failed:\n${log.stdout ?? log.error}`);
  }
  run('cp', ['-a', '--reflink=auto', `${pristine}/.`, root]);
  run('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  return () => run('umount', [join(root, 'proc')]);
}

function canHaveDebian() {
  return process.getuid?.() === 0 && hasDebian() && read('debootstrap', ['--version']) !== undefined;
}

/** A machine with every Node.js under /opt/node<major>/bin, and the package managers. */
export function startMachine() {
  const isDebian = canHaveDebian();
  const root = mkdtempSync(join(tmpdir(), 'tlsc-install-'));
  const release = isDebian ? installDebian(root) : () => {};
  // In the folder a path is what it is inside, elsewhere what it is outside.
  const inside = (path) => (isDebian ? path : join(root, path));
  cpSync(join(here, 'node_modules'), join(root, 'opt', 'tools'), { recursive: true });
  for (const major of Object.keys(nodeVersions)) {
    const bin = join(root, 'opt', `node${major}`, 'bin');
    mkdirSync(bin, { recursive: true });
    cpSync(provideNode(major, process.arch), join(bin, 'node'));
    for (const [name, script] of Object.entries(commands)) {
      const target = inside(`/opt/tools/${script}`);
      writeFileSync(
        join(bin, name),
        `#!/bin/sh\nexec ${inside(`/opt/node${major}/bin/node`)} ${target} "$@"\n`,
      );
      chmodSync(join(bin, name), 0o755);
    }
  }
  return {
    isDebian,
    root,
    inside,
    /** Runs a shell's command line in a folder of the machine; throws a `Failure` with what it printed unless it exits with 0. */
    run(folder, major, command, env = {}) {
      const home = inside('/home');
      mkdirSync(join(root, 'home'), { recursive: true });
      const system = '/usr/bin:/bin';
      const settings = {
        PATH: `${inside(`/opt/node${major}/bin`)}:${system}`,
        HOME: home,
        CI: 'true',
        ...env,
      };
      const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
      const line = ['env', '-i', ...assignments, '/bin/sh', '-c', `cd ${inside(folder)} && ${command}`];
      const args = isDebian ? ['chroot', root, ...line] : line;
      const result = spawnSync(args[0], args.slice(1), { encoding: 'utf8', cwd: '/' });
      if (result.status !== 0)
        throw new Failure(`${command} failed in ${folder}:\n${result.stdout}${result.stderr}`);
      return result.stdout;
    },
    close() {
      release();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
