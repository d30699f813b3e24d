import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Credential, type Person, send, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';
import { readLog } from '../support/readLog.ts';

type Key = { id: string; name: string; start: string; lastUsedAt: string | null; previousExpiresAt: string | null };

const unknownKey = 'key_00000000000000000000000000';

let app: TestApp;
let admin: Credential;
let operator: Person;
let asOperator: Credential;

beforeAll(async () => {
  app = await startApp();
  admin = { bearer: app.admin.accessToken };
  operator = await app.createPerson('OPERATOR');
  asOperator = { bearer: operator.accessToken };
});
afterAll(() => app.stop());

const tryCreate = (input: object, credential = asOperator): Promise<Answer> =>
  app.request(operation('CreateApiKey'), { input: { name: 'a key', scopes: ['tasks:read'], ...input } }, credential);

async function create(input: object = {}, credential = asOperator): Promise<{ secret: string; apiKey: Key }> {
  const { data, text } = await tryCreate(input, credential);
  if (!data?.createApiKey) throw new Error(text);
  return data.createApiKey;
}

const tryRotate = (id: string, overlapSeconds?: number | null, credential = asOperator) =>
  app.request(operation('RotateApiKey'), { id, overlapSeconds }, credential);

async function rotate(
  id: string,
  overlapSeconds?: number,
): Promise<{ secret: string; apiKey: Key & { rotatedAt: string } }> {
  const { data, text } = await tryRotate(id, overlapSeconds);
  if (!data?.rotateApiKey) throw new Error(text);
  return data.rotateApiKey;
}

const revoke = (id: string, reason?: string) => app.request(operation('RevokeApiKey'), { id, reason }, asOperator);
const readKey = async (id: string) => (await app.succeed(operation('ApiKey'), { id }, admin)).apiKey;
const useKey = (secret: string) => app.request(operation('Me'), {}, { bearer: secret });
const statusOf = async (secret: string) => (await useKey(secret)).status;

describe('createApiKey', () => {
  test('with what is required alone has the defaults of the contract, and its secret works at once', async () => {
    const { secret, apiKey } = await create();
    expect(secret).toMatch(/^nxk_test_[0-9A-Za-z]{49}$/);
    expect(apiKey).toEqual({
      ...{ id: expect.stringMatching(/^key_[0-7][0-9a-hjkmnp-tv-z]{25}$/), name: 'a key', start: secret.slice(0, 13) },
      ...{ tier: 'FREE', role: 'VIEWER', scopes: ['tasks:read'], agentId: null, allowedIps: [] },
      ...{ owner: { id: operator.id }, createdAt: expect.any(String), expiresAt: null, lastUsedAt: null },
      ...{ rotatedAt: null, previousExpiresAt: null, revokedAt: null },
    });
    expect((await useKey(secret)).data.me).toEqual({
      ...{ kind: 'API_KEY', roles: ['VIEWER'], scopes: ['tasks:read'], tier: 'FREE', session: null },
      user: { id: operator.id, email: operator.email, roles: ['OPERATOR'] },
      apiKey: { id: apiKey.id, name: 'a key' },
    });
  });

  test('keeps everything that it was given', async () => {
    const input = {
      ...{
        name: 'Ω',
        scopes: ['tasks:read', 'telemetry:write'],
        role: 'AGENT',
        tier: 'STANDARD',
        agentId: 'agent-keeps',
      },
      ...{ allowedIps: ['127.0.0.0/8', '2001:db8::/32'], expiresAt: '2100-01-01T00:00:00.000Z' },
    };
    const { apiKey } = await create(input);
    expect(apiKey).toMatchObject(input);
    expect(await readKey(apiKey.id)).toEqual(apiKey);
  });

  test('for another user is an ADMIN’s to make, in any tier', async () => {
    const input = { ownerId: operator.id, role: 'OPERATOR', scopes: ['tasks:write'], tier: 'ENTERPRISE' };
    const { secret, apiKey } = await create(input, admin);
    expect(apiKey).toMatchObject({ owner: { id: operator.id }, tier: 'ENTERPRISE' });
    expect((await useKey(secret)).data.me).toMatchObject({ user: { id: operator.id }, roles: ['OPERATOR'] });
  });

  test('tells every problem at once', async () => {
    const answer = await tryCreate({
      ...{ name: 'x'.repeat(201), scopes: ['users:write', 'tasks:read'], role: 'ADMIN', tier: 'ENTERPRISE' },
      ...{ agentId: 'agent-1', allowedIps: ['10.0.0.0/8', '10.0.0.1', 'x/8'], expiresAt: '2020-01-01T00:00:00Z' },
    });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(new Set(problemFieldsOf(answer))).toEqual(
      new Set(
        ['agentId', 'allowedIps.1', 'allowedIps.2', 'expiresAt', 'name', 'role', 'scopes', 'tier'].map(
          (f) => `input.${f}`,
        ),
      ),
    );
  });

  test('for a user who does not exist or is disabled is NOT_FOUND', async () => {
    const gone = await app.createPerson('VIEWER');
    await app.succeed(operation('DisableUser'), { userId: gone.id }, admin);
    for (const ownerId of [gone.id, 'user_00000000000000000000000000'])
      expect(codesOf(await tryCreate({ ownerId }, admin))).toEqual(['NOT_FOUND']);
  });
});

describe('rotateApiKey', () => {
  test('without an overlap ends the old secret at once, where that was in use too', async () => {
    const { secret: old, apiKey } = await create();
    expect(await statusOf(old)).toBe(200);
    const { secret, apiKey: rotated } = await rotate(apiKey.id);
    expect([await statusOf(old), await statusOf(secret)]).toEqual([401, 200]);
    expect(rotated).toMatchObject({ id: apiKey.id, start: secret.slice(0, 13), previousExpiresAt: null });
    expect(Date.parse(rotated.rotatedAt)).toBeGreaterThan(Date.now() - 5_000);
  });

  test('with an overlap lets the old secret work until previousExpiresAt and no longer', async () => {
    const { secret: old, apiKey } = await create();
    expect(await statusOf(old)).toBe(200);
    const { secret, apiKey: rotated } = await rotate(apiKey.id, 2);
    const end = Date.parse(rotated.previousExpiresAt ?? '');
    expect([await statusOf(old), await statusOf(secret)]).toEqual([200, 200]);
    await expect.poll(() => statusOf(old), { interval: 20, timeout: 5_000 }).toBe(401);
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    expect(Date.now()).toBeLessThan(end + 1_000);
    expect(await statusOf(secret)).toBe(200);
  });

  test('tells whoever goes on with the old secret until when it works, and the audit that it is in use', async () => {
    const input = { scopes: ['tasks:write', 'tasks:read'], role: 'OPERATOR' };
    const { secret: old, apiKey } = await create(input);
    expect((await useKey(old)).headers.get('nexus-key-deprecated')).toBeNull();
    const { secret, apiKey: rotated } = await rotate(apiKey.id, 600);
    const end = `@${Math.floor(Date.parse(rotated.previousExpiresAt ?? '') / 1000)}`;
    for (const [used, header] of [[old, end] as const, [secret, null] as const]) {
      const task = { input: { name: 'a task', type: 'ANALYSIS' } };
      const answer = await app.request(operation('CreateTask'), task, { bearer: used });
      expect(answer.errors).toBeUndefined();
      expect(answer.headers.get('nexus-key-deprecated')).toBe(header);
    }
    const refused = await app.request(operation('RotateApiKey'), { id: apiKey.id }, { bearer: old });
    expect([codesOf(refused), refused.headers.get('nexus-key-deprecated')]).toEqual([['FORBIDDEN'], end]);
    const events = await app.sql`select action, outcome, detail->'isReplacedSecret' as used from audit_events
      where credential_id = ${apiKey.id} order by outcome, occurred_at`;
    expect(events.map(({ action, outcome, used }) => [action, outcome, used])).toEqual([
      ['apiKey.rotate', 'REFUSED', true],
      ['task.create', 'SUCCEEDED', true],
      ['task.create', 'SUCCEEDED', null],
    ]);
    const logged = (await readLog(app)).split('\n').filter((line) => line.includes(apiKey.id));
    expect(logged.map((line) => JSON.parse(line).isReplacedSecret)).toEqual([undefined, true, undefined, true]);
  });

  test('twice leaves the last two secrets alone', async () => {
    const { secret: first, apiKey } = await create();
    const { secret: second } = await rotate(apiKey.id, 600);
    const { secret: third } = await rotate(apiKey.id, 600);
    expect(await Promise.all([first, second, third].map(statusOf))).toEqual([401, 200, 200]);
  });

  test('at the same time as others succeeds once, and is CONFLICT for the others', async () => {
    const { secret: old, apiKey } = await create();
    const answers = await app.sql.begin(async (tx) => {
      await tx`select 1 from api_keys where id = ${apiKey.id} for update`;
      const rotations = Array.from({ length: 5 }, () => tryRotate(apiKey.id, 0));
      // All have read the key before the first may change it.
      const waiting = () => app.sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await waiting()).length, { interval: 20, timeout: 1_500 }).toBe(5);
      return { rotations };
    });
    const settled = await Promise.all(answers.rotations);
    const succeeded = settled.filter(({ errors }) => !errors);
    expect(succeeded).toHaveLength(1);
    expect(settled.filter((answer) => codesOf(answer)[0] === 'CONFLICT')).toHaveLength(4);
    const [winner] = succeeded;
    expect([await statusOf(old), await statusOf(winner?.data.rotateApiKey.secret)]).toEqual([401, 200]);
  });

  test('of a revoked or expired key is CONFLICT', async () => {
    const [revoked, expired] = [await create(), await create()];
    await revoke(revoked.apiKey.id);
    await app.sql`update api_keys set expires_at = now() - interval '1 second' where id = ${expired.apiKey.id}`;
    for (const { apiKey } of [revoked, expired]) expect(codesOf(await tryRotate(apiKey.id))).toEqual(['CONFLICT']);
  });

  test('takes an overlap of 0 to 7 days', async () => {
    const { apiKey } = await create();
    for (const overlap of [-1, 604_801])
      expect(problemFieldsOf(await tryRotate(apiKey.id, overlap))).toEqual(['overlapSeconds']);
    for (const overlap of [604_800, null]) expect(codesOf(await tryRotate(apiKey.id, overlap))).toEqual([]);
    expect((await readKey(apiKey.id)).previousExpiresAt).toBeNull();
  });
});

describe('revokeApiKey', () => {
  test('ends the secret and the one before it at once', async () => {
    const { secret: old, apiKey } = await create();
    const { secret } = await rotate(apiKey.id, 600);
    expect(await Promise.all([old, secret].map(statusOf))).toEqual([200, 200]);
    const { data } = await revoke(apiKey.id, 'lost');
    expect(Date.parse(data.revokeApiKey.apiKey.revokedAt)).toBeGreaterThan(Date.now() - 5_000);
    expect(await Promise.all([old, secret].map(statusOf))).toEqual([401, 401]);
  });

  test('a second time leaves the first time as it is', async () => {
    const { apiKey } = await create();
    const [first, second] = [await revoke(apiKey.id), await revoke(apiKey.id)];
    expect(second.data).toEqual(first.data);
  });

  test('lets nobody in who comes while it is under way, once it is answered', async () => {
    const { secret, apiKey } = await create();
    let isRevoked = false;
    const late: number[] = [];
    const knock = async () => {
      while (!isRevoked) await statusOf(secret);
      late.push(await statusOf(secret));
    };
    const knocking = Array.from({ length: 8 }, knock);
    await revoke(apiKey.id);
    isRevoked = true;
    await Promise.all(knocking);
    expect(late).toEqual(Array(8).fill(401));
  });
});

test('changing or reading a key that does not exist is NOT_FOUND', async () => {
  const answers = [await tryRotate(unknownKey), await revoke(unknownKey)];
  answers.push(await app.request(operation('ApiKey'), { id: 'no id' }, admin));
  expect(answers.map(codesOf)).toEqual(Array(3).fill(['NOT_FOUND']));
});

test('a reason is 1 to 500 characters, and a wrong one revokes nothing', async () => {
  const { secret, apiKey } = await create();
  for (const reason of ['', 'x'.repeat(501)])
    expect(problemFieldsOf(await revoke(apiKey.id, reason))).toEqual(['reason']);
  expect(await statusOf(secret)).toBe(200);
});

describe('apiKeys', () => {
  const listPage = async (variables: object, credential: Credential) =>
    (await app.succeed(operation('ApiKeys'), variables, credential)).apiKeys;

  test("are the caller's own, the newest first, page by page, whole and single while others come in", async () => {
    const person = await app.createPerson('VIEWER');
    const own = { bearer: person.accessToken };
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.unshift((await create({}, own)).apiKey.id);
    const listed = await readPages<Key>(
      (after) => listPage({ first: 2, after }, own),
      () => create({}, own),
    );
    expect(listed.map(({ id }) => id)).toEqual(ids);
  });

  test('are everybody’s for an ADMIN, or one owner’s', async () => {
    const all = await readPages<Key & { owner: { id: string } }>((after) => listPage({ first: 100, after }, admin));
    expect(new Set(all.map(({ owner }) => owner.id)).size).toBeGreaterThan(1);
    const ofOne = await readPages<Key>((after) => listPage({ ownerId: operator.id, first: 100, after }, admin));
    expect(ofOne).toEqual(all.filter(({ owner }) => owner.id === operator.id));
    expect(await readPages<Key>((after) => listPage({ first: 100, after }, asOperator))).toEqual(ofOne);
  });

  test('refuse a wrong size and the cursor of another list, both at once', async () => {
    const { sessions } = await app.succeed(operation('Sessions'), { first: 1 }, admin);
    for (const after of [sessions.pageInfo.endCursor, 'x'])
      expect(problemFieldsOf(await app.request(operation('ApiKeys'), { first: 0, after }, admin))).toEqual([
        'after',
        'first',
      ]);
  });
});

test('the last use of a key is written behind, and never goes back', async () => {
  const [used, ahead] = [await create(), await create()];
  const future = '2100-01-01T00:00:00.000Z';
  await app.sql`update api_keys set last_used_at = ${future} where id = ${ahead.apiKey.id}`;
  const another = await app.startAnother();
  const before = Date.now();
  for (const { secret } of [used, ahead]) await send(another.url, operation('Me'), {}, { bearer: secret });
  expect((await readKey(used.apiKey.id)).lastUsedAt).toBeNull();
  await another.stop(); // What ends writes what it has noted.
  const { lastUsedAt } = await readKey(used.apiKey.id);
  expect(Date.parse(lastUsedAt)).toBeGreaterThanOrEqual(before);
  expect((await readKey(ahead.apiKey.id)).lastUsedAt).toBe(future);
});
