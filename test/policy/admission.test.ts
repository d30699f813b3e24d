import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, startApp, type TestApp } from '../support/app.ts';

const tiers = {
  ANONYMOUS: { perHour: null, perMinute: 20 },
  FREE: { perHour: 1_000, perMinute: 30 },
  STANDARD: { perHour: null, perMinute: 1_000 },
  PREMIUM: { perHour: null, perMinute: null },
  ENTERPRISE: { perHour: null, perMinute: null },
};
const read = '{ tasks(first: 1) { edges { node { id } } } }';
const largest = '{ tasks(first: 100) { edges { node { agent { id } createdBy { id } } } } }';
const createTask = 'mutation { createTask(input: { name: "a task", type: ANALYSIS }) { task { id } } }';
const limitsQuery = '{ rateLimit { tier cost limits { name limit remaining resetAt windowSeconds } } }';

/** What is refused here so often would have its address blocked. */
const withoutBlocks = { AUTO_BLOCK_FAILED_AUTHENTICATIONS: '0', AUTO_BLOCK_RATE_LIMIT_REFUSALS: '0' };

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ env: { TIERS: JSON.stringify(tiers), TRUST_PROXY: '127.0.0.1/32', ...withoutBlocks } });
});

afterAll(() => app.stop());

let addresses = 0;
/** A stranger at an address that nobody else has. */
const stranger = () => {
  addresses += 1;
  return { 'x-forwarded-for': `198.51.100.${addresses}` };
};

const codesOf = ({ errors }: Answer) => errors?.map(({ extensions }) => extensions.code);
const costOf = ({ text }: Answer) => JSON.parse(text).extensions?.cost;
const asAdmin = () => ({ bearer: app.admin.accessToken });

/** A new owner's keys, of these tiers. */
async function keysOf(...tierNames: string[]): Promise<{ bearer: string }[]> {
  const person = await app.createPerson('OPERATOR');
  return Promise.all(
    tierNames.map(async (tier) => {
      const { secret } = await app.createKey({
        role: 'OPERATOR',
        scopes: ['tasks:read', 'tasks:write'],
        ownerId: person.id,
        tier,
      });
      return { bearer: secret };
    }),
  );
}

async function oneKey(tier: string): Promise<{ bearer: string }> {
  const [key] = await keysOf(tier);
  if (!key) throw new Error('There is no key.');
  return key;
}

async function remainingOf(credential: Parameters<TestApp['request']>[2], name = 'minute', headers = {}) {
  const { data } = await app.request(limitsQuery, {}, credential, headers);
  return data.rateLimit.limits.find((limit: { name: string }) => limit.name === name)?.remaining;
}

describe('what comes to no price takes one unit all the same', () => {
  test.each([
    ['a document that is not valid', '{ nothing }', {}],
    ['a document that cannot be parsed', '{', {}],
    ['a document that is too deep', `{ ${'a { '.repeat(11)}a${' }'.repeat(11)} }`, {}],
    ['variables of the wrong shape', 'query($f: TaskFilter) { tasks(filter: $f) { edges { cursor } } }', { f: 3 }],
    ['a subscription', 'subscription { nothing }', {}],
  ])('%s', async (_what, query, variables) => {
    const address = stranger();
    const before = await remainingOf(null, 'minute', address);
    for (let turn = 0; turn < before; turn++)
      expect((await app.request(query, variables, null, address)).status).toBe(400);
    const refused = await app.request(query, variables, null, address);
    expect({ status: refused.status, codes: codesOf(refused) }).toEqual({ status: 429, codes: ['RATE_LIMITED'] });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('the price', () => {
  test('over what the tier allows is COST_EXCEEDED with both numbers, and nothing runs', async () => {
    const answers = await Promise.all((await keysOf('FREE', 'STANDARD')).map((key) => app.request(largest, {}, key)));
    const [free, standard] = answers;
    expect(free?.status).toBe(400);
    expect(free?.errors?.[0]?.extensions).toMatchObject({ code: 'COST_EXCEEDED', requested: 301, allowed: 200 });
    expect(free?.data).toBeUndefined();
    expect(standard?.errors).toBeUndefined();
  });

  test('of a flat page of 100 is within the smallest tier', async () => {
    const answer = await app.request('{ tasks(first: 100) { edges { node { id } } } }', {}, await oneKey('FREE'));
    expect(answer.errors).toBeUndefined();
    expect(costOf(answer).requested).toBe(101);
  });

  test.each([
    ['STANDARD', 1_000],
    ['PREMIUM', 5_000],
    ['ENTERPRISE', 20_000],
  ])('of a key of tier %s may be %i', async (tier, allowed) => {
    const fields = Array.from({ length: 15 }, (_, index) => `a${index}: tasks(first: $first) { ...page }`);
    const query = `query($first: Int) { ${fields.join(' ')} } fragment page on TaskConnection {
      edges { node { createdBy { id } agent { id tasks(first: 100) { edges { node { id } } } } } }
    }`;
    const answer = await app.request(query, { first: 100 }, await oneKey(tier));
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'COST_EXCEEDED', allowed });
    expect(answer.errors?.[0]?.extensions.requested).toBeGreaterThan(allowed);
  });

  test('of an answer is told with that of the request, and its parts where the client asks', async () => {
    const key = await oneKey('STANDARD');
    const plain = await app.request(read, {}, key);
    expect(costOf(plain)).toMatchObject({ requested: 2 });
    expect(costOf(plain).actual).toBeLessThanOrEqual(2);
    expect(costOf(plain)).not.toHaveProperty('fields');
    const debugged = await app.request(read, {}, key, { 'nexus-cost-debug': '1' });
    expect(costOf(debugged).fields).toEqual([
      { path: 'tasks', cost: 1 },
      { path: 'tasks.edges', cost: 1 },
    ]);
  });

  test('of each begun hundred takes one unit, and what the answer did not need is given back', async () => {
    const key = await oneKey('STANDARD');
    const answer = await app.request(largest, {}, key);
    expect(costOf(answer).requested).toBe(301);
    expect(costOf(answer).actual).toBeLessThan(101);
    expect(costOf(answer).limits[0]).toMatchObject({ name: 'minute', limit: 1_000, remaining: 999 });
    await expect.poll(() => remainingOf(key)).toBe(999);
  });

  test('of a batch is one unit for each begun hundred readings', async () => {
    const { secret } = await app.createKey({ agentId: 'agent-batch', scopes: ['telemetry:write'], tier: 'FREE' });
    const before = await remainingOf({ bearer: secret });
    const inputs = Array.from({ length: 201 }, (_, index) => ({
      agentId: 'agent-batch',
      timestamp: new Date(Date.UTC(2024, 0, 1) + index).toISOString(),
      metrics: { cpu: 1 },
      status: 'ACTIVE',
    }));
    const query =
      'mutation($inputs: [TelemetryInput!]!) { submitTelemetryBatch(inputs: $inputs) { accepted rejected { index } } }';
    const answer = await app.request(query, { inputs }, { bearer: secret });
    expect(answer.data?.submitTelemetryBatch.accepted).toBe(201);
    await expect.poll(() => remainingOf({ bearer: secret })).toBe(before - 3);
  });
});

describe('the quota', () => {
  test('is what the tier says, exactly, over all keys of an owner', async () => {
    const [one, other] = await keysOf('FREE', 'FREE');
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, turn) => app.request(read, {}, turn % 2 ? one : other)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(30);
    for (const answer of refused) {
      expect(codesOf(answer)).toEqual(['RATE_LIMITED']);
      const seconds = Number(answer.headers.get('retry-after'));
      expect(seconds).toBe(answer.errors?.[0]?.extensions.retryAfterSeconds);
      expect(seconds).toBeGreaterThan(55);
      expect(seconds).toBeLessThanOrEqual(61);
    }
  });

  test('of a stranger is that of the address, of IPv6 that of the /64, and no credential of an owner is in it', async () => {
    const from = (ip: string) => app.request(limitsQuery, {}, null, { 'x-forwarded-for': ip });
    const seen = async (ip: string) => (await from(ip)).data.rateLimit.limits[0].remaining;
    await app.request('{ __typename }', {}, null, { 'x-forwarded-for': '2001:db8:1:2::1' });
    expect(await seen('2001:db8:1:2:ffff::9')).toBe(19);
    expect(await seen('2001:db8:1:3::1')).toBe(20);
    const address = stranger();
    await app.request(read, {}, await oneKey('STANDARD'), address);
    expect(await remainingOf(null, 'minute', address)).toBe(20);
  });

  test('is taken by one unit by what is refused', async () => {
    const key = await oneKey('STANDARD');
    expect(codesOf(await app.request('{ users { edges { node { id } } } }', {}, key))).toEqual(['FORBIDDEN']);
    await expect.poll(() => remainingOf(key)).toBe(999);
    const address = stranger();
    expect(codesOf(await app.request(read, {}, null, address))).toEqual(['UNAUTHENTICATED']);
    await expect.poll(() => remainingOf(null, 'minute', address)).toBe(19);
  });

  test('has no part in a bad credential, which is 401 whatever else', async () => {
    const address = stranger();
    for (let count = 0; count < 25; count += 1) {
      const answer = await app.request(read, {}, { bearer: 'nxk_live_bad' }, address);
      expect([answer.status, codesOf(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
    }
    expect(await remainingOf(null, 'minute', address)).toBe(20);
  });

  test('is not used up by asking for it, nor by a Sandbox that reads the schema each second', async () => {
    const address = stranger();
    for (let count = 0; count < 30; count += 1) {
      expect((await app.request('{ __schema { queryType { name } } }', {}, null, address)).status).toBe(200);
      expect(await remainingOf(null, 'minute', address)).toBe(20);
    }
    await app.request('{ __typename }', {}, null, address);
    await expect.poll(() => remainingOf(null, 'minute', address)).toBe(19);
  });

  test('can be asked for where it is used up', async () => {
    const key = await oneKey('FREE');
    await Promise.all(Array.from({ length: 31 }, () => app.request(read, {}, key)));
    expect((await app.request(read, {}, key)).status).toBe(429);
    expect(await remainingOf(key)).toBe(0);
  });
});

describe('what the client is told', () => {
  test('is the same in RateLimit, RateLimit-Policy, extensions.cost and the query', async () => {
    const key = await oneKey('FREE');
    await app.request(read, {}, key);
    const answer = await app.request(`query { ${limitsQuery.slice(1, -1)} ${read.slice(1, -1)} }`, {}, key);
    expect(answer.headers.get('ratelimit-policy')).toBe(
      '"hour";q=1000;w=3600, "minute";q=30;w=60, "Query.tasks";q=1200;w=60',
    );
    expect(answer.headers.get('ratelimit')).toMatch(
      /^"hour";r=998;t=\d+, "minute";r=28;t=\d+, "Query\.tasks";r=119\d;t=\d+$/,
    );
    const { limits } = costOf(answer);
    expect(answer.data.rateLimit).toEqual({ tier: 'FREE', cost: 2, limits });
    const [, seconds] = /"minute";r=\d+;t=(\d+)/.exec(answer.headers.get('ratelimit') ?? '') ?? [];
    const resetInSeconds = (Date.parse(limits[1].resetAt) - Date.now()) / 1000;
    expect(Number(seconds)).toBeGreaterThan(resetInSeconds - 1);
    expect(Number(seconds)).toBeLessThan(resetInSeconds + 3);
  });

  test('a refused request is told what is left too', async () => {
    const key = await oneKey('FREE');
    await Promise.all(Array.from({ length: 30 }, () => app.request(read, {}, key)));
    const refused = await app.request(read, {}, key);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit')).toMatch(/"hour";r=970;t=\d+, "minute";r=0;t=\d+/);
    expect(costOf(refused).limits[1]).toMatchObject({ name: 'minute', remaining: 0 });
  });

  test('pages of other origins may read the headers', async () => {
    const other = await startApp({ env: { CORS_ORIGINS: 'https://console.example.com' } });
    const answer = await other.request('{ __typename }', {}, null, { origin: 'https://console.example.com' });
    await other.stop();
    expect(answer.headers.get('access-control-expose-headers')).toContain('RateLimit-Policy, RateLimit, Retry-After');
  });

  test('who has no limits is told of none', async () => {
    const key = await oneKey('ENTERPRISE');
    const answer = await app.request(limitsQuery, {}, key);
    expect(answer.data.rateLimit).toEqual({ tier: 'ENTERPRISE', cost: 0, limits: [] });
    expect(answer.headers.get('ratelimit')).toBeNull();
  });
});

describe('limits of fields', () => {
  test('fields of one response key are one call', async () => {
    const key = await oneKey('STANDARD');
    await app.request('{ tasks(first: 1) { edges { cursor } } tasks(first: 1) { pageInfo { hasNextPage } } }', {}, key);
    const answer = await app.request(read, {}, key);
    expect(answer.headers.get('ratelimit')).toContain('"Query.tasks";r=1198');
  });

  test('a field that was refused before its turn takes no place', async () => {
    const key = await oneKey('STANDARD');
    const unassigned =
      'mutation { assignTask(id: "task_00000000000000000000000000", agentId: "agent-1") { task { id } } }';
    expect(codesOf(await app.request(unassigned, {}, key))).toEqual(['NOT_FOUND']);
    const forbidden =
      'mutation { assignTask(id: "x", agentId: "agent-1") { task { id } } disableUser(userId: "x") { user { id } } }';
    expect(codesOf(await app.request(forbidden, {}, key))).toEqual(['FORBIDDEN']);
    const answer = await app.request(unassigned, {}, key);
    expect(answer.headers.get('ratelimit')).toContain('"Mutation.assignTask";r=1198');
  });
});

describe('strangers', () => {
  test('past half of their minute wait 100 ms for each request over it', async () => {
    const address = stranger();
    const ask = async () => {
      const startedAt = performance.now();
      await app.request('{ __typename }', {}, null, address);
      return performance.now() - startedAt;
    };
    for (let count = 0; count < 10; count += 1) await ask();
    const [first, second, third] = [await ask(), await ask(), await ask()];
    expect(first).toBeGreaterThanOrEqual(99);
    expect(second).toBeGreaterThanOrEqual(199);
    expect(third).toBeGreaterThanOrEqual(299);
    // With all of it used, a request would wait for a second; what asks for nothing but what is left does not.
    await Promise.all(Array.from({ length: 7 }, ask));
    const startedAt = performance.now();
    expect(await remainingOf(null, 'minute', address)).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(900);
  });

  test('who are known do not wait', async () => {
    const key = await oneKey('FREE');
    for (let count = 0; count < 25; count += 1) await app.request(read, {}, key);
    const startedAt = performance.now();
    expect((await app.request(createTask, {}, key)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('wait 200 at a time, and the next one is refused at once', async () => {
    const flooded = await startApp({
      env: {
        ...{ TIERS: JSON.stringify({ ANONYMOUS: { perMinute: 600 } }), TRUST_PROXY: '127.0.0.1/32' },
        ...withoutBlocks,
      },
    });
    const address = stranger();
    const ask = () => flooded.request('{ __typename }', {}, null, address);
    await Promise.all(Array.from({ length: 300 }, ask));
    const answers = await Promise.all(Array.from({ length: 250 }, ask));
    await flooded.stop();
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(50);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(250 - refused.length);
  }, 30_000);
});

describe('the limit of createUser', () => {
  test('is reserved for all aliases or none: a mutation over its limit runs none of them', async () => {
    const create = (from: number, count: number) => {
      const fields = Array.from(
        { length: count },
        (_, index) =>
          `u${index}: createUser(input: { email: "all${from + index}@example.com", password: $password, roles: [VIEWER] }) { user { id } }`,
      );
      return app.request(
        `mutation($password: String!) { ${fields.join(' ')} }`,
        { password: 'the password of many' },
        asAdmin(),
      );
    };
    const countUsers = async (pattern: string): Promise<number> => {
      const [row] = await app.sql`select count(*)::int as count from users where email like ${pattern}`;
      return row?.count;
    };
    const room = 100 - (await countUsers('person%'));
    let made = 0;
    while (room - made > 8) {
      expect((await create(made, 8)).errors).toBeUndefined();
      made += 8;
    }
    const answer = await create(made, room - made + 1);
    expect([answer.status, codesOf(answer)]).toEqual([429, ['RATE_LIMITED']]);
    expect(await countUsers('all%')).toBe(made);
    expect((await create(made, room - made)).errors).toBeUndefined();
  }, 60_000);
});
