import { sql } from 'drizzle-orm';
import { DependencyUnavailableError } from '../errors.ts';
import type { Database, Db } from './db.ts';
import { drizzleOver } from './drizzleClient.ts';
import { hasCode } from './failures.ts';
import { createPool } from './pool.ts';
import { createPostgresConnection } from './postgresConnection.ts';

const defaultPoolSize = 10;
const deadlineMs = 4500;
const controlDeadlineMs = 1500;
/** Below the deadline, so that the server gives up first and the connection stays good. */
const requestSettings = {
  statement_timeout: '4000',
  lock_timeout: '2000',
  idle_in_transaction_session_timeout: '5000',
  // Without it the server goes on with the statement of a connection that we have thrown away.
  client_connection_check_interval: '250',
};

const exclusiveDeadlineMs = 600_000;
const exclusiveWaitMs = 60_000;
const exclusiveSettings = {
  statement_timeout: '0',
  lock_timeout: String(exclusiveWaitMs),
  idle_in_transaction_session_timeout: '0',
};
/** Any number will do that nothing else in the database takes as its advisory lock. */
const exclusiveLockKey = 7_305_219_841;

/** Queries whose text varies must not fill the server's memory with prepared statements, which every connection keeps. */
const maxPreparedTexts = 500;

export type PostgresOptions = {
  url: string;
  poolSize?: number;
  /** Called with the text of every statement that is sent, but for those of the control connection. */
  onStatement?: (sql: string) => void;
};

/** Opens a pool of connections to Postgres; rejects where the server does not answer now. */
export async function openPostgres({
  url,
  poolSize = defaultPoolSize,
  onStatement,
}: PostgresOptions): Promise<Database> {
  const isPrepared = rememberTexts(maxPreparedTexts);
  const open = (size: number, limitMs: number, settings: Record<string, string>, isHeard = true) => {
    const pool = createPool(
      () => createPostgresConnection({ url, codecs, settings, isPrepared, ...(isHeard && { onStatement }) }),
      size,
      limitMs,
    );
    const { db, codecs } = drizzleOver(pool);
    return { db, pool };
  };

  const { db, pool } = open(poolSize, deadlineMs, requestSettings);
  const control = open(1, controlDeadlineMs, requestSettings, false);
  const ping = async () => {
    await pool.use((connection) => connection.run('select 1', [], true));
  };

  async function exclusively<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const own = open(1, exclusiveDeadlineMs, exclusiveSettings);
    try {
      return await own.db.transaction(async (tx) => {
        await lock(tx);
        return await work(tx);
      });
    } finally {
      await own.pool.close();
    }
  }

  await ping().catch((error) => {
    throw new Error(`The database cannot be opened: ${reasonOf(error)}`, { cause: error });
  });
  const close = async () => {
    await Promise.all([pool.close(), control.pool.close()]);
  };
  return { db, control: control.db, kind: 'postgres', ping, exclusively, waitMs: pool.waitMs, close };
}

async function lock(tx: Db): Promise<void> {
  try {
    await tx.execute(sql`select pg_advisory_xact_lock(${exclusiveLockKey}::bigint)`);
  } catch (error) {
    if (hasCode(error, '55P03')) {
      throw new Error(`Another process has been migrating this database for ${exclusiveWaitMs / 1000} s.`, {
        cause: error,
      });
    }
    throw error;
  }
}

function rememberTexts(max: number): (text: string) => boolean {
  const texts = new Set<string>();
  return (text) => {
    if (texts.size < max) {
      texts.add(text);
      return true;
    }
    return texts.has(text);
  };
}

/** What the server or the network said, which holds no password. */
function reasonOf(error: unknown): string {
  const cause = error instanceof DependencyUnavailableError ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
