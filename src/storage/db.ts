import type { PgDatabase } from 'drizzle-orm/pg-core';
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';

/**
 * What every query is given first: a database or one of its transactions, on Postgres and on the embedded engine alike.
 * Both answer in the same shapes: dates and times as Postgres writes them, bigint and numeric as text,
 * JSON parsed (in raw SQL a JSON value that is a string keeps its quotes).
 */
export type Db = PgDatabase<PostgresJsQueryResultHKT, Record<string, never>>;

/**
 * An open database. Every call answers or fails within its deadline; `isDependencyFailure` knows those failures.
 * Inside a transaction use the transaction alone: the embedded engine has one connection, so a query of the outer `db`
 * would wait for the transaction that waits for it, until the deadline ends both.
 */
export type Database = {
  db: Db;
  kind: 'postgres' | 'embedded';
  /** The same database over a connection of its own, for what must not wait behind requests; fails after 1.5 s. */
  control: Db;
  /** Resolves when the engine answered a statement. */
  ping(): Promise<void>;
  /**
   * Runs `work` in one transaction that one process at a time may hold, without the short deadlines of requests:
   * for migrations. Waits a minute for another process.
   */
  exclusively<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** How long the oldest of the calls that wait for a connection has waited; 0 where none does. */
  waitMs(): number;
  /** Refuses new work, lets the work in progress end, and resolves when every connection is closed. */
  close(): Promise<void>;
};

/** The rows of a raw `db.execute`, which drizzle types by its driver; the caller vouches for `T`. */
export function rows<T>(result: unknown): T[] {
  if (!Array.isArray(result)) {
    throw new TypeError('The statement did not answer with rows.');
  }
  return result;
}
