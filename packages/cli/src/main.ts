import { CommanderError } from 'commander';
import { createProgram } from './program.js';

// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

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
