import type { TestProject } from 'vitest/node';
import { startServices } from './startServices.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
    redisUrl: string;
  }
}

/** Vitest's global set-up: one Postgres and one Redis for the whole run, ended with it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = await startServices();
  project.provide('databaseUrl', services.databaseUrl);
  project.provide('redisUrl', services.redisUrl);
  return services.stop;
}
