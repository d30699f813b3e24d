import type { Database } from './db.ts';
import { openPostgres } from './postgres.ts';

export type DatabaseOptions = {
  /** Postgres; where it is undefined, the embedded engine keeps its data in `dataDirectory`. */
  databaseUrl: string | undefined;
  dataDirectory: string;
  onStatement?: (sql: string) => void;
};

/** Opens the database that the configuration names; rejects where it cannot be used now. */
export async function openDatabase({ databaseUrl, dataDirectory, onStatement }: DatabaseOptions): Promise<Database> {
  if (databaseUrl !== undefined) return openPostgres({ url: databaseUrl, onStatement });
  // Loaded where it is needed: the engine is tens of megabytes.
  const { openEmbedded } = await import('./embedded.ts');
  return openEmbedded({ directory: dataDirectory, onStatement });
}
