// The Dockerfile of the examples, without Docker: its steps on the machine.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, root, say } from '../../scripts/lib.mjs';
import { newProject } from './project.mjs';

const examples = join(root, 'examples');

/** The lines of one instruction, without its name. */
function instructions(dockerfile, name) {
  const lines = dockerfile.split('\n').filter((line) => line.startsWith(`${name} `));
  return lines.map((line) => line.slice(name.length + 1));
}

export function checkDockerfile(machine, url) {
  const dockerfile = readFileSync(join(examples, 'Dockerfile'), 'utf8');
  const project = newProject(machine, url, 'docker', {});
  for (const copy of instructions(dockerfile, 'COPY')) {
    const [from, to] = copy.split(' ');
    cpSync(join(examples, from), join(project.folder, to));
  }
  for (const command of instructions(dockerfile, 'RUN')) project.run(22, command);
  const [entry] = instructions(dockerfile, 'ENTRYPOINT');
  const start = JSON.parse(entry).map((word) => (word === '/restored' ? 'restored' : word));
  project.run(22, 'mkdir --mode=777 restored');
  // As `USER` has it: an ordinary one.
  const asUser = machine.isDebian ? 'setpriv --reuid=1000 --regid=1000 --clear-groups ' : '';
  project.run(22, `${asUser}${start.join(' ')} photos`);
  if (readFileSync(join(project.folder, 'restored', 'tea-gardens_input.png')).length < 10_000)
    throw new Failure('the Dockerfile restores nothing');
  say('Dockerfile: its steps install, convert and restore');
}
