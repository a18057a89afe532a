// What the published Linux binaries are built with: GCC 10 of Debian 11, for this processor or across, unpacked into .tools. Its C
// library is 2.31, so that nothing newer can get in; what must be older still, the check of the binaries sees to.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Failure, run, say, tools } from '../lib.mjs';
import { hasDebian, withDebian } from '../steps/debian.mjs';

const suite = 'bullseye';
const targets = {
  'linux-x64': { triplet: 'x86_64-linux-gnu', compiler: 'g++-10' },
  'linux-arm64': { triplet: 'aarch64-linux-gnu', compiler: 'g++-10-aarch64-linux-gnu' },
};
// They come with the compilers as what any Debian has; nothing here runs them.
const unneeded = /^(debconf|dpkg|perl-base|tar)_/;

/** The folder of gcc and g++ for a Linux platform, what they call that platform, and their `strip`. */
export function compilersOf(platform) {
  const folder = join(tools, 'compilers', platform);
  const { triplet } = targets[platform];
  return { folder, triplet, strip: join(folder, 'strip') };
}

/** Debian's links of libraries are absolute; here they must lead to their neighbours. */
function makeLinksRelative(root) {
  for (const name of readdirSync(root, { recursive: true })) {
    const path = join(root, name);
    if (!lstatSync(path).isSymbolicLink()) continue;
    const target = readlinkSync(path);
    if (!target.startsWith('/')) continue;
    rmSync(path);
    symlinkSync(relative(dirname(path), join(root, target)), path);
  }
}

/** A tool with its own libraries, assembler and linker, whatever the machine has. */
function writeWrapper(file, command) {
  const lines = [
    '#!/bin/sh',
    'here=$(cd "$(dirname "$0")" && pwd)',
    'LD_LIBRARY_PATH="$here/usr/lib/x86_64-linux-gnu" PATH="$here/usr/bin:$PATH" \\',
    `  exec "$here/usr/bin/"${command} "$@"`,
    '',
  ];
  writeFileSync(file, lines.join('\n'));
  chmodSync(file, 0o755);
}

/** Brings the compiler for a Linux platform. */
export function provideCompilers(platform) {
  const { folder, triplet, strip } = compilersOf(platform);
  const complete = join(folder, 'g++');
  if (existsSync(complete)) return;
  const advice =
    'The published Linux binaries are built on Debian (or in a container of it) on x64, with compilers from its mirror.';
  if (!hasDebian() || process.platform !== 'linux' || process.arch !== 'x64')
    throw new Failure(`cannot fetch the compiler for ${platform} here`, advice);
  say(`fetching the compiler for ${platform} from the Debian mirror of this machine into .tools`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  withDebian(suite, folder, advice, (apt, state) => {
    apt('--yes', 'install', '--download-only', targets[platform].compiler);
    const archives = join(state, 'cache', 'archives');
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb') && !unneeded.test(name)))
      run('dpkg-deb', ['-x', join(archives, file), folder], { advice });
  });
  makeLinksRelative(folder);
  writeWrapper(strip, `${triplet}-strip`);
  writeWrapper(join(folder, 'gcc'), `${triplet}-gcc-10 --sysroot="$here"`);
  writeWrapper(complete, `${triplet}-g++-10 --sysroot="$here"`); // last: that it is there says that all is
}
