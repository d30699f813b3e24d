import path from 'node:path';
import { PGlite, types } from '@electric-sql/pglite';
import type { Database, Db } from './db.ts';
import { lockDirectory } from './directoryLock.ts';
import { drizzleOver, parseJson } from './drizzleClient.ts';
import { type Connection, createPool } from './pool.ts';

const deadlineMs = 4500;
const exclusiveDeadlineMs = 600_000;

const asText = (text: string) => text;
/** As postgres.ts has them, so that both engines answer in the same shapes. */
const parsers = {
  [types.INT8]: asText,
  [types.DATE]: asText,
  [types.TIME]: asText,
  [types.TIMETZ]: asText,
  [types.TIMESTAMP]: asText,
  [types.TIMESTAMPTZ]: asText,
  [types.INTERVAL]: asText,
  [types.JSON]: parseJson,
  [types.JSONB]: parseJson,
};

export type EmbeddedOptions = {
  directory: string;
  /** Called with the text of every statement that is run. */
  onStatement?: (sql: string) => void;
};

/**
 * Opens the Postgres inside this process, kept in `<directory>/pg`, which this process alone may use meanwhile. It runs
 * each statement to its end on the thread of JavaScript: the deadline ends the waiting for a transaction, never a
 * statement.
 */
export async function openEmbedded({ directory, onStatement }: EmbeddedOptions): Promise<Database> {
  const lock = await lockDirectory(directory);
  try {
    const engine = await PGlite.create(path.join(directory, 'pg'), { parsers });
    const pool = createPool(() => createSession(engine, onStatement), 1, deadlineMs);
    const { db } = drizzleOver(pool);
    const patient = drizzleOver({ ...pool, use: (work) => pool.use(work, exclusiveDeadlineMs) });
    const exclusively = <T>(work: (db: Db) => Promise<T>) => patient.db.transaction(work);
    const ping = async () => {
      await pool.use((connection) => connection.run('select 1', [], true));
    };
    const close = async () => {
      await pool.close();
      await engine.close();
      await lock.release();
    };
    await ping();
    return { db, control: db, kind: 'embedded', ping, exclusively, waitMs: pool.waitMs, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The one session of the engine, lent anew after each `destroy`. */
function createSession(engine: PGlite, onStatement?: (sql: string) => void): Connection {
  let isEnded = false;
  return {
    async run(text, params, asArrays) {
      if (isEnded) {
        throw new Error('The transaction took too long and was rolled back.');
      }
      onStatement?.(text);
      const options = { rowMode: asArrays ? 'array' : 'object' } as const;
      // Only without parameters may there be several statements, as in postgres.js.
      const result =
        params.length > 0 ? await engine.query(text, params, options) : (await engine.exec(text, options)).at(-1);
      return Object.defineProperty(result?.rows ?? [], 'count', { value: result?.affectedRows ?? 0 });
    },
    isUsable: () => !isEnded,
    async destroy() {
      if (!isEnded && !engine.closed) {
        isEnded = true;
        await engine.exec('rollback');
      }
    },
  };
}
