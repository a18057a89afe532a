import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Apart from the others: a browser is needed.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/page/*.page.ts'], testTimeout: 120_000, hookTimeout: 300_000 },
});
