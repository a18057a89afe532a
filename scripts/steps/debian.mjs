// Packages of Debian's, without root and without a trace in the system: a private package list and private state folders.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib.mjs';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The Debian mirror in this machine's package sources; apt's own listing is empty until someone ran `apt-get update`. */
export function debianMirror() {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  for (const file of files.filter((name) => existsSync(name))) {
    const address = readFileSync(file, 'utf8').match(/^(?!\s*#).*?(https?:\/\/\S+\/debian\/?)(?=\s|$)/m);
    if (address) return address[1];
  }
  return undefined;
}

/** Whether this machine can fetch packages from a Debian mirror. */
export function hasDebian() {
  return debianMirror() !== undefined && existsSync(keyring);
}

function aptOptions(folder) {
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, name), { recursive: true });
  const settings = {
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
    'APT::Sandbox::User': '',
    'APT::Install-Recommends': 'false',
    'Debug::NoLocking': '1',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * Calls `use` with a function that runs apt-get over one release of Debian, in a temporary folder below `place` and knowing of
 * no installed package; `use` is told the folder, too.
 */
export function withDebian(suite, place, advice, use) {
  const folder = join(place, 'apt');
  rmSync(folder, { recursive: true, force: true });
  const options = aptOptions(folder);
  const origin = `[signed-by=${keyring}] ${debianMirror()} ${suite} main\n`;
  writeFileSync(join(folder, 'sources.list'), `deb ${origin}deb-src ${origin}`);
  const apt = (...args) => run('apt-get', [...options, '-qq', ...args], { cwd: folder, advice });
  apt('update');
  use(apt, folder);
  rmSync(folder, { recursive: true, force: true });
}
