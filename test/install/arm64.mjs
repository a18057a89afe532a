// The packages for arm64 on an emulated processor: Node.js for arm64 converts a network and runs it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runNpm, say } from '../../scripts/lib.mjs';
import { provideEmulator } from '../../scripts/release/arm64.mjs';
import { provideNode } from './node.mjs';
import { fillProject } from './project.mjs';

export function checkArm64(url) {
  const emulator = provideEmulator();
  const folder = mkdtempSync(join(tmpdir(), 'tlsc-arm64-'));
  fillProject(folder, { '@tlsc/api': '*' });
  const target = ['--os=linux', '--cpu=arm64', '--libc=glibc'];
  runNpm(
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', ...target, '--registry', url],
    {
      cwd: folder,
    },
  );
  const [command, ...args] = emulator;
  say('Node.js for arm64, emulated:');
  run(command, [...args, provideNode(20, 'arm64'), 'check.mjs', 'fixture'], { cwd: folder });
  rmSync(folder, { recursive: true, force: true });
}
