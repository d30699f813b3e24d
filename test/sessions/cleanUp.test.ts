import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cleanUp, runHourly } from '../../src/sessions/cleanUp.ts';
import { type Database, type Db, rows } from '../../src/storage/db.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import * as users from '../../src/users/repository.ts';
import { createDatabase } from '../support/databases.ts';

const nothing = { sessions: 0, epochs: 0 };

let created: Awaited<ReturnType<typeof createDatabase>>;
let database: Database;
let db: Db;
let other: postgres.Sql;
let begins = 0;

beforeAll(async () => {
  created = await createDatabase();
  database = await openDatabase({
    databaseUrl: created.url,
    dataDirectory: '',
    onStatement: (statement) => {
      if (statement === 'begin') begins += 1;
    },
  });
  await migrate(database, { folder: 'drizzle' });
  db = database.db;
  other = postgres(created.url, { max: 1, onnotice: () => undefined });
  await addUser(db);
});
afterAll(async () => {
  await other.end();
  await database.close();
  await created.drop();
});
beforeEach(async () => {
  await db.execute(sql`delete from sessions`);
  await db.execute(sql`delete from credential_epochs`);
  begins = 0;
});

async function addUser(to: Db) {
  await users.create(to, { email: 'person@example.com', passwordHash: 'x', roles: ['VIEWER'], tier: 'FREE' });
}

/** So many sessions that began that long ago, each with a secret that was replaced. */
async function addSessions(count: number, age: string, to = db): Promise<void> {
  await to.execute(sql`
    with added as (
      insert into sessions (id, user_id, secret_hash, ip, created_at)
      select gen_random_uuid(), users.id, 'x', '::1', now() - ${age}::interval
      from users, generate_series(1, ${count}::integer)
      returning id, created_at
    )
    insert into replaced_session_secrets select gen_random_uuid(), id, created_at from added`);
}

async function addEpoch(subject: string, age: string): Promise<void> {
  await db.execute(sql`
    insert into credential_epochs values (${subject}, 1, pg_current_xact_id(), now() - ${age}::interval)`);
}

async function count(from: Db = db): Promise<{ sessions: number; replaced: number }> {
  const result = await from.execute(sql`
    select (select count(*)::integer from sessions) as sessions,
      (select count(*)::integer from replaced_session_secrets) as replaced`);
  const [counts] = rows<{ sessions: number; replaced: number }>(result);
  return counts ?? { sessions: -1, replaced: -1 };
}

describe('a clean-up', () => {
  test('deletes the sessions that are past their absolute end with their replaced secrets, and no living one', async () => {
    await addSessions(3, '24 hours 1 second');
    await addSessions(2, '23 hours 59 minutes');
    await db.execute(sql`update sessions set revoked_at = now() where id = (select max(id) from sessions)`);
    expect(await cleanUp(db)).toEqual({ sessions: 3, epochs: 0 });
    expect(await count()).toEqual({ sessions: 2, replaced: 2 });
    expect(await cleanUp(db)).toEqual(nothing);
  });

  test('deletes at most 1,000 in a transaction, and goes on until none is left', async () => {
    await addSessions(2_500, '2 days');
    expect(await cleanUp(db)).toEqual({ sessions: 2_500, epochs: 0 });
    expect(begins).toBe(3);
    expect(await count()).toEqual({ sessions: 0, replaced: 0 });
  });

  test('at the same time as another leaves the work to it', async () => {
    await addSessions(5, '2 days');
    const second = await openDatabase({ databaseUrl: created.url, dataDirectory: '' });
    try {
      const [{ promise: isLocked, resolve: lock }, { promise: goOn, resolve: release }] = [
        Promise.withResolvers<void>(),
        Promise.withResolvers<void>(),
      ];
      const holding = other.begin(async (tx) => {
        await tx`lock table sessions in access exclusive mode`;
        lock();
        await goOn;
      });
      await isLocked;
      const first = cleanUp(db);
      await expect.poll(async () => (await waiting(second.db)).length).toBe(1);
      expect(await cleanUp(second.db)).toEqual(nothing);
      release();
      await holding;
      expect(await first).toEqual({ sessions: 5, epochs: 0 });
    } finally {
      await second.close();
    }
  });

  test('waits for no session that somebody is changing, and takes it the next time', async () => {
    await addSessions(2, '2 days');
    await other.begin(async (tx) => {
      await tx`update sessions set revoked_at = now() where id = (select max(id) from sessions)`;
      expect(await cleanUp(db)).toEqual({ sessions: 1, epochs: 0 });
    });
    expect(await cleanUp(db)).toEqual({ sessions: 1, epochs: 0 });
  });

  test('forgets the epochs that no living session is older than, but never that of everybody', async () => {
    await addEpoch('user_old', '25 hours 1 minute');
    await addEpoch('user_young', '24 hours 59 minutes');
    await addEpoch('global', '300 days');
    expect(await cleanUp(db)).toEqual({ sessions: 0, epochs: 1 });
    const left = await db.execute(sql`select subject from credential_epochs order by subject`);
    expect(rows(left)).toEqual([{ subject: 'global' }, { subject: 'user_young' }]);
  });

  test('stops between two transactions where it is told to', async () => {
    await addSessions(1, '2 days');
    expect(await cleanUp(db, AbortSignal.abort())).toEqual(nothing);
    expect((await count()).sessions).toBe(1);
  });

  test('does the same on the embedded database', { timeout: 120_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nexus-cleanup-'));
    const embedded = await openDatabase({ databaseUrl: undefined, dataDirectory: directory });
    try {
      await migrate(embedded, { folder: 'drizzle' });
      await addUser(embedded.db);
      await addSessions(1_001, '2 days', embedded.db);
      await addSessions(1, '1 hour', embedded.db);
      expect(await cleanUp(embedded.db)).toEqual({ sessions: 1_001, epochs: 0 });
      expect(await count(embedded.db)).toEqual({ sessions: 1, replaced: 1 });
    } finally {
      await embedded.close();
      await rm(directory, { recursive: true });
    }
  });
});

describe('the hourly run', () => {
  const minuteMs = 60_000;

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('comes some minutes after the start, then every hour, also after a failure, which is reported', async () => {
    const failures: unknown[] = [];
    const work = vi.fn(() => Promise.reject(new Error('down')));
    const hourly = runHourly(work, (error) => failures.push(error));
    await vi.advanceTimersByTimeAsync(minuteMs - 1);
    expect(work).toHaveBeenCalledTimes(0);
    await vi.advanceTimersByTimeAsync(9 * minuteMs + 1);
    expect(work).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(120 * minuteMs);
    expect(work).toHaveBeenCalledTimes(3);
    expect(failures).toEqual(Array(3).fill(new Error('down')));
    await hourly.close();
    await vi.advanceTimersByTimeAsync(120 * minuteMs);
    expect(work).toHaveBeenCalledTimes(3);
  });

  test('is waited for by close, which tells it to stop', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let signal: AbortSignal | undefined;
    const hourly = runHourly(
      (given) => {
        signal = given;
        return promise;
      },
      () => undefined,
    );
    await vi.advanceTimersByTimeAsync(10 * minuteMs);
    let isClosed = false;
    const closing = hourly.close().then(() => {
      isClosed = true;
    });
    await vi.advanceTimersByTimeAsync(minuteMs);
    expect([signal?.aborted, isClosed]).toEqual([true, false]);
    resolve();
    await closing;
  });
});

/** The statements that wait for a lock. */
async function waiting(from: Db): Promise<unknown[]> {
  return rows(
    await from.execute(sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`),
  );
}
