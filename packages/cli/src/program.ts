import { createRequire } from 'node:module';
import { Command } from 'commander';
import { convertCommand } from './commands/convert.js';
import { doctorCommand } from './commands/doctor.js';
import { evaluateCommand } from './commands/evaluate.js';
import { freeCommand } from './commands/free.js';
import { inspectCommand } from './commands/inspect.js';
import { optimizeCommand } from './commands/optimize.js';
import { runCommand } from './commands/run.js';
import { serveCommand } from './commands/serve.js';
import { verifyCommand } from './commands/verify.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** The command line, its commands not yet run. Parsing rejects with a CommanderError on wrong usage. */
export function createProgram(): Command {
  const program = new Command('tlsc')
    .description('Make the global statistics of restoration networks local, and restore photos at full size.')
    .version(version)
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.');
  const commands = [
    convertCommand(),
    optimizeCommand(),
    freeCommand(),
    inspectCommand(),
    verifyCommand(),
    evaluateCommand(),
    runCommand(),
    serveCommand(),
    doctorCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...program.commands])
    command.exitOverride().showHelpAfterError('(--help says more)');
  return program;
}
