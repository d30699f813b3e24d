import { createApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';

/** Nexus that never refuses for overload, to compare with. */
const app = await createApp(readConfig(), { shedAfterMs: Number.POSITIVE_INFINITY });
console.info(`Nexus serves ${await app.http.listen()}/graphql`);
process.once('SIGTERM', () => app.close());
