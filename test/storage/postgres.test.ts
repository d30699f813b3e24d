import { createServer } from 'node:http';
import { sql } from 'drizzle-orm';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Database, rows } from '../../src/storage/db.ts';
import { isDependencyFailure } from '../../src/storage/failures.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import { createDatabase } from '../support/databases.ts';
import { type StallingProxy, startStallingProxy } from '../support/stallingProxy.ts';

const defaultPort = 5432;
const deadlineMs = 5_000;

const things = pgTable('things', { id: integer().primaryKey(), name: text() });

let server: { url: string; drop(): Promise<void> };
/** Watches and ends the connections of the database under test. */
let admin: Database;
let opened: Database[] = [];

async function open(url = server.url, poolSize?: number): Promise<Database> {
  const database = await openPostgres({ url, poolSize });
  opened.push(database);
  return database;
}

beforeAll(async () => {
  server = await createDatabase();
  admin = await openPostgres({ url: server.url, poolSize: 2 });
  await admin.db.execute(sql`create table things (id integer primary key, name text)`);
});

afterAll(async () => {
  await admin.close();
  await server.drop();
});

beforeEach(async () => {
  await admin.db.execute(sql`truncate things`);
});

afterEach(async () => {
  await Promise.all(opened.map((database) => database.close()));
  opened = [];
});

const ids = async () => (await admin.db.select({ id: things.id }).from(things).orderBy(things.id)).map(({ id }) => id);
const pidOf = async (db: Database['db']) =>
  rows<{ pid: number }>(await db.execute(sql`select pg_backend_pid() as pid`))[0]?.pid;
const terminate = (pid: number | undefined) => admin.db.execute(sql`select pg_terminate_backend(${pid}, 5000)`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

describe('statements', () => {
  test('a repeated statement is prepared once on the server', async () => {
    const { db } = await open(server.url, 1);
    const byId = db
      .select()
      .from(things)
      .where(sql`${things.id} = ${sql.placeholder('id')}`)
      .prepare('by_id');
    await db.insert(things).values([{ id: 1 }, { id: 2 }]);
    for (const id of [1, 2, 1, 2]) {
      await byId.execute({ id });
      await db.select({ name: things.name }).from(things).where(sql`${things.id} = ${id}`);
    }
    const prepared = await db.execute(
      sql`select statement, generic_plans + custom_plans as uses from pg_prepared_statements where statement like 'select "%' order by 1`,
    );
    expect(rows(prepared)).toEqual([
      { statement: 'select "id", "name" from "things" where "things"."id" = $1', uses: '4' },
      { statement: 'select "name" from "things" where "things"."id" = $1', uses: '4' },
    ]);
  });

  test('texts that vary do not fill the server with prepared statements', async () => {
    const { db } = await open(server.url, 1);
    for (let column = 0; column < 600; column++) {
      await db.execute(sql`select ${column}::int as ${sql.identifier(`c${column}`)}`);
    }
    const [prepared] = rows<{ count: string }>(await db.execute(sql`select count(*) from pg_prepared_statements`));
    expect(Number(prepared?.count)).toBeLessThanOrEqual(500);
  });

  test('a statement that takes too long is ended by the server, and its connection stays good', async () => {
    const { db } = await open(server.url, 1);
    const pid = await pidOf(db);
    const took = await elapsedMs(() =>
      expect(db.execute(sql`select pg_sleep(30)`)).rejects.toSatisfy(isDependencyFailure),
    );
    expect(took).toBeLessThan(deadlineMs);
    expect(await pidOf(db)).toBe(pid);
  });

  test('a statement that waits too long for a lock gives up first', async () => {
    const { db } = await open();
    await admin.db.transaction(async (tx) => {
      await tx.execute(sql`lock table things`);
      const took = await elapsedMs(() => expect(db.select().from(things)).rejects.toSatisfy(isDependencyFailure));
      expect(took).toBeLessThan(3_000);
    });
  });

  test('the failure of a statement does not reach its neighbours', async () => {
    const { db } = await open(server.url, 2);
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => db.execute(sql`select 10 / ${i % 4}::int as quotient`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? 'rejected' : 'fulfilled')),
    );
  });

  test('a value that cannot be sent fails its own statement alone', async () => {
    const { db } = await open(server.url, 1);
    const [bad, good] = await Promise.allSettled([
      db.execute(sql`select ${sql.param(undefined)}::int as value`),
      db.execute(sql`select 1 as value`),
    ]);
    expect(bad.status).toBe('rejected');
    expect(good.status).toBe('fulfilled');
  });

  test('no more connections are open than the pool is large, and they are used again', async () => {
    const { db } = await open(server.url, 3);
    const pids = await Promise.all(Array.from({ length: 50 }, () => pidOf(db)));
    expect(new Set(pids).size).toBe(3);
  });
});

describe('a connection that dies', () => {
  test('a transaction whose connection was ended while idle commits nothing outside itself', async () => {
    const { db } = await open(server.url, 3);
    const seen: string[] = [];
    const transaction = db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1 });
      await terminate(await pidOf(tx));
      // New connections take the place of the dead one.
      await Promise.all([db.select().from(things), db.select().from(things), pause(100)]);
      for (const id of [2, 3]) {
        await tx
          .insert(things)
          .values({ id })
          .catch(() => seen.push('refused'));
      }
    });
    await expect(transaction).rejects.toSatisfy(isDependencyFailure);
    await db.select().from(things);
    expect(seen).toEqual(['refused', 'refused']);
    expect(await ids()).toEqual([]);
  });

  test('a transaction whose connection was ended during a statement commits nothing of what waited behind it', async () => {
    const { db } = await open(server.url, 1);
    const transaction = db.transaction(async (tx) => {
      const pid = await pidOf(tx);
      setTimeout(() => void terminate(pid).execute(), 200);
      const statements = [
        tx.execute(sql`select pg_sleep(3)`),
        tx.insert(things).values({ id: 1 }),
        tx.insert(things).values({ id: 2 }),
      ];
      await Promise.allSettled(statements);
    });
    await expect(transaction).rejects.toSatisfy(isDependencyFailure);
    expect(await ids()).toEqual([]);
    await db.insert(things).values({ id: 3 });
    expect(await ids()).toEqual([3]);
  });

  test('a nested transaction whose connection was ended commits nothing', async () => {
    const { db } = await open(server.url, 2);
    const transaction = db.transaction(async (tx) => {
      await tx.transaction(async (nested) => {
        await nested.insert(things).values({ id: 1 });
        await terminate(await pidOf(nested));
        await pause(100);
        await db.select().from(things);
        await nested.insert(things).values({ id: 2 });
      });
    });
    await expect(transaction).rejects.toSatisfy(isDependencyFailure);
    expect(await ids()).toEqual([]);
  });

  test('connections that were ended while idle are replaced unseen', async () => {
    const { db } = await open(server.url, 2);
    const pids = await Promise.all([pidOf(db), pidOf(db)]);
    await Promise.all(pids.map(terminate));
    await pause(100);
    expect(pids).not.toContain(await pidOf(db));
  });
});

describe('a server that goes away', () => {
  let proxy: StallingProxy;

  beforeEach(async () => {
    proxy = await startStallingProxy(server.url, defaultPort);
  });

  afterEach(async () => {
    await proxy.close();
  });

  test('frozen: every call fails within its deadline, and the next ones work when it is back', async () => {
    const { db, ping } = await open(proxy.url, 2);
    await Promise.all([pidOf(db), pidOf(db)]);
    const begun = Promise.withResolvers<void>();
    const transaction = db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1 });
      await begun.promise;
      await tx.insert(things).values({ id: 2 });
    });
    await db.select().from(things);
    proxy.stall();
    begun.resolve();
    const calls = [
      transaction,
      ping(),
      db.transaction((tx) => tx.insert(things).values({ id: 3 })),
      ...Array.from({ length: 10 }, () => db.insert(things).values({ id: 4 }).execute()),
    ];
    const took = await elapsedMs(async () => {
      for (const answer of await Promise.allSettled(calls)) {
        expect(answer).toMatchObject({ status: 'rejected' });
        expect(answer.status === 'rejected' && isDependencyFailure(answer.reason)).toBe(true);
      }
    });
    expect(took).toBeLessThan(deadlineMs);
    proxy.resume();
    await db.insert(things).values({ id: 5 });
    await pause(200);
    expect(await ids()).toContain(5);
    expect(await ids()).not.toContain(1);
    expect(await ids()).not.toContain(3);
  });

  test('hanging up: calls fail within the deadline, without a storm of connections, and work when it is back', async () => {
    const { db } = await open(proxy.url, 2);
    proxy.hangUp();
    const took = await elapsedMs(async () => {
      const calls = Array.from({ length: 6 }, () => expect(pidOf(db)).rejects.toSatisfy(isDependencyFailure));
      await Promise.all(calls);
    });
    expect(took).toBeLessThan(deadlineMs);
    const before = proxy.connections();
    proxy.resume();
    expect(await pidOf(db)).toBeTypeOf('number');
    await pause(300);
    expect(proxy.connections() - before).toBeLessThanOrEqual(2);
  });

  test('refusing: calls fail at once', async () => {
    const { db } = await open(proxy.url, 2);
    await proxy.close();
    await pause(50);
    const took = await elapsedMs(() => expect(pidOf(db)).rejects.toSatisfy(isDependencyFailure));
    expect(took).toBeLessThan(1_000);
    proxy = await startStallingProxy(server.url, defaultPort);
  });

  test('frozen at the start: opening fails within its deadline', async () => {
    proxy.stall();
    const took = await elapsedMs(() => expect(openPostgres({ url: proxy.url })).rejects.toSatisfy(isDependencyFailure));
    expect(took).toBeLessThan(3_000);
  });
});

test('opening fails where the password is wrong, and where something else listens', async () => {
  const wrong = new URL(server.url);
  wrong.username = 'nobody_we_know';
  await expect(openPostgres({ url: wrong.href })).rejects.toSatisfy(isDependencyFailure);
  const http = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  const { port } = http.address() as { port: number };
  await expect(openPostgres({ url: `postgres://a:b@127.0.0.1:${port}/c` })).rejects.toSatisfy(isDependencyFailure);
  http.close();
});

describe('closing', () => {
  test('lets the work in progress end, refuses more, and leaves no connection', async () => {
    const database = await openPostgres({ url: server.url, poolSize: 2 });
    const pid = await pidOf(database.db);
    const work = database.db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1 });
      await pause(300);
      await tx.insert(things).values({ id: 2 });
    });
    await pause(50);
    const closed = database.close();
    await expect(database.ping()).rejects.toSatisfy(isDependencyFailure);
    await Promise.all([work, closed]);
    expect(await ids()).toEqual([1, 2]);
    await pause(100);
    const left = await admin.db.execute(sql`select 1 from pg_stat_activity where pid = ${pid}`);
    expect(rows(left)).toEqual([]);
  });
});
