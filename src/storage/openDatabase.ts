import type { Database } from './db.ts';
import { openEmbedded } from './embedded.ts';
import { openPostgres } from './postgres.ts';

export type DatabaseOptions = {
  /** Postgres; where it is undefined, the embedded engine keeps its data in `dataDirectory`. */
  databaseUrl: string | undefined;
  dataDirectory: string;
  onStatement?: (sql: string) => void;
};

/** Opens the database that the configuration names; rejects where it cannot be used now. */
export function openDatabase({ databaseUrl, dataDirectory, onStatement }: DatabaseOptions): Promise<Database> {
  return databaseUrl === undefined
    ? openEmbedded({ directory: dataDirectory, onStatement })
    : openPostgres({ url: databaseUrl, onStatement });
}
