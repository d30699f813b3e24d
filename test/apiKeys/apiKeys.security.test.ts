import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, type Person, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, saidBy } from '../support/operations.ts';
import { readLog } from '../support/readLog.ts';

let app: TestApp;
let admin: Credential;
let asOperator: Credential;

beforeAll(async () => {
  app = await startApp({ env: { TRUST_PROXY: '127.0.0.0/8' } });
  admin = { bearer: app.admin.accessToken };
  asOperator = as(await app.createPerson('OPERATOR'));
});
afterAll(() => app.stop());

function as({ accessToken }: Person): Credential {
  return { bearer: accessToken };
}

const tryCreate = (input: object, credential: Credential) =>
  app.request(operation('CreateApiKey'), { input: { name: 'a key', scopes: ['tasks:read'], ...input } }, credential);
const me = (credential: Credential, headers?: Record<string, string>) =>
  app.request(operation('Me'), {}, credential, headers);
const setRoles = (userId: string, ...roles: string[]) =>
  app.succeed(operation('SetUserRoles'), { userId, roles }, admin);

describe('a key that does not work', () => {
  const refused = { status: 401, codes: ['UNAUTHENTICATED'] };
  const tryKey = async (secret: string) => {
    const answer = await me({ bearer: secret });
    return { status: answer.status, codes: codesOf(answer) };
  };
  const swapped = (secret: string) => `${secret.slice(0, 20)}${secret[20] === 'x' ? 'y' : 'x'}${secret.slice(21)}`;

  test('is refused without a statement and without Redis where it is mistyped', async () => {
    const { secret } = await app.createKey({ scopes: ['tasks:read'] });
    await setTimeout(50); // What that had reserved of its limits is settled by then.
    const redis = new Redis(app.redisUrl);
    const database = new URL(app.redisUrl).pathname.slice(1);
    const monitor = await redis.monitor();
    const commands: string[] = [];
    const marker = `marker-${database}`;
    const seen = Promise.withResolvers<void>();
    monitor.on('monitor', (_time, args: string[], _source, at: string) => {
      if (at !== database) return;
      if (args.includes(marker)) seen.resolve();
      else commands.push(args.join(' '));
    });
    app.statements.length = 0;
    for (const wrong of [swapped(secret), secret.slice(0, -1), `${secret}0`, secret.replace('test', 'prod'), 'nxk_'])
      expect(await tryKey(wrong)).toEqual(refused);
    await redis.get(marker);
    await seen.promise;
    expect(app.statements).toEqual([]);
    expect(commands.filter((command) => !/^(auth|select|info|client|hello)\b/i.test(command))).toEqual([]);
    monitor.disconnect();
    redis.disconnect();
  });

  test('is refused where it has expired, though it was in use', async () => {
    const { secret } = await app.createKey({
      scopes: ['tasks:read'],
      expiresAt: new Date(Date.now() + 1_000).toISOString(),
    });
    expect((await tryKey(secret)).status).toBe(200);
    await expect.poll(() => tryKey(secret), { interval: 50, timeout: 5_000 }).toEqual(refused);
  });

  test('answers like any other bad key, and never falls back to anonymous', async () => {
    const [revoked, expired, unknown] = [
      await app.createKey({ scopes: ['tasks:read'] }),
      await app.createKey({ scopes: ['tasks:read'] }),
      await app.createKey({ scopes: ['tasks:read'] }),
    ];
    await app.succeed(operation('RevokeApiKey'), { id: revoked.id }, admin);
    await app.sql`update api_keys set expires_at = now() where id = ${expired.id}`;
    await app.sql`delete from api_keys where id = ${unknown.id}`;
    const login = { email: app.admin.email, password: app.admin.password };
    const secrets = [revoked.secret, expired.secret, unknown.secret, swapped(revoked.secret)];
    const answers = await Promise.all(
      secrets.map((secret) => app.request(operation('Login'), login, { bearer: secret })),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401, data: undefined });
  });
});

describe('the credentials of a request', () => {
  test('may be a key in either header', async () => {
    const { id, secret } = await app.createKey({ scopes: ['tasks:read'] });
    const answers = [await me({ bearer: secret }), await me(null, { 'x-api-key': secret })];
    expect(answers.map(({ data }) => data.me.apiKey.id)).toEqual([id, id]);
  });

  test('are 400 AMBIGUOUS_CREDENTIALS where there are two, equal or bad ones too', async () => {
    const { secret } = await app.createKey({ scopes: ['tasks:read'] });
    const { cookie } = app.admin;
    const authorization = `Bearer ${secret}`;
    for (const headers of [
      { authorization, 'x-api-key': secret },
      { authorization, cookie },
      { 'x-api-key': secret, cookie },
      { authorization: `Bearer ${app.admin.accessToken}`, cookie },
      { authorization: 'Basic x', 'x-api-key': '' },
      { cookie: `${cookie}; ${cookie}` },
    ] as Record<string, string>[]) {
      const answer = await me(null, headers);
      expect([answer.status, codesOf(answer)]).toEqual([400, ['AMBIGUOUS_CREDENTIALS']]);
    }
  });
});

describe('allowedIps', () => {
  test('let a key in from their ranges alone', async () => {
    const { secret } = await app.createKey({ scopes: ['tasks:read'], allowedIps: ['203.0.113.0/24', '2001:db8::/32'] });
    const from = async (ip: string) => (await me({ bearer: secret }, { 'x-forwarded-for': ip })).status;
    for (const ip of ['203.0.113.9', '2001:db8::1', '::ffff:203.0.113.9']) expect(await from(ip)).toBe(200);
    for (const ip of ['203.0.114.9', '2001:db9::1', '127.0.0.1', 'hello', '203.0.113.9, 198.51.100.1'])
      expect(await from(ip)).toBe(401);
    expect((await me({ bearer: secret })).status).toBe(401);
  });
});

describe('a key never has more than its maker', () => {
  test('where a person makes it', async () => {
    const viewer = as(await app.createPerson('VIEWER'));
    for (const input of [{ role: 'OPERATOR' }, { role: 'ADMIN' }, { role: 'AGENT', agentId: 'agent-1' }])
      expect(problemFieldsOf(await tryCreate(input, viewer))).toContain('input.role');
    expect(problemFieldsOf(await tryCreate({ scopes: ['tasks:write'] }, viewer))).toContain('input.scopes');
    expect(problemFieldsOf(await tryCreate({ tier: 'PREMIUM' }, viewer))).toEqual(['input.tier']);
    expect(problemFieldsOf(await tryCreate({ role: 'ADMIN' }, asOperator))).toContain('input.role');
    expect(problemFieldsOf(await tryCreate({ scopes: ['audit:read'] }, asOperator))).toContain('input.scopes');
  });

  test('where a key makes it', async () => {
    const maker = { bearer: (await app.createKey({ scopes: ['apiKeys:write', 'tasks:read'] }, asOperator)).secret };
    expect((await tryCreate({}, maker)).data.createApiKey.apiKey).toMatchObject({
      role: 'VIEWER',
      scopes: ['tasks:read'],
    });
    expect(problemFieldsOf(await tryCreate({ scopes: ['telemetry:read'] }, maker))).toEqual(['input.scopes']);
    expect(problemFieldsOf(await tryCreate({ role: 'OPERATOR' }, maker))).toContain('input.role');
  });

  test('and a rotation gives nobody a key that has more than the caller', async () => {
    const maker = { bearer: (await app.createKey({ scopes: ['apiKeys:write', 'tasks:read'] }, asOperator)).secret };
    const more = await app.createKey({ role: 'OPERATOR', scopes: ['tasks:write'] }, asOperator);
    const answer = await app.request(operation('RotateApiKey'), { id: more.id, overlapSeconds: 60 }, maker);
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
    expect((await me({ bearer: more.secret })).status).toBe(200);
  });
});

describe('a key never has more than its owner', () => {
  test('where an ADMIN makes it for somebody else', async () => {
    const viewer = await app.createPerson('VIEWER');
    for (const role of ['OPERATOR', 'ADMIN', 'AGENT'])
      expect(
        problemFieldsOf(
          await tryCreate({ ownerId: viewer.id, role, agentId: role === 'AGENT' ? 'agent-1' : null }, admin),
        ),
      ).toEqual(['input.role']);
  });

  test('from the next use on where the owner is demoted, and again where promoted', async () => {
    const person = await app.createPerson('OPERATOR');
    const { secret } = await app.createKey({ role: 'OPERATOR', scopes: ['tasks:read', 'tasks:write'] }, as(person));
    const agent = await app.createKey({ agentId: 'agent-1', scopes: ['telemetry:write'] }, as(person));
    const read = async () => (await me({ bearer: secret })).data.me;
    const createTask = () =>
      app.request(operation('CreateTask'), { input: { name: 'a', type: 'ANALYSIS' } }, { bearer: secret });
    expect(await read()).toMatchObject({ roles: ['OPERATOR'], scopes: ['tasks:read', 'tasks:write'] });
    expect((await me({ bearer: agent.secret })).status).toBe(200);

    await setRoles(person.id, 'VIEWER');
    expect(await read()).toMatchObject({ roles: ['VIEWER'], scopes: ['tasks:read'] });
    expect(codesOf(await createTask())).toEqual(['FORBIDDEN']);
    expect((await me({ bearer: agent.secret })).status).toBe(401);

    await setRoles(person.id, 'ADMIN');
    expect(await read()).toMatchObject({ roles: ['OPERATOR'], scopes: ['tasks:read', 'tasks:write'] });
    expect(codesOf(await createTask())).toEqual([]);
    expect((await me({ bearer: agent.secret })).status).toBe(200);
  });

  test('so that nothing is left where the owner is disabled', async () => {
    const person = await app.createPerson('OPERATOR');
    const keys = [
      await app.createKey({ scopes: ['tasks:read'] }, as(person)),
      await app.createKey({ agentId: 'agent-1', scopes: ['tasks:read'] }, as(person)),
    ];
    for (const { secret } of keys) expect((await me({ bearer: secret })).status).toBe(200);
    await app.succeed(operation('DisableUser'), { userId: person.id }, admin);
    for (const { secret } of keys) expect((await me({ bearer: secret })).status).toBe(401);
  });
});

describe("another owner's keys", () => {
  const unknownKey = 'key_00000000000000000000000000';
  const unknownUser = 'user_00000000000000000000000000';
  let owner: Person;
  let key: { id: string; secret: string };
  let strangers: Credential[];

  beforeAll(async () => {
    owner = await app.createPerson('OPERATOR');
    key = await app.createKey({ name: 'only the owner knows', scopes: ['tasks:read'] }, as(owner));
    const stranger = await app.createPerson('OPERATOR');
    const theirKey = await app.createKey({ scopes: ['apiKeys:read', 'apiKeys:write', 'tasks:read'] }, as(stranger));
    strangers = [as(stranger), { cookie: stranger.cookie }, { bearer: theirKey.secret }];
  });

  test.each(['ApiKey', 'RotateApiKey', 'RevokeApiKey'])(
    'cannot be told by %s from keys that do not exist',
    async (name) => {
      for (const stranger of strangers) {
        const answer = await app.request(operation(name), { id: key.id, overlapSeconds: 60 }, stranger);
        const unknown = await app.request(operation(name), { id: unknownKey, overlapSeconds: 60 }, stranger);
        expect(codesOf(answer)).toEqual(['NOT_FOUND']);
        expect(saidBy(answer)).toEqual(saidBy(unknown));
      }
      expect((await me({ bearer: key.secret })).status).toBe(200);
    },
  );

  test('are in no list', async () => {
    const { apiKeys } = await app.succeed(operation('ApiKeys'), { first: 1 }, as(owner));
    for (const stranger of strangers) {
      const [foreign, unknown] = [
        await app.request(operation('ApiKeys'), { ownerId: owner.id }, stranger),
        await app.request(operation('ApiKeys'), { ownerId: unknownUser }, stranger),
      ];
      expect(codesOf(foreign)).toEqual(['NOT_FOUND']);
      expect(saidBy(foreign)).toEqual(saidBy(unknown));
      for (const variables of [{}, { first: 100 }, { after: apiKeys.pageInfo.endCursor }])
        expect((await app.request(operation('ApiKeys'), variables, stranger)).text).not.toMatch(
          new RegExp(`${key.id}|${owner.id}|only the owner`),
        );
    }
  });

  test('cannot be made by a stranger', async () => {
    for (const stranger of strangers) {
      const [foreign, unknown] = [
        await tryCreate({ ownerId: owner.id }, stranger),
        await tryCreate({ ownerId: unknownUser }, stranger),
      ];
      expect(codesOf(foreign)).toEqual(['NOT_FOUND']);
      expect(saidBy(foreign)).toEqual(saidBy(unknown));
    }
  });

  test('are an ADMIN’s to read, rotate and revoke', async () => {
    const { id } = await app.createKey({ scopes: ['tasks:read'] }, as(owner));
    for (const name of ['ApiKey', 'RotateApiKey', 'RevokeApiKey'])
      expect(codesOf(await app.request(operation(name), { id }, admin))).toEqual([]);
  });
});

test('a secret is in the one answer and nowhere else: no table, no audit row, no log, no later answer', async () => {
  const created = await tryCreate({ scopes: ['tasks:read'] }, asOperator);
  const { secret, apiKey } = created.data.createApiKey;
  const rotated = await app.request(operation('RotateApiKey'), { id: apiKey.id, overlapSeconds: 60 }, asOperator);
  const secrets = [secret, rotated.data.rotateApiKey.secret].map((text: string) => text.slice('nxk_test_abcd'.length));
  await me({ bearer: secret });
  const places = await Promise.all([
    app.sql`select * from api_keys`.then(JSON.stringify),
    app.sql`select * from audit_events`.then(JSON.stringify),
    readLog(app),
    app.request(operation('ApiKey'), { id: apiKey.id }, admin).then(({ text }) => text),
  ]);
  expect(places.every((text) => text.includes(apiKey.id))).toBe(true);
  for (const part of secrets) expect(places.filter((text) => text.includes(part))).toEqual([]);
});
