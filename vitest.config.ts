import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One graphql: the one that Node gives to our dependencies, where vitest would choose the ES module build.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/services.ts',
    setupFiles: 'test/support/quiet.ts',
    pool: 'forks',
    // The tests wait for Postgres and Redis, which need a core of their own.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
