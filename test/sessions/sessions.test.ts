import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Credential, type Person, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';

type Session = { id: string; current: boolean; revokedAt: string | null; createdAt: string };

const hourMs = 3_600_000;

let app: TestApp;
let redis: Redis;
let admin: Credential;

beforeAll(async () => {
  app = await startApp();
  redis = new Redis(app.redisUrl);
  admin = { bearer: app.admin.accessToken };
});
afterAll(async () => {
  redis.disconnect();
  await app.stop();
});

const login = (person: { email: string; password: string }, headers?: Record<string, string>): Promise<Answer> =>
  app.request(operation('Login'), { email: person.email, password: person.password }, null, headers);

/** A session of its own, with both its credentials. */
async function logIn(person: Person) {
  const answer = await login(person);
  if (!answer.data?.login) throw new Error(answer.text);
  const { accessToken, session } = answer.data.login;
  return {
    id: session.id as string,
    token: { bearer: accessToken },
    cookie: { cookie: cookieOf(answer).split(';')[0] ?? '' },
  };
}

const cookieOf = ({ headers }: Answer) => headers.getSetCookie().join('\n');
const statusOf = async (credential: Credential) => (await app.request(operation('Me'), {}, credential)).status;
const statusesOf = ({ token, cookie }: { token: Credential; cookie: Credential }) =>
  Promise.all([token, cookie].map(statusOf));
const listAll = (variables: object, credential: Credential, meanwhile?: () => Promise<unknown>) =>
  readPages<Session>(
    async (after) => (await app.succeed(operation('Sessions'), { ...variables, after }, credential)).sessions,
    meanwhile,
  );

/** Moves the instants of a session into the past, as if time had passed. */
async function age(id: string, { begun = '0 s', used = '0 s' }) {
  await app.sql`update sessions set created_at = created_at - ${begun}::interval, last_seen_at = now() - ${used}::interval
    where id = ${id}`;
  await redis.del(`nexus:session:${id}`);
}

describe('login', () => {
  test('answers a session, a cookie for browsers, and an access token of one hour', async () => {
    const answer = await login(app.admin, { 'user-agent': 'the user agent' });
    const { accessToken, accessTokenExpiresAt, session, user } = answer.data.login;
    const [header, claims] = accessToken
      .split('.', 2)
      .map((part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    expect(user).toEqual({ id: app.admin.id, email: app.admin.email, roles: ['ADMIN'] });
    expect(cookieOf(answer)).toMatch(
      new RegExp(`^nexus\\.sid=${session.id}\\.[\\w-]{43}; Max-Age=86400; Path=/; HttpOnly; SameSite=Strict$`),
    );
    expect(header).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.any(String) });
    expect(claims).toMatchObject({
      ...{ iss: 'nexus-api', aud: 'nexus-clients', sub: app.admin.id, sid: session.id, roles: ['ADMIN'] },
      ...{ jti: expect.any(String), exp: claims.iat + 3600, scope: expect.stringContaining('users:write') },
    });
    expect(Date.parse(accessTokenExpiresAt)).toBe(claims.exp * 1000);
    expect(Math.abs(Date.parse(session.expiresAt) - Date.now() - 2 * hourMs)).toBeLessThan(10_000);
    const { sessions } = await app.succeed(operation('Sessions'), { first: 1 }, { bearer: accessToken });
    expect(sessions.edges[0].node).toMatchObject({
      ...{ id: session.id, user: { id: app.admin.id }, ip: '127.0.0.1', userAgent: 'the user agent' },
      ...{ expiresAt: session.expiresAt, revokedAt: null, current: true },
    });
  });

  test('knows the address in any case', async () => {
    expect((await login({ ...app.admin, email: 'ADMIN@Example.COM' })).data.login.user.id).toBe(app.admin.id);
  });

  test('makes a new session each time, whatever the request came with', async () => {
    const person = await app.createPerson('VIEWER');
    const variables = { email: person.email, password: person.password };
    const again = await app.request(operation('Login'), variables, { cookie: person.cookie });
    expect(again.data.login.session.id).not.toBe(person.cookie.split(/[=.]/)[2]);
    expect(cookieOf(again)).not.toContain(person.cookie);
  });
});

test('a session and its access token say the same of their user', async () => {
  const person = await app.createPerson('OPERATOR');
  const session = await logIn(person);
  const [byToken, byCookie] = await Promise.all(
    [session.token, session.cookie].map(async (one) => (await app.succeed(operation('Me'), {}, one)).me),
  );
  expect(byCookie).toMatchObject({
    ...{ kind: 'SESSION', roles: ['OPERATOR'], tier: 'STANDARD', apiKey: null, session: { id: session.id } },
    scopes: expect.arrayContaining(['tasks:read', 'tasks:write', 'sessions:write']),
    user: { id: person.id, email: person.email, roles: ['OPERATOR'] },
  });
  expect(byCookie.scopes).not.toContain('users:read');
  expect(byToken).toEqual({ ...byCookie, kind: 'ACCESS_TOKEN' });
});

describe('logout', () => {
  test.each(['cookie', 'token'] as const)(
    'by the %s ends both credentials at once and clears the cookie',
    async (kind) => {
      const session = await logIn(app.admin);
      expect(await statusesOf(session)).toEqual([200, 200]);
      const answer = await app.request(operation('Logout'), {}, session[kind]);
      expect(answer.data.logout.session).toEqual({ id: session.id, revokedAt: expect.any(String) });
      expect(cookieOf(answer)).toMatch(
        /^nexus\.sid=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 .*; HttpOnly; SameSite=Strict$/,
      );
      expect(await statusesOf(session)).toEqual([401, 401]);
    },
  );

  test('ends no other session', async () => {
    const [one, other] = [await logIn(app.admin), await logIn(app.admin)];
    await app.succeed(operation('Logout'), {}, one.cookie);
    expect(await statusesOf(other)).toEqual([200, 200]);
  });
});

describe('refreshAccessToken', () => {
  test('answers a new token of the same session', async () => {
    const session = await logIn(app.admin);
    const { refreshAccessToken } = await app.succeed(operation('RefreshAccessToken'), {}, session.cookie);
    expect(Date.parse(refreshAccessToken.accessTokenExpiresAt)).toBeGreaterThan(Date.now() + hourMs - 10_000);
    expect(refreshAccessToken.accessToken).not.toBe(session.token.bearer);
    const { me } = await app.succeed(operation('Me'), {}, { bearer: refreshAccessToken.accessToken });
    expect(me.session).toEqual({ id: session.id });
  });

  test('is for a session alone', async () => {
    const session = await logIn(app.admin);
    const key = await app.createKey({ role: 'ADMIN', scopes: ['sessions:write'] });
    for (const credential of [session.token, { bearer: key.secret }]) {
      const answer = await app.request(operation('RefreshAccessToken'), {}, credential);
      expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
    }
  });
});

describe('revokeSession', () => {
  test('ends the cookie and the token of that session at once, and of no other', async () => {
    const [one, other] = [await logIn(app.admin), await logIn(app.admin)];
    expect(await statusesOf(one)).toEqual([200, 200]);
    const answer = await app.request(operation('RevokeSession'), { id: one.id }, other.cookie);
    expect(answer.data.revokeSession.session).toEqual({ id: one.id, revokedAt: expect.any(String) });
    expect(cookieOf(answer)).toBe('');
    expect([await statusesOf(one), await statusesOf(other)]).toEqual([
      [401, 401],
      [200, 200],
    ]);
  });

  test('a second time leaves the first time as it is', async () => {
    const { id } = await logIn(app.admin);
    const [first, second] = [
      await app.request(operation('RevokeSession'), { id }, admin),
      await app.request(operation('RevokeSession'), { id }, admin),
    ];
    expect(second.data).toEqual(first.data);
  });

  test('lets nobody in who comes while it is under way, once it is answered', async () => {
    const session = await logIn(app.admin);
    let isRevoked = false;
    const late: number[] = [];
    const knock = async (credential: Credential) => {
      while (!isRevoked) await statusOf(credential);
      late.push(await statusOf(credential));
    };
    const knocking = [session.token, session.cookie, session.token, session.cookie].map(knock);
    await app.succeed(operation('RevokeSession'), { id: session.id }, admin);
    isRevoked = true;
    await Promise.all(knocking);
    expect(late).toEqual(Array(4).fill(401));
  });

  test('of a session that does not exist is NOT_FOUND', async () => {
    const answer = await app.request(operation('RevokeSession'), { id: 'no id' }, admin);
    expect(codesOf(answer)).toEqual(['NOT_FOUND']);
  });
});

describe('revokeAllUserSessions', () => {
  test('ends the living ones and counts those alone', async () => {
    const person = await app.createPerson('VIEWER');
    const [revoked, idle, ended, ...living] = await Promise.all(Array.from({ length: 5 }, () => logIn(person)));
    if (!revoked || !idle || !ended) throw new Error('There are five.');
    await app.succeed(operation('Logout'), {}, revoked.cookie);
    await age(idle.id, { used: '121 min' });
    await age(ended.id, { begun: '25 h' });
    const { revokeAllUserSessions } = await app.succeed(
      operation('RevokeAllUserSessions'),
      { userId: person.id },
      admin,
    );
    expect(revokeAllUserSessions).toEqual({ revokedCount: 3 }); // The one of createPerson, and two.
    for (const session of living) expect(await statusesOf(session)).toEqual([401, 401]);
  });

  test('of the caller ends the session of this request too, and clears its cookie', async () => {
    const person = await app.createPerson('VIEWER');
    const session = await logIn(person);
    const answer = await app.request(operation('RevokeAllUserSessions'), { userId: person.id }, session.cookie);
    expect(answer.data.revokeAllUserSessions).toEqual({ revokedCount: 2 });
    expect(cookieOf(answer)).toMatch(/^nexus\.sid=; Max-Age=0/);
    expect(await statusesOf(session)).toEqual([401, 401]);
  });
});

describe('a session ends', () => {
  test.each<[string, Parameters<typeof age>[1], number]>([
    ['2 hours after its last use', { begun: '3 h', used: '119 min' }, 200],
    ['2 hours after its last use', { begun: '3 h', used: '121 min' }, 401],
    ['24 hours after it began, used or not', { begun: '1439 min' }, 200],
    ['24 hours after it began, used or not', { begun: '1441 min' }, 401],
  ])('%s (%j: %i)', async (_when, passed, status) => {
    const session = await logIn(app.admin);
    await age(session.id, passed);
    expect(await statusesOf(session)).toEqual([status, status]);
  });

  test('later where it is used, and never later than 24 hours after it began', async () => {
    const [young, old] = [await logIn(app.admin), await logIn(app.admin)];
    await age(young.id, { begun: '1 h', used: '1 h' });
    await age(old.id, { begun: '23 h', used: '1 h' });
    const expiresIn = async (session: typeof young) => {
      const { me } = await app.succeed('{ me { session { expiresAt } } }', {}, session.cookie);
      return (Date.parse(me.session.expiresAt) - Date.now()) / hourMs;
    };
    await Promise.all([statusesOf(young), statusesOf(old)]);
    await expect.poll(() => expiresIn(young)).toBeGreaterThan(1.9);
    expect(await expiresIn(old)).toBeCloseTo(1, 1);
  });
});

describe('sessions', () => {
  test("are the caller's own, ended ones too, page by page, whole and single while others come in", async () => {
    const person = await app.createPerson('VIEWER');
    const current = await logIn(person);
    const gone = await logIn(person);
    await app.succeed(operation('Logout'), {}, gone.cookie);
    const listed = await listAll({ first: 1 }, current.cookie, () => logIn(person));
    expect(listed.map(({ id }) => id).slice(0, 2)).toEqual([gone.id, current.id]);
    expect(listed.map((session) => session.current)).toEqual([false, true, false]);
    expect(listed[0]?.revokedAt).toEqual(expect.any(String));
  });

  test('of any user are an ADMIN’s to read, and none is current', async () => {
    const person = await app.createPerson('VIEWER');
    const listed = await listAll({ userId: person.id }, admin);
    expect(listed.map(({ current, id }) => [current, id])).toEqual([[false, person.cookie.split(/[=.]/)[2]]]);
    const unknown = { userId: 'user_00000000000000000000000000' };
    expect(codesOf(await app.request(operation('Sessions'), unknown, admin))).toEqual(['NOT_FOUND']);
  });

  test('refuse a wrong size and the cursor of another list, both at once', async () => {
    const { users } = await app.succeed(operation('Users'), { first: 1 }, admin);
    for (const after of [users.pageInfo.endCursor, 'x'])
      expect(problemFieldsOf(await app.request(operation('Sessions'), { first: 101, after }, admin))).toEqual([
        'after',
        'first',
      ]);
  });
});
