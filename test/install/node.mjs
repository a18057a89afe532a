// Node.js of another version or processor, from npm's packages of its binaries.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, runNpm, say, tools } from '../../scripts/lib.mjs';

/** The newest of each line that is supported when this was written. */
export const nodeVersions = { 20: '20.20.2', 22: '22.23.5', 24: '24.22.3' };

/** The file of a Node.js for Linux on that processor. */
export function provideNode(major, arch) {
  const version = nodeVersions[major];
  const folder = join(tools, 'node', `${version}-${arch}`);
  const file = join(folder, 'bin', 'node');
  if (existsSync(file)) return file;
  say(`fetching Node.js ${version} for ${arch} into .tools`);
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  runNpm(['pack', '--silent', '--pack-destination', work, `node-linux-${arch}@${version}`]);
  const [archive] = readdirSync(work);
  run('tar', ['-xzf', join(work, archive), '-C', work, '--strip-components=1']);
  rmSync(join(work, archive));
  renameSync(work, folder);
  return file;
}
