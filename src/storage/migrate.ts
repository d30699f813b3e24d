import { fileURLToPath } from 'node:url';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import type { Database, Db } from './db.ts';

/** The migrations of this version. */
export const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Applies the migrations of `folder` that the database does not have, then runs `afterMigrate`: all of it or nothing,
 * and one process at a time; the others wait and find it done.
 */
export function migrate(
  database: Database,
  { folder, afterMigrate }: { folder: string; afterMigrate?: (db: Db) => Promise<void> },
): Promise<void> {
  return database.exclusively(async (db) => {
    await applyMigrations(db, { migrationsFolder: folder });
    await afterMigrate?.(db);
  });
}
