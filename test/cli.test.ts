import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startApp, type TestApp } from './support/app.ts';
import { createDatabase } from './support/databases.ts';
import { type NexusProcess, run, startNexus } from './support/nexusProcess.ts';
import { send } from './support/send.ts';
import { encodePart, newTestKey } from './support/signingKeys.ts';

const slow = 90_000;
const cliFile = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const masterKey = `test:${'5a'.repeat(32)}`;
const printedKeys = /^current: ([\w-]{43})\nnext: {4}([\w-]{43})\n$/;

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-cli-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function nexus(args: string[], settings: Record<string, string> = {}, directory?: string) {
  const { code, stdout, stderr } = await run(cliFile, directory ?? (await temporaryDirectory()), settings, args).end();
  return { code, stdout, stderr };
}

/** A token of a key that nobody has. */
function tokenOfNobody(): string {
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: newTestKey().kid };
  return `${encodePart(header)}.${encodePart({})}.${'A'.repeat(86)}`;
}

describe('keys rotate-signing, while an app is running', () => {
  let app: TestApp;
  const settings = () => ({ DATABASE_URL: app.databaseUrl, MASTER_KEY: masterKey });
  const statusOf = async (bearer: string, url = app.url) => (await send(url, '{ me { kind } }', {}, { bearer })).status;
  const publishedKids = async () => {
    const answer = await fetch(`${app.url}/.well-known/jwks.json`);
    const { keys } = (await answer.json()) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid);
  };

  /** The token of a log-in at a process that starts now, and so knows the latest keys. */
  async function tokenOfNow(): Promise<string> {
    const another = await app.startAnother();
    try {
      const login = `mutation($email: EmailAddress!, $password: String!) {
        login(email: $email, password: $password) { accessToken }
      }`;
      const { email, password } = app.admin;
      return (await send(another.url, login, { email, password })).data.login.accessToken;
    } finally {
      await another.stop();
    }
  }

  async function rotate(...options: string[]): Promise<{ current: string; next: string }> {
    const { code, stdout, stderr } = await nexus(['keys', 'rotate-signing', ...options], settings());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, current = '', next = ''] = printedKeys.exec(stdout) ?? [];
    return { current, next };
  }

  beforeAll(async () => {
    app = await startApp({ env: { MASTER_KEY: masterKey } });
  });
  afterAll(() => app?.stop());

  test('tokens of before and of after work, and the next key was published before', { timeout: slow }, async () => {
    const before = app.admin.accessToken;
    const published = await publishedKids();
    const first = await rotate();
    expect(published).toEqual([decodeProtectedHeader(before).kid, first.current]);
    const second = await rotate(); // Now the running app does not know the current key either.
    expect(second.current).toBe(first.next);
    const after = await tokenOfNow();
    expect(decodeProtectedHeader(after).kid).toBe(second.current);
    expect(await statusOf(before)).toBe(200);
    await expect.poll(() => statusOf(after), { timeout: 5_000 }).toBe(200);
    expect(await statusOf(before)).toBe(200);
    await expect.poll(publishedKids, { timeout: 2_000 }).toEqual([...published, first.next, second.next]);
  });

  test('with --revoke those of before are refused, and those of after work', { timeout: slow }, async () => {
    const before = await tokenOfNow();
    await expect.poll(() => statusOf(before), { timeout: 5_000 }).toBe(200);
    const { current, next } = await rotate('--revoke');
    const after = await tokenOfNow();
    // The token of an unknown key makes the running app look for it, at the latest.
    const look = async () => {
      await statusOf(tokenOfNobody());
      return statusOf(before);
    };
    await expect.poll(look, { timeout: 5_000 }).toBe(401);
    expect(await statusOf(app.admin.accessToken)).toBe(401);
    expect(await statusOf(after)).toBe(200);
    expect(await publishedKids()).toEqual([current, next]);
    expect((await send(app.url, '{ me { kind } }', {}, { cookie: app.admin.cookie })).status).toBe(200);
  });

  test('a wrong master key changes nothing and is told', async () => {
    const before = await app.sql`select * from signing_keys order by kid`;
    const wrong = { ...settings(), MASTER_KEY: 'ab'.repeat(32) };
    const ending = await nexus(['keys', 'rotate-signing'], wrong);
    expect(ending).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^The signing key [\w-]{43} cannot be read\. The master key `test` is needed, and is not among those of MASTER_KEY\.\n$/,
      ),
    });
    expect(await app.sql`select * from signing_keys order by kid`).toEqual(before);
  });
});

describe('keys rotate-signing', () => {
  test('of an embedded database is refused while a server uses it, and works after that', {
    timeout: slow,
  }, async () => {
    const directory = await temporaryDirectory();
    const start = async (): Promise<NexusProcess> => {
      const started = await startNexus(directory);
      onTestFinished(async () => {
        await started.end('SIGKILL');
      });
      return started;
    };
    const server = await start();
    const [, email, password] = /e-mail: +(\S+)\n +password: +(\S+)/.exec(server.output()) ?? [];
    const login = `mutation($email: EmailAddress!, $password: String!) {
      login(email: $email, password: $password) { accessToken }
    }`;
    const { data } = await send(server.url, login, { email, password });
    const bearer = data.login.accessToken;

    const refused = await nexus(['keys', 'rotate-signing'], {}, directory);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^Another Nexus process uses this data directory; [^\n]+\.\n$/);
    await server.end('SIGTERM');

    const rotated = await nexus(['keys', 'rotate-signing'], {}, directory);
    expect(rotated).toEqual({ code: 0, stdout: expect.stringMatching(printedKeys), stderr: '' });
    const again = await start();
    expect((await send(again.url, '{ me { kind } }', {}, { bearer })).status).toBe(200);
    await again.end('SIGTERM');
  });

  test('says in a sentence what is missing', { timeout: slow }, async () => {
    const database = await createDatabase();
    onTestFinished(database.drop);
    const command = ['keys', 'rotate-signing'];
    const [withoutKey, withoutTables, withoutServer] = await Promise.all([
      nexus(command, { DATABASE_URL: database.url }),
      nexus(command, { DATABASE_URL: database.url, MASTER_KEY: masterKey }),
      nexus(command, { DATABASE_URL: 'postgres://planted:planted@127.0.0.1:1/x', MASTER_KEY: masterKey }),
    ]);
    expect(withoutKey.stderr).toBe(
      'There is no master key: set MASTER_KEY, since .nexus/keys/master.key does not exist.\n',
    );
    expect(withoutTables.stderr).toBe(
      'The database has no tables of this version yet: run `node src/cli.ts migrate`.\n',
    );
    expect(withoutServer.stderr).toMatch(/^The database cannot be opened: .+\n$/);
    expect(withoutServer.stderr).not.toContain('planted');
    for (const { code, stdout } of [withoutKey, withoutTables, withoutServer])
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  test.each([
    [['keys', 'rotate-signing', 'now'], '`keys rotate-signing` takes --revoke and nothing else.'],
    [['keys', 'rotate-signing', '--check'], '`keys rotate-signing` takes --revoke and nothing else.'],
    [['keys', 'scan', '--revoke', '-'], '--revoke is for `keys rotate-signing`.'],
    [['migrate', '--revoke'], '--revoke is for `keys rotate-signing`.'],
  ])('ends with 2 and says why for %j', async (args, mistake) => {
    const { code, stdout, stderr } = await nexus(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^${mistake.replace(/[.*+?]/g, '\\$&')}\n\nUsage: `));
  });
});

describe('unblock, while apps are running', () => {
  let app: TestApp;
  let other: Awaited<ReturnType<TestApp['startAnother']>>;
  beforeAll(async () => {
    app = await startApp({ env: { TRUST_PROXY: '127.0.0.1/32' } });
    other = await app.startAnother();
  });
  afterAll(async () => {
    await other?.stop();
    await app?.stop();
  });

  const block = async (cidr: string): Promise<string> => {
    const query = 'mutation($input: BlockIpInput!) { blockIp(input: $input) { ipBlock { id } } }';
    const input = { cidr, reason: 'a test' };
    return (await app.succeed(query, { input }, { bearer: app.admin.accessToken })).blockIp.ipBlock.id;
  };
  const statusesOf = (ip: string) =>
    Promise.all(
      [app.url, other.url].map(
        async (url) => (await fetch(`${url}/health/live`, { headers: { 'x-forwarded-for': ip } })).status,
      ),
    );
  const unblock = (...args: string[]) => nexus(['unblock', ...args], { DATABASE_URL: app.databaseUrl });

  test('lets addresses in within two seconds, and leaves a record', { timeout: slow }, async () => {
    const wide = await block('203.0.113.0/24');
    const narrow = await block('203.0.113.9');
    const kept = await block('198.51.100.0/24');
    await expect.poll(() => statusesOf('203.0.113.9'), { timeout: 2_000 }).toEqual([403, 403]);
    const { code, stdout, stderr } = await unblock('203.0.113.9');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = [`${wide} 203.0.113.0/24: a test`, `${narrow} 203.0.113.9/32: a test`, 'unblocked: 2', ''];
    expect(stdout.split('\n').sort()).toEqual(lines.sort());
    await expect.poll(() => statusesOf('203.0.113.9'), { timeout: 2_000 }).toEqual([200, 200]);
    expect(await statusesOf('198.51.100.1')).toEqual([403, 403]);
    const [row] = await app.sql`
      select severity, actor_kind, targets from audit_events where action = 'ipBlock.delete' order by sequence desc`;
    expect(row).toMatchObject({ severity: 'WARNING', actor_kind: 'SYSTEM' });
    expect(row?.targets.map(({ id }: { id: string }) => id).sort()).toEqual([wide, narrow].sort());
    expect((await unblock('203.0.113.9')).stdout).toBe('unblocked: 0\n');
    expect((await unblock(kept)).stdout).toBe(`${kept} 198.51.100.0/24: a test\nunblocked: 1\n`);
  });

  test('ends the blocks that hold any of a range, or all', { timeout: slow }, async () => {
    await Promise.all(['2001:db8:1:2::/64', '2001:db8:9::/48', '198.18.0.1'].map(block));
    expect((await unblock('2001:db8:1::/48')).stdout).toMatch(/ 2001:db8:1:2::\/64: a test\nunblocked: 1\n$/);
    expect((await unblock('--all')).stdout).toMatch(/unblocked: 2\n$/);
    expect((await unblock('--all')).stdout).toBe('unblocked: 0\n');
  });

  test.each([[], ['hello'], ['1.2.3.4', '1.2.3.5'], ['--all', '1.2.3.4'], ['1.2.3.4', '--check'], ['block_1']])(
    'is not %j %j',
    async (...args) => {
      const { code, stderr } = await unblock(...args);
      expect(code).toBe(2);
      expect(stderr).toContain('`unblock` takes one CIDR range, address or block id, or --all.');
    },
  );

  test('has --all for itself', async () => {
    const { code, stderr } = await nexus(['credentials', 'revoke-all', '--all']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--all is for `unblock`.') });
  });
});

describe('credentials revoke-all, while apps are running', () => {
  test('ends every session, token and key within a second, and leaves a record', { timeout: slow }, async () => {
    const app = await startApp();
    const other = await app.startAnother();
    try {
      const key = await app.createKey({ scopes: ['tasks:read'] });
      const credentials = [{ cookie: app.admin.cookie }, { bearer: app.admin.accessToken }, { bearer: key.secret }];
      const statuses = async () =>
        Promise.all(
          [app.url, other.url].flatMap((url) =>
            credentials.map(async (credential) => (await send(url, '{ me { kind } }', {}, credential)).status),
          ),
        );
      expect(await statuses()).toEqual([200, 200, 200, 200, 200, 200]);
      const ending = await nexus(['credentials', 'revoke-all'], { DATABASE_URL: app.databaseUrl });
      expect(ending).toEqual({ code: 0, stdout: 'revoked: 1 sessions, 1 API keys\n', stderr: '' });
      await expect.poll(statuses, { timeout: 1_000 }).toEqual([401, 401, 401, 401, 401, 401]);
      expect(
        await app.sql`select severity, actor_kind, detail from audit_events where action = 'credential.revokeAll'`,
      ).toEqual([{ severity: 'CRITICAL', actor_kind: 'SYSTEM', detail: { sessions: 1, apiKeys: 1 } }]);
      const login = `mutation($email: EmailAddress!, $password: String!) {
        login(email: $email, password: $password) { accessToken }
      }`;
      const { email, password } = app.admin;
      const again = await send(other.url, login, { email, password });
      const bearer = again.data.login.accessToken;
      expect((await send(app.url, '{ me { kind } }', {}, { bearer })).status).toBe(200);
    } finally {
      await other.stop();
      await app.stop();
    }
  });

  test.each([['credentials'], ['credentials', 'revoke'], ['credentials', 'revoke-all', 'now']])(
    'is not %j %j %j',
    async (...args) => {
      const { code, stderr } = await nexus(args.filter((arg) => arg !== undefined));
      expect(code).toBe(2);
      expect(stderr).toContain('It is `credentials revoke-all`.');
    },
  );
});
