import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Database, type Db, rows } from '../../src/storage/db.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import { createDatabase } from '../support/databases.ts';

// Making a data directory of the embedded engine takes seconds of one core.
vi.setConfig({ hookTimeout: 120_000 });

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'nexus-migrate-'));
});

afterAll(async () => {
  await rm(home, { recursive: true });
});

/** A folder as drizzle-kit writes it. */
async function folderOf(name: string, migrations: string[]): Promise<string> {
  const folder = path.join(home, name);
  await mkdir(path.join(folder, 'meta'), { recursive: true });
  const entries = migrations.map((_, idx) => ({
    idx,
    version: '7',
    when: idx + 1,
    tag: `000${idx}`,
    breakpoints: true,
  }));
  await writeFile(
    path.join(folder, 'meta/_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
  await Promise.all(migrations.map((text, idx) => writeFile(path.join(folder, `000${idx}.sql`), text)));
  return folder;
}

const first = 'create table one (id integer);\n--> statement-breakpoint\ncreate index one_id on one (id);';
const second = 'create table two (id integer); insert into two values (1);';

const addOne = async (db: Db) => {
  await db.execute(sql`insert into one select 1 where not exists (select from one)`);
};

async function countOf(database: Database, table: string): Promise<string | undefined> {
  return rows<{ count: string }>(await database.db.execute(sql`select count(*) from ${sql.identifier(table)}`))[0]
    ?.count;
}

const exists = async (database: Database, table: string) =>
  rows<{ there: boolean }>(await database.db.execute(sql`select to_regclass(${table}) is not null as there`))[0]?.there;

describe.each(['postgres', 'embedded'] as const)('on %s', (kind) => {
  let database: Database;
  let drop: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    if (kind === 'postgres') {
      const server = await createDatabase();
      drop = server.drop;
      database = await openPostgres({ url: server.url });
    } else {
      database = await openEmbedded({ directory: path.join(home, 'data') });
    }
  });

  afterAll(async () => {
    await database.close();
    await drop();
  });

  test('what follows the migrations fails with them: all or nothing', async () => {
    const failing = migrate(database, {
      folder: await folderOf('failing', [first]),
      afterMigrate: () => Promise.reject(new Error('no administrator')),
    });
    await expect(failing).rejects.toThrow('no administrator');
    const broken = migrate(database, { folder: await folderOf('broken', [first, 'create nonsense']) });
    await expect(broken).rejects.toThrow();
    expect(await exists(database, 'one')).toBe(false);
  });

  test('each migration is applied once, later ones when they come', async () => {
    await migrate(database, { folder: await folderOf('first', [first]), afterMigrate: addOne });
    const folder = await folderOf('both', [first, second]);
    await migrate(database, { folder, afterMigrate: addOne });
    await migrate(database, { folder, afterMigrate: addOne });
    expect(await countOf(database, 'one')).toBe('1');
    expect(await countOf(database, 'two')).toBe('1');
  });
});

describe('processes at once', () => {
  let server: { url: string; drop(): Promise<void> };
  let databases: Database[];

  beforeAll(async () => {
    server = await createDatabase();
    databases = await Promise.all(Array.from({ length: 4 }, () => openPostgres({ url: server.url, poolSize: 1 })));
  });

  afterAll(async () => {
    await Promise.all(databases.map((database) => database.close()));
    await server.drop();
  });

  test('one applies the migrations and what follows them, the others wait and continue', async () => {
    const folder = await folderOf('together', [`${first}\n--> statement-breakpoint\nselect pg_sleep(0.5)`, second]);
    let inside = 0;
    const afterMigrate = async (db: Db) => {
      expect(++inside).toBe(1);
      await db.execute(sql`select pg_sleep(0.2)`);
      await addOne(db);
      inside--;
    };
    await Promise.all(databases.map((database) => migrate(database, { folder, afterMigrate })));
    const [database] = databases as [Database];
    expect(await countOf(database, 'one')).toBe('1');
    expect(await countOf(database, 'two')).toBe('1');
  });

  test('a process that dies while it migrates leaves nothing, and the next one goes on', async () => {
    const [one, two] = databases as [Database, Database];
    const dying = one.exclusively(async (db) => {
      await db.execute(sql`create table left_behind (id integer)`);
      const [self] = rows<{ pid: number }>(await db.execute(sql`select pg_backend_pid() as pid`));
      await two.db.execute(sql`select pg_terminate_backend(${self?.pid}, 5000)`);
      await db.execute(sql`create table more_left_behind (id integer)`);
    });
    await expect(dying).rejects.toThrow();
    await two.exclusively(async (db) => {
      expect(rows(await db.execute(sql`select to_regclass('left_behind') as found`))).toEqual([{ found: null }]);
    });
  });
});
