import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, root } from '../lib.mjs';
import { runVitest } from './typescript.mjs';

/** Tests the pages that we make in a browser. */
export function testPages() {
  const chromium = process.env.TLSC_CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(chromium))
    throw new Failure(
      `${chromium} was not found`,
      'Install Chromium (Debian: apt install chromium), or name its executable in TLSC_CHROMIUM.',
    );
  runVitest(['run', '--config', join(root, 'test', 'page', 'vitest.config.ts')]);
}
