import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { rows } from '../../src/storage/db.ts';
import { lockDirectory } from '../../src/storage/directoryLock.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { isDependencyFailure } from '../../src/storage/failures.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'nexus-embedded-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

// Making a new data directory takes seconds of one core.
vi.setConfig({ testTimeout: 120_000 });

const inUse = /^Another Nexus process uses this data directory/;
const lockFile = () => path.join(directory, 'lock');

test('what was written is there after a restart, and one process at a time may open it', async () => {
  const first = await openEmbedded({ directory });
  await first.db.execute(sql`create table kept (id integer)`);
  await first.db.execute(sql`insert into kept values (1)`);
  await expect(openEmbedded({ directory })).rejects.toThrow(inUse);
  await first.close();
  await expect(first.ping()).rejects.toSatisfy(isDependencyFailure);

  const second = await openEmbedded({ directory });
  expect(rows(await second.db.execute(sql`select id from kept`))).toEqual([{ id: 1 }]);
  await second.close();
});

test('a query beside the transaction that waits for it ends at the deadline instead of never', async () => {
  const { db, close } = await openEmbedded({ directory });
  const stuck = db.transaction(async () => {
    await db.execute(sql`select 1`);
  });
  await expect(stuck).rejects.toSatisfy(isDependencyFailure);
  expect(rows(await db.execute(sql`select 1 as one`))).toEqual([{ one: 1 }]);
  await close();
});

test('a directory that a living process holds is refused, and a dead one is taken over', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  await writeFile(lockFile(), `${child.pid} 1\n`);
  await expect(lockDirectory(directory)).rejects.toThrow(inUse);
  expect(await readFile(lockFile(), 'utf8')).toBe(`${child.pid} 1\n`);

  child.kill();
  await once(child, 'exit');
  const lock = await lockDirectory(directory);
  await lock.release();
  expect(await readdir(directory)).toEqual([]);
});

test('what an earlier process with our number left, as in a container, is taken over', async () => {
  await writeFile(lockFile(), `${process.pid} 1\n`);
  const lock = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toThrow(inUse);
  await lock.release();
});

test('a lock file that says nothing is taken over', async () => {
  await writeFile(lockFile(), '');
  await (await lockDirectory(directory)).release();
});
