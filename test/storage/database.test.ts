import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { bigint, customType, integer, jsonb, numeric, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Database, type Db, rows } from '../../src/storage/db.ts';
import { isDependencyFailure, isUniqueViolation } from '../../src/storage/failures.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { createDatabase } from '../support/databases.ts';

// Making a data directory of the embedded engine takes seconds of one core.
vi.setConfig({ hookTimeout: 120_000 });

const bytes = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

const things = pgTable('things', {
  id: integer().primaryKey(),
  name: text().unique('things_name_key'),
  at: timestamp({ withTimezone: true, mode: 'date' }),
  size: bigint({ mode: 'number' }),
  price: numeric(),
  data: jsonb(),
  tags: text().array(),
  secret: bytes(),
});

type Opened = { database: Database; statements: string[]; drop(): Promise<void> };

async function openOnPostgres(): Promise<Opened> {
  const { url, drop } = await createDatabase();
  const statements: string[] = [];
  const onStatement = (statement: string) => void statements.push(statement);
  return { database: await openDatabase({ databaseUrl: url, dataDirectory: '', onStatement }), statements, drop };
}

async function openEmbedded(): Promise<Opened> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-embedded-'));
  const statements: string[] = [];
  const onStatement = (statement: string) => void statements.push(statement);
  const database = await openDatabase({ databaseUrl: undefined, dataDirectory: directory, onStatement });
  return { database, statements, drop: () => rm(directory, { recursive: true }) };
}

describe.each([
  ['postgres', openOnPostgres],
  ['embedded', openEmbedded],
] as const)('a database on %s', (kind, open) => {
  let opened: Opened;
  let db: Db;

  beforeAll(async () => {
    opened = await open();
    db = opened.database.db;
    await db.execute(sql`create table things (
      id integer primary key, name text constraint things_name_key unique, at timestamptz, size bigint, price numeric,
      data jsonb, tags text[], secret bytea)`);
  });

  afterAll(async () => {
    await opened.database.close();
    await opened.drop();
  });

  beforeEach(async () => {
    await db.execute(sql`truncate things`);
  });

  const ids = async () => (await db.select({ id: things.id }).from(things).orderBy(things.id)).map(({ id }) => id);

  test('says which engine it is, and answers', async () => {
    expect(opened.database.kind).toBe(kind);
    await opened.database.ping();
  });

  test('gives back every type as it was written', async () => {
    const thing = {
      id: 1,
      name: 'a "name", with {braces}',
      at: new Date('2026-02-03T04:05:06.789Z'),
      size: Number.MAX_SAFE_INTEGER,
      price: '12345678901234567890.123',
      data: { nested: [1, 'two', null] },
      tags: ['plain', 'with "quotes", and \\'],
      secret: new Uint8Array([0, 1, 255]),
    };
    await db.insert(things).values(thing);
    const [found] = await db.select().from(things).where(eq(things.id, 1));
    expect({ ...found, secret: Array.from(found?.secret ?? []) }).toEqual({ ...thing, secret: [0, 1, 255] });
  });

  test.each([['1'], ['true'], ['{"a":1}'], ['text'], [1], [null], [[]], [{ a: '1' }]])(
    'the JSON value %j is given back as the same value',
    async (data) => {
      await db.insert(things).values({ id: 1, data: sql`${JSON.stringify(data)}::jsonb` });
      await db.insert(things).values({ id: 2, data });
      const found = await db.select({ data: things.data }).from(things).where(eq(things.id, 1));
      expect(found).toEqual([{ data }]);
      const written = await db.select({ data: things.data }).from(things).where(eq(things.id, 2));
      expect(written).toEqual([{ data }]);
    },
  );

  test('answers raw statements in the same shapes on both engines', async () => {
    const result = await db.execute(sql`
      select count(*) as count, 1.50::numeric as numeric, '2026-01-02'::date as day, '{"a":1}'::jsonb as json, ${5}::int as int,
        array['x','y'] as texts, 0.5::float8 as float, true as flag, null as nothing from generate_series(1, 3)`);
    expect(rows(result)).toEqual([
      {
        count: '3',
        numeric: '1.50',
        day: '2026-01-02',
        json: { a: 1 },
        int: 5,
        texts: ['x', 'y'],
        float: 0.5,
        flag: true,
        nothing: null,
      },
    ]);
  });

  test('arrays are given back as arrays, whatever is in them', async () => {
    const texts = ['', 'NULL', 'null', 'a,b', '{c}', '"d"', '\\e\\\\', ' f ', 'g\n"h', 'ü'];
    const result = await db.execute(sql`
      select ${sql.param(texts)}::text[] as texts, '{}'::text[] as none, array[1, null, 3] as holes, array[[1,2],[3,4]] as nested,
        array[1::int8] as big, array[true, false] as flags, array['2026-01-02'::date] as days, '[0:1]={1,2}'::int[] as bounded,
        array['{"a":[1,"\\"\"]}'::jsonb] as json, array[array['x','}'],array['"','\\']] as quoted, array[0.1::numeric] as exact`);
    expect(rows(result)).toEqual([
      {
        texts,
        none: [],
        holes: [1, null, 3],
        nested: [
          [1, 2],
          [3, 4],
        ],
        big: ['1'],
        flags: [true, false],
        days: ['2026-01-02'],
        bounded: [1, 2],
        json: [{ a: [1, '"'] }],
        quoted: [
          ['x', '}'],
          ['"', '\\'],
        ],
        exact: ['0.1'],
      },
    ]);
  });

  test('an array is one parameter', async () => {
    const names = sql.param(['a', 'b,"c"']);
    await db.execute(
      sql`insert into things (id, name) select * from unnest(${sql.param([1, 2])}::int[], ${names}::text[])`,
    );
    expect(await db.select({ name: things.name }).from(things).orderBy(things.id)).toEqual([
      { name: 'a' },
      { name: 'b,"c"' },
    ]);
  });

  test('says how many rows a change without RETURNING met', async () => {
    await db.insert(things).values([{ id: 1 }, { id: 2 }]);
    expect((await db.update(things).set({ size: 1 })).count).toBe(2);
  });

  test('reports every statement that is sent', async () => {
    opened.statements.length = 0;
    await db.transaction(async (tx) => {
      await tx.select({ id: things.id }).from(things);
    });
    expect(opened.statements).toEqual(['begin', 'select "id" from "things"', 'commit']);
  });

  test('a unique violation is known by its constraint, and is no failure of the database', async () => {
    await db.insert(things).values({ id: 1, name: 'taken' });
    const error = await db
      .insert(things)
      .values({ id: 2, name: 'taken' })
      .catch((reason) => reason);
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'things_name_key')).toBe(true);
    expect(isUniqueViolation(error, 'things_pkey')).toBe(false);
    expect(isDependencyFailure(error)).toBe(false);
  });

  test('a transaction that rejects leaves nothing', async () => {
    const failed = db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1 });
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await ids()).toEqual([]);
  });

  test('a transaction keeps the isolation it was asked for', async () => {
    const answer = await db.transaction((tx) => tx.execute(sql`show transaction_isolation`), {
      isolationLevel: 'serializable',
    });
    expect(rows(answer)).toEqual([{ transaction_isolation: 'serializable' }]);
  });

  test('a nested transaction that rejects undoes only itself', async () => {
    await db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1, name: 'outer' });
      const inner = tx.transaction(async (nested) => {
        await nested.insert(things).values({ id: 2 });
        await nested.insert(things).values({ id: 3, name: 'outer' });
      });
      await expect(inner).rejects.toSatisfy((error) => isUniqueViolation(error));
      await tx.transaction((nested) => nested.insert(things).values({ id: 4 }));
    });
    expect(await ids()).toEqual([1, 4]);
  });

  test('a transaction whose failed statement was caught rejects instead of silently not committing', async () => {
    const committed = db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1 });
      await tx
        .insert(things)
        .values({ id: 1 })
        .catch(() => undefined);
    });
    await expect(committed).rejects.toSatisfy((error) => isUniqueViolation(error));
    expect(await ids()).toEqual([]);
  });

  test('statements sent at once in a transaction are all inside it', async () => {
    const failed = db.transaction(async (tx) => {
      await Promise.all([1, 2, 3, 4, 5].map((id) => tx.insert(things).values({ id })));
      throw new Error('stop');
    });
    await expect(failed).rejects.toThrow('stop');
    expect(await ids()).toEqual([]);
  });

  test('a statement sent after the end of its transaction is refused', async () => {
    let leaked: Db | undefined;
    await db.transaction(async (tx) => {
      leaked = tx;
      await tx.insert(things).values({ id: 1 });
    });
    const late = leaked?.insert(things).values({ id: 2 });
    await expect(late).rejects.toMatchObject({ cause: { message: expect.stringContaining('transaction has ended') } });
    expect(await ids()).toEqual([1]);
  });

  test('work in one transaction is not mixed with work beside it', async () => {
    const failed = db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1 });
      beside = db.insert(things).values({ id: 2 }).execute();
      await tx.insert(things).values({ id: 3 });
      throw new Error('stop');
    });
    let beside: Promise<unknown> | undefined;
    await expect(failed).rejects.toThrow('stop');
    await beside;
    expect(await ids()).toEqual([2]);
  });

  test('a transaction longer than its deadline rejects, leaves nothing, and the next work goes on', async () => {
    const start = performance.now();
    const woken = Promise.withResolvers<void>();
    let late: Promise<unknown> | undefined;
    const slow = db.transaction(async (tx) => {
      await tx.insert(things).values({ id: 1 });
      await woken.promise;
      late = tx.insert(things).values({ id: 2 }).execute();
      await late;
    });
    await expect(slow).rejects.toSatisfy(isDependencyFailure);
    expect(performance.now() - start).toBeLessThan(5_500);
    woken.resolve();
    await db.insert(things).values({ id: 3 });
    await expect(late).rejects.toThrow();
    expect(await ids()).toEqual([3]);
  });

  test('exclusive work outlives the deadline of requests', async () => {
    await opened.database.exclusively(async (exclusive) => {
      await exclusive.insert(things).values({ id: 1 });
      await new Promise((resolve) => setTimeout(resolve, 5_500));
      await exclusive.insert(things).values({ id: 2 });
    });
    expect(await ids()).toEqual([1, 2]);
  });
});
