// The command as a user has it: ./node_modules/.bin/tlsc, in a folder of its own.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const command = fileURLToPath(new URL('../bin/tlsc.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it came. */
  readonly bytes: Buffer;
}

export type Start = (
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
) => { readonly child: ChildProcessWithoutNullStreams; readonly outcome: Promise<Outcome> };

export type Tlsc = (...args: readonly string[]) => Promise<Outcome>;

/** The command, run in a folder. */
export function commandIn(cwd: string): { readonly start: Start; readonly tlsc: Tlsc } {
  const start: Start = (args, env = process.env) => {
    const child = spawn(process.execPath, [command, ...args], { cwd, env });
    const outcome = new Promise<Outcome>((resolve) => {
      const pieces: Buffer[] = [];
      let stderr = '';
      child.stdout.on('data', (data: Buffer) => pieces.push(data));
      child.stderr.on('data', (data) => (stderr += data));
      child.on('close', (code, signal) => {
        const bytes = Buffer.concat(pieces);
        resolve({ code, signal, stdout: bytes.toString(), stderr, bytes });
      });
    });
    return { child, outcome };
  };
  return { start, tlsc: (...args) => start(args).outcome };
}
