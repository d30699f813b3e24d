import { sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { Db } from '../storage/db.ts';
import { apiKeys } from './table.ts';

const noteEveryMs = 60_000;
const flushEveryMs = 5_000;
const maxKeys = 10_000;

/** Writes down when keys were used, a few seconds later and to the minute. */
export type LastUsed = {
  /** Notes that the key is in use now; costs no query. */
  note(keyId: string): void;
  /** Writes what is noted. Never rejects: a failure is reported, and what it concerns waits for the next flush. */
  flush(): Promise<void>;
  /** Writes what is noted for the last time. */
  close(): Promise<void>;
};

/** Holds at most 10,000 unwritten notes; while the database is away, further keys are noted later. */
export function createLastUsed(db: Db, onError: (error: unknown) => void): LastUsed {
  const recent = new LRUCache<string, true>({ max: maxKeys, ttl: noteEveryMs });
  const unwritten = new Map<string, Date>();
  let running = Promise.resolve();

  function note(keyId: string): void {
    if (recent.has(keyId) || (unwritten.size >= maxKeys && !unwritten.has(keyId))) return;
    recent.set(keyId, true);
    unwritten.set(keyId, new Date());
  }

  async function writeDown(): Promise<void> {
    if (unwritten.size === 0) return;
    const batch = [...unwritten];
    try {
      await write(db, batch);
    } catch (error) {
      onError(error);
      return;
    }
    for (const [keyId, usedAt] of batch) {
      if (unwritten.get(keyId) === usedAt) unwritten.delete(keyId);
    }
  }

  function flush(): Promise<void> {
    running = running.then(writeDown);
    return running;
  }

  const timer = setInterval(() => void flush(), flushEveryMs);
  timer.unref();

  return {
    note,
    flush,
    close() {
      clearInterval(timer);
      return flush();
    },
  };
}

/** The rows are locked in the order of their ids, so that the flushes of several processes cannot deadlock. */
async function write(db: Db, batch: [keyId: string, usedAt: Date][]): Promise<void> {
  const used = JSON.stringify(batch.map(([id, at]) => ({ id, at })));
  await db.execute(sql`
    update ${apiKeys} set last_used_at = greatest(last_used_at, used.at)
    from (
      select id, noted.at from ${apiKeys} join json_to_recordset(${used}::text::json) as noted (id text, at timestamptz) using (id)
      order by id for no key update of api_keys
    ) as used
    where api_keys.id = used.id
  `);
}
