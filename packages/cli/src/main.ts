import { CommanderError } from 'commander';
import { createProgram } from './program.js';

// A reader that has seen enough, such as head, closes the pipe. The work is done all the same.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.exitCode = 1;
  console.error(`tlsc: cannot print: ${error.message}`);
});
process.stderr.on('error', () => {});

process.exitCode = await createProgram()
  .parseAsync()
  .then(
    () => process.exitCode ?? 0,
    (error: unknown) => {
      if (!(error instanceof CommanderError)) throw error;
      // commander has printed help or what was wrong by now.
      return error.exitCode === 0 ? 0 : 2;
    },
  );
