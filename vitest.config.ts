import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    // Inference brings its own threads: more test files at once than cores would only make each wait for the others.
    maxWorkers: 2,
  },
});
