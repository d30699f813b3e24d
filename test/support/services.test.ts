import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createDatabase, freshRedisUrl } from './databases.ts';
import { startGuardedServer } from './guardedServer.ts';
import { requireBinaries } from './serviceBinaries.ts';

describe('databases', () => {
  test('a table in one database does not exist in the next', async () => {
    const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
    const [inOne, inTwo] = [postgres(one.url), postgres(two.url)];
    await inOne`create table only_here (id int)`;
    await expect(inTwo`select * from only_here`).rejects.toMatchObject({ code: '42P01' });
    await Promise.all([inOne.end(), inTwo.end()]);
    await Promise.all([one.drop(), two.drop()]);
  });

  test('a database is dropped while somebody is still connected to it', async () => {
    const database = await createDatabase();
    const [connected, late] = [postgres(database.url), postgres(database.url)];
    await connected`select 1`;
    await database.drop();
    await expect(late`select 1`).rejects.toMatchObject({ code: '3D000' });
    await Promise.all([connected.end(), late.end()]);
  });

  test('no two callers get the same Redis database, and each is empty', async () => {
    const urls = await Promise.all(Array.from({ length: 10 }, freshRedisUrl));
    expect(new Set(urls).size).toBe(urls.length);
    for (const url of urls) {
      const redis = new Redis(url);
      expect(await redis.dbsize()).toBe(0);
      await redis.set('mine', url);
      redis.disconnect();
    }
  });
});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'nexus-support-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('a server of our own', () => {
  test('ends with whoever started it, even where that is killed and the server ignores signals', async () => {
    await chmod(root, 0o755);
    const home = path.join(root, 'home');
    await mkdir(home);
    await chmod(home, 0o777);
    const module = new URL('./guardedServer.ts', import.meta.url).href;
    const plan = {
      name: 'deaf',
      binaries: '',
      script: 'echo $$ >pid; echo ready to accept connections; exec sleep 300',
    };
    const starter = spawn(
      process.execPath,
      ['--input-type=module', '-e', `(await import('${module}')).startGuardedServer(${JSON.stringify(plan)})`],
      { env: { ...process.env, TMPDIR: home }, stdio: 'ignore' },
    );
    const pid = await vi.waitFor(async () => {
      const [directory = ''] = await readdir(home);
      return Number(await readFile(path.join(home, directory, 'pid'), 'utf8'));
    }, 20_000);
    expect(process.kill(pid, 0)).toBe(true);
    starter.kill('SIGKILL');
    await vi.waitFor(async () => expect(await readdir(home)).toEqual([]), 20_000);
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  test('that cannot start says why', async () => {
    const plan = { name: 'broken', binaries: '', script: 'echo out of luck; exit 1' };
    await expect(startGuardedServer(plan)).rejects.toThrow(/^broken ended before it was ready.*out of luck/s);
  });
});

describe('the programs', () => {
  async function program(...names: string[]): Promise<void> {
    for (const name of names) {
      const file = path.join(root, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, '#!/bin/sh\nexit 1\n');
      await chmod(file, 0o755);
    }
  }
  const machine = (directory: string, uid: number) => ({
    path: path.join(root, directory),
    postgresVersions: path.join(root, directory, 'versions'),
    uid,
  });

  test('without programs and without root, one sentence says what to do', async () => {
    await program('plain/apt-get');
    await expect(requireBinaries(['postgres', 'redis'], machine('plain', 1000))).rejects.toThrow(
      /^The tests need real servers: install PostgreSQL .* or set TEST_DATABASE_URL; install Redis .* or set TEST_REDIS_URL\.$/,
    );
  });

  test('root without apt-get is refused in the same way, for what is missing alone', async () => {
    await program('half/redis-server');
    await expect(requireBinaries(['postgres', 'redis'], machine('half', 0))).rejects.toThrow(
      /^The tests need real servers: install PostgreSQL [^;]*\.$/,
    );
  });

  test('a service that is not needed is not missed', async () => {
    expect(await requireBinaries([], machine('empty', 1000))).toEqual(new Map());
  });

  test('the newest PostgreSQL off the PATH is found, and nothing is installed', async () => {
    await program('debian/redis-server', 'debian/apt-get');
    for (const version of ['9', '15', '17']) {
      await program(`debian/versions/${version}/bin/initdb`, `debian/versions/${version}/bin/postgres`);
    }
    expect(await requireBinaries(['postgres', 'redis'], machine('debian', 0))).toEqual(
      new Map([
        ['postgres', path.join(root, 'debian/versions/17/bin')],
        ['redis', path.join(root, 'debian')],
      ]),
    );
  });
});
