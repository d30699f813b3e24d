import { flushCompileCache } from 'node:module';
import './fastStart.ts';
import type { App } from './app.ts';

// Static imports would be loaded before the first line of fastStart.ts has run.
const { createApp } = await import('./app.ts');
const { readConfig } = await import('./config.ts');

const forcedExitMs = 15_000;

/** Starts the process and answers SIGTERM and SIGINT: requests in progress are answered, then everything closes. */
async function main(): Promise<void> {
  const config = readConfig();
  const app = await createApp(config);
  const stop = () => {
    setTimeout(() => process.exit(1), forcedExitMs).unref();
    app.close().then(
      () => process.exit(0),
      (error) => fail(error),
    );
  };
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (!isStopping) stop(); // A second signal does not cut short what the first one lets finish.
      isStopping = true;
    });

  // Before the port, which may be taken: there is no second chance to show them.
  if (app.madeUpAdmin)
    console.log(
      `The first admin, shown only now:\n  e-mail:   ${app.madeUpAdmin.email}\n  password: ${app.madeUpAdmin.password}`,
    );
  const url = await listen(app);
  if (config.databaseUrl === undefined)
    console.warn(
      `Embedded database in ${config.dataDirectory}: for one process on one machine. Set DATABASE_URL for Postgres.`,
    );
  if (config.redisUrl === undefined)
    console.warn('Limits and caches live in this process alone. Set REDIS_URL for Redis.');
  console.log(`Nexus serves ${url}/graphql`);
  flushCompileCache(); // Not left to the exit, which a kill would not reach.
}

async function listen(app: App): Promise<string> {
  try {
    return await app.http.listen();
  } catch (error) {
    await app.close();
    throw error;
  }
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

main().catch(fail);
