// What every build step shares: where things are, how a command is run, how a failure reads.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const tools = join(root, '.tools');

/** The folders below packages/ of what is published, those that others need first. */
export const workspacePackages = ['core-native', 'ts-api', 'evaluate', 'server', 'cli'];

/** A failure the user can act on: `message` names the culprit, `advice` what to do about it. */
export class Failure extends Error {
  constructor(message, advice) {
    super(message);
    this.advice = advice;
  }
}

export function say(text) {
  console.log(`tlsc: ${text}`);
}

function shorten(text) {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** Runs a command with its output shown; throws a `Failure` with `advice` unless it exits with 0. */
export function run(command, args, { cwd = root, env = {}, advice = '' } = {}) {
  const result = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' });
  if (result.error) throw new Failure(`cannot start ${command}: ${result.error.message}`, advice);
  if (result.status !== 0) {
    const how = result.signal ? `was stopped by ${result.signal}` : `failed with exit code ${result.status}`;
    throw new Failure(`${shorten([basename(command), ...args].join(' '))} ${how}`, advice);
  }
}

/** Whether a file is there and holds just this text: how steps know that they have nothing to do. */
export function holds(file, text) {
  return existsSync(file) && readFileSync(file, 'utf8') === text;
}

/** The standard output of a command, or undefined when it cannot be started or fails. */
export function read(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return result.status === 0 ? result.stdout : undefined;
}

/** How npm is started: by its script where it has started this, since Windows starts no npm.cmd without a shell. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
}

/** Runs npm, as `run` does. */
export function runNpm(args, options) {
  const [command, ...first] = npmCommand();
  run(command, [...first, ...args], options);
}

/** The standard output of npm, as `read` gives it. */
export function readNpm(args) {
  const [command, ...first] = npmCommand();
  return read(command, [...first, ...args]);
}
