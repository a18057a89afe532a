import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly errors: string;
  /** From the word 'ending' to the end of the process. */
  readonly endingMs: number;
}

/** Runs a script beside this file to its end. */
export function runChild(
  script: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<End> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [...flags, path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors, endingAt] = ['', '', performance.now()];
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (String(chunk).includes('ending')) endingAt = performance.now();
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const lines = output.split('\n').filter((line) => line !== '');
      resolve({ code, signal, lines, errors, endingMs: performance.now() - endingAt });
    });
  });
}
