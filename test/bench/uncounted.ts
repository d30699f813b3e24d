import '../../src/fastStart.ts';

/** Nexus without prices, quotas and rate limits, to compare with. */
const { createApp } = await import('../../src/app.ts');
const { readConfig } = await import('../../src/config.ts');
const app = await createApp(readConfig(), { isCounted: false });
console.info(`Nexus serves ${await app.http.listen()}/graphql`);
process.once('SIGTERM', () => app.close());
