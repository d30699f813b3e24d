import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import journal from '../drizzle/meta/_journal.json' with { type: 'json' };
import { createDatabase, freshRedisUrl } from './support/databases.ts';
import { type NexusProcess, runNexus, startNexus } from './support/nexusProcess.ts';
import { send } from './support/send.ts';

const slow = 90_000;
const credentialsShown = /e-mail: +(\S+)\n +password: +(\S+)/;

const login = `mutation($email: EmailAddress!, $password: String!) {
  login(email: $email, password: $password) { accessToken }
}`;
const createTask = `mutation($name: String!) {
  createTask(input: { name: $name, type: ANALYSIS }) { task { id } }
}`;

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-main-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function start(directory: string, settings?: Record<string, string>): Promise<NexusProcess> {
  const nexus = await startNexus(directory, settings);
  onTestFinished(async () => {
    await nexus.end('SIGKILL');
  });
  return nexus;
}

function shownCredentials(output: string): { email: string; password: string } {
  const [, email = '', password = ''] = credentialsShown.exec(output) ?? [];
  return { email, password };
}

async function tokenOf(url: string, credentials: { email: string; password: string }): Promise<string> {
  const { data, text } = await send(url, login, credentials);
  if (!data?.login) throw new Error(`The log-in failed: ${text}`);
  return data.login.accessToken;
}

describe('embedded', () => {
  test('the first start shows the way in, a later one keeps the data and shows nothing', {
    timeout: slow,
  }, async () => {
    const directory = await temporaryDirectory();
    const first = await start(directory);
    const admin = shownCredentials(first.output());
    const bearer = await tokenOf(first.url, admin);
    const { data } = await send(first.url, createTask, { name: 'Made before the restart' }, { bearer });

    const second = await runNexus(directory);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect(second.stderr).toContain('Another Nexus process uses this data directory');

    const ending = await first.end('SIGTERM');
    expect(ending).toMatchObject({ code: 0, signal: null });
    expect(ending.stderr).toMatch(/Embedded database in \S+: for one process/);
    expect(ending.stdout.match(/password/gi)).toHaveLength(1);
    expect(ending.stdout.split(admin.password)).toHaveLength(2);
    expect(ending.stderr).not.toContain(admin.password);
    expect(await readFile(path.join(directory, '.nexus/logs/audit.log'), 'utf8')).not.toContain(admin.password);

    const again = await start(directory);
    const query = 'query($id: ID!) { task(id: $id) { name } }';
    const variables = { id: data.createTask.task.id };
    const token = { bearer: await tokenOf(again.url, admin) };
    expect((await send(again.url, query, variables, token)).data).toEqual({
      task: { name: 'Made before the restart' },
    });
    // The keys that sign access tokens are kept too, and the master key that opens them.
    expect((await send(again.url, query, variables, { bearer })).errors).toBeUndefined();
    const laterEnding = await again.end('SIGINT');
    expect(laterEnding).toMatchObject({ code: 0, signal: null });
    expect(laterEnding.stdout).not.toMatch(/password|admin/i);
  });
});

describe('settings', () => {
  test('production without its settings is refused with every mistake at once', async () => {
    const directory = await temporaryDirectory();
    const { code, stdout, stderr } = await runNexus(directory, { NODE_ENV: 'production', PORT: 'http' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'MASTER_KEY', 'PORT']) expect(stderr).toContain(`  ${name}: `);
    expect(await readdir(directory)).toEqual([]);
  });

  test('no wrong setting is printed with its value', async () => {
    const directory = await temporaryDirectory();
    const settings = {
      NODE_ENV: 'planted-environment',
      PORT: 'planted-port',
      DATABASE_URL: 'mysql://planted-user:planted-password@planted-host/x',
      REDIS_URL: 'http://:planted-password@planted-host',
      BOOTSTRAP_ADMIN_EMAIL: 'planted-address',
      BOOTSTRAP_ADMIN_PASSWORD: 'planted',
      MASTER_KEY: 'planted-name:planted-key',
      CORS_ORIGINS: 'https://planted.example/path',
      TRUST_PROXY: 'planted-range',
      TLS_CERT_FILE: '/planted/certificate.pem',
      LOG_LEVEL: 'planted-level',
    };
    const { code, stdout, stderr } = await runNexus(directory, settings);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const name of Object.keys(settings)) expect(stderr).toContain(name);
    expect(stderr).not.toContain('planted');
  });

  test('a server that cannot be reached stops the start with a sentence, without its password', {
    timeout: slow,
  }, async () => {
    const directory = await temporaryDirectory();
    const database = await createDatabase();
    onTestFinished(database.drop);
    const settings: Record<string, string>[] = [
      { DATABASE_URL: 'postgres://planted-user:planted-password@127.0.0.1:1/nexus' },
      { DATABASE_URL: database.url, REDIS_URL: 'redis://:planted-password@127.0.0.1:1' },
    ];
    const endings = await Promise.all(settings.map((each) => runNexus(directory, each)));
    for (const { code, stdout, stderr } of endings) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/^The database cannot be opened: .+\n$|^Redis cannot be reached: .+\n$/);
      expect(stdout + stderr).not.toMatch(/planted|Nexus serves/);
    }
    // No admin is made whose password nobody gets to see.
    const sql = postgres(database.url, { max: 1 });
    const [row] = await sql`select to_regclass('users') as users`;
    await sql.end();
    expect(row).toEqual({ users: null });
  });
});

test('a port that is taken stops the start, and the first admin is shown all the same', { timeout: slow }, async () => {
  const directory = await temporaryDirectory();
  const database = await createDatabase();
  onTestFinished(database.drop);
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  const { port } = holder.address() as AddressInfo;
  const { code, stdout, stderr } = await runNexus(directory, { DATABASE_URL: database.url, PORT: String(port) });
  expect(code).toBe(1);
  expect(stderr).toContain('EADDRINUSE');
  expect(stdout).toMatch(credentialsShown);
});

describe('on Postgres and Redis', () => {
  let both: NexusProcess[];
  let sql: postgres.Sql;
  let admin: { email: string; password: string };

  beforeAll(async () => {
    const database = await createDatabase();
    sql = postgres(database.url, { max: 1 });
    const settings = { DATABASE_URL: database.url, REDIS_URL: await freshRedisUrl(), LOG_LEVEL: 'warn' };
    const directory = await mkdtemp(path.join(tmpdir(), 'nexus-main-'));
    both = await Promise.all([startNexus(directory, settings), startNexus(directory, settings)]);
    admin = shownCredentials(both.map((nexus) => nexus.output()).join('\n'));
    return async () => {
      await Promise.all(both.map((nexus) => nexus.end('SIGKILL')));
      await sql.end();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    };
  }, slow);

  test('of two processes that start together one migrates, both serve, and there is one admin and one pair of keys', async () => {
    expect(both.filter((nexus) => credentialsShown.test(nexus.output()))).toHaveLength(1);
    for (const { url } of both) expect(await tokenOf(url, admin)).toBeTruthy();
    const [counts] = await sql`
      select (select count(*)::int from drizzle.__drizzle_migrations) as migrations,
        (select count(*)::int from users) as users,
        (select count(*)::int from signing_keys) as signing_keys
    `;
    expect(counts).toEqual({ migrations: journal.entries.length, users: 1, signing_keys: 2 });
  });

  test('SIGTERM under load loses no request that was accepted', { timeout: slow }, async () => {
    const acknowledged: string[] = [];
    const failures: string[] = [];
    let cut = 0;
    const client = async (url: string, bearer: string) => {
      for (;;) {
        try {
          const { data, text } = await send(url, createTask, { name: 'Made under load' }, { bearer });
          if (data?.createTask) acknowledged.push(data.createTask.task.id);
          else failures.push(text);
        } catch (error) {
          // Where the connection is refused, the process has ended listening. Where it is cut, the request came later than
          // a closing server waits for one on a kept connection: then it must not have had an effect.
          if (codeOf(error) !== 'ECONNREFUSED') cut += 1;
          return;
        }
      }
    };
    const tokens = await Promise.all(both.map(({ url }) => tokenOf(url, admin)));
    const clients = both.flatMap(({ url }, index) => Array.from({ length: 8 }, () => client(url, tokens[index] ?? '')));
    await vi.waitUntil(() => acknowledged.length >= 200, { timeout: slow / 2 });
    const endings = await Promise.all(both.map((nexus) => nexus.end('SIGTERM')));
    await Promise.all(clients);

    expect(endings.map(({ code }) => code)).toEqual([0, 0]);
    expect(failures).toEqual([]);
    expect(cut).toBeLessThan(clients.length / 2);
    const ids = (await sql`select id from tasks`).map(({ id }) => id);
    expect(ids.sort()).toEqual(acknowledged.sort());
  });
});

/** undici wraps the failure of the connection; two addresses make it an AggregateError. */
function codeOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error && 'code' in first ? first.code : undefined;
}
