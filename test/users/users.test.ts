import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Credential, type Person, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';

const unknownUser = 'user_00000000000000000000000000';

let app: TestApp;
let admin: Credential;

beforeAll(async () => {
  app = await startApp();
  admin = { bearer: app.admin.accessToken };
});
afterAll(() => app.stop());

let addresses = 0;
const newEmail = () => `new${++addresses}@example.com`;

const tryCreate = (input: object) =>
  app.request(
    operation('CreateUser'),
    { input: { email: newEmail(), password: 'a password of the tests', roles: ['VIEWER'], ...input } },
    admin,
  );
const login = ({ email, password }: { email: string; password: string }): Promise<Answer> =>
  app.request(operation('Login'), { email, password });
const statusOf = async (credential: Credential) => (await app.request(operation('Me'), {}, credential)).status;
const setRoles = (userId: string, roles: string[], credential = admin) =>
  app.request(operation('SetUserRoles'), { userId, roles }, credential);
const disable = (userId: string, credential = admin) => app.request(operation('DisableUser'), { userId }, credential);
const both = ({ accessToken, cookie }: Person): [Credential, Credential] => [{ bearer: accessToken }, { cookie }];
const readMe = async (credential: Credential) => (await app.succeed(operation('Me'), {}, credential)).me;

describe('createUser', () => {
  test('makes a user who may log in at once', async () => {
    const { data } = await tryCreate({ email: 'Ada@Example.com', roles: ['OPERATOR', 'VIEWER'] });
    const { user } = data.createUser;
    expect(user).toEqual({
      ...{ id: expect.stringMatching(/^user_[0-7][0-9a-hjkmnp-tv-z]{25}$/), email: 'ada@example.com' },
      roles: ['OPERATOR', 'VIEWER'],
    });
    const answer = await login({ email: 'ada@example.com', password: 'a password of the tests' });
    expect(answer.data.login.user).toEqual(user);
    expect(await readMe({ bearer: answer.data.login.accessToken })).toMatchObject({ tier: 'STANDARD', user });
  });

  test('with an address that is taken, in whatever case, is CONFLICT', async () => {
    const email = newEmail();
    const answers = await Promise.all([email, email.toUpperCase(), email].map((one) => tryCreate({ email: one })));
    expect(answers.map(codesOf).filter(([code]) => code === undefined)).toHaveLength(1);
    expect(answers.map(codesOf).filter(([code]) => code === 'CONFLICT')).toHaveLength(2);
  });

  test('tells every problem at once', async () => {
    const answer = await tryCreate({ email: `${'a'.repeat(250)}@example.com`, password: 'short', roles: [] });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(new Set(problemFieldsOf(answer))).toEqual(new Set(['input.email', 'input.password', 'input.roles']));
    expect(answer.text).not.toContain('short');
  });

  test.each([
    'password1234',
    'PASSWORD1234',
    'qwertyqwerty',
    'aaaaaaaaaaaa',
    '123456789012',
    `x${'\0'}`.repeat(8),
    '\ud800'.repeat(12),
  ])('refuses the password %j', async (password) => {
    expect(problemFieldsOf(await tryCreate({ password }))).toContain('input.password');
  });

  test('takes 12 to 200 characters of any script', async () => {
    for (const password of ['é'.repeat(11), `${'öß'.repeat(100)}x`])
      expect(problemFieldsOf(await tryCreate({ password }))).toContain('input.password');
    const email = newEmail();
    const password = '密码很长的一句话没人知道🔑🔑';
    expect(codesOf(await tryCreate({ email, password }))).toEqual([]);
    expect(codesOf(await login({ email, password }))).toEqual([]);
  });

  test.each([[[]], [['AGENT']], [['VIEWER', 'VIEWER']], [['VIEWER', 'AGENT']]])(
    'refuses the roles %j',
    async (roles) => {
      expect(problemFieldsOf(await tryCreate({ roles }))).toEqual(['input.roles']);
      expect(problemFieldsOf(await setRoles(app.admin.id, roles))).toEqual(['roles']);
    },
  );
});

describe('setUserRoles', () => {
  test('takes effect at once for a session, and a token keeps no more than is left', async () => {
    const person = await app.createPerson('OPERATOR');
    const [token, session] = both(person);
    expect(await Promise.all([token, session].map(async (one) => (await readMe(one)).roles))).toEqual([
      ['OPERATOR'],
      ['OPERATOR'],
    ]);

    expect((await setRoles(person.id, ['VIEWER'])).data.setUserRoles.user).toEqual({
      id: person.id,
      roles: ['VIEWER'],
    });
    for (const credential of [token, session]) {
      expect(await readMe(credential)).toMatchObject({
        roles: ['VIEWER'],
        scopes: expect.not.arrayContaining(['tasks:write']),
      });
      const input = { name: 'a', type: 'ANALYSIS' };
      expect(codesOf(await app.request(operation('CreateTask'), { input }, credential))).toEqual(['FORBIDDEN']);
    }

    await setRoles(person.id, ['ADMIN']);
    expect((await readMe(session)).roles).toEqual(['ADMIN']);
    expect((await readMe(token)).roles).toEqual(['OPERATOR']); // What it was given.
    const { refreshAccessToken } = await app.succeed(operation('RefreshAccessToken'), {}, session);
    expect((await readMe({ bearer: refreshAccessToken.accessToken })).roles).toEqual(['ADMIN']);
    await setRoles(person.id, ['VIEWER']);
  });

  test('of a user who does not exist is NOT_FOUND, and disabling is too', async () => {
    for (const answer of [
      await setRoles(unknownUser, ['VIEWER']),
      await setRoles('no id', ['ADMIN']),
      await disable(unknownUser),
    ])
      expect(codesOf(answer)).toEqual(['NOT_FOUND']);
  });
});

describe('setUserTier', () => {
  const setTier = (userId: string, tier: string, credential = admin) =>
    app.request(
      'mutation($userId: ID!, $tier: Tier!) { setUserTier(userId: $userId, tier: $tier) { user { id tier } } }',
      { userId, tier },
      credential,
    );

  test('takes effect at once for sessions and tokens, in both directions, and keys keep their own', async () => {
    const person = await app.createPerson('OPERATOR');
    const key = await app.createKey({ scopes: ['tasks:read'], tier: 'FREE' }, { bearer: person.accessToken });
    const credentials = both(person);
    const tiersNow = async () => Promise.all(credentials.map(async (one) => (await readMe(one)).tier));
    const tierOfKey = async () => (await readMe({ bearer: key.secret })).tier;
    expect([...(await tiersNow()), await tierOfKey()]).toEqual(['STANDARD', 'STANDARD', 'FREE']);

    for (const tier of ['ENTERPRISE', 'FREE', 'PREMIUM']) {
      expect((await setTier(person.id, tier)).data.setUserTier.user).toEqual({ id: person.id, tier });
      expect([...(await tiersNow()), await tierOfKey()]).toEqual([tier, tier, 'FREE']);
    }
    expect((await login(person)).data.login.user.id).toBe(person.id);
  });

  test('of a user who does not exist is NOT_FOUND, and what is no tier is BAD_USER_INPUT', async () => {
    for (const id of [unknownUser, 'no id']) expect(codesOf(await setTier(id, 'FREE'))).toEqual(['NOT_FOUND']);
    for (const tier of ['ANONYMOUS', 'free', ''])
      expect(codesOf(await setTier(app.admin.id, tier))).toEqual(['BAD_USER_INPUT']);
  });

  test("is an ADMIN's, of one's own tier too", async () => {
    const person = await app.createPerson('OPERATOR');
    const [token = null] = both(person);
    expect(codesOf(await setTier(person.id, 'ENTERPRISE', token))).toEqual(['FORBIDDEN']);
    expect((await readMe(token)).tier).toBe('STANDARD');
    expect(codesOf(await setTier(app.admin.id, 'ENTERPRISE'))).toEqual([]);
    expect((await readMe(admin)).tier).toBe('ENTERPRISE');
  });
});

describe('disableUser', () => {
  test('stops every credential of the user at once, and no log-in follows', async () => {
    const person = await app.createPerson('OPERATOR');
    const key = await app.createKey({ scopes: ['tasks:read'] }, { bearer: person.accessToken });
    const credentials = [...both(person), { bearer: key.secret }];
    expect(await Promise.all(credentials.map(statusOf))).toEqual([200, 200, 200]);
    const { data } = await disable(person.id);
    expect(data.disableUser.user).toEqual({ id: person.id, disabledAt: expect.any(String) });
    expect(await Promise.all(credentials.map(statusOf))).toEqual([401, 401, 401]);
    expect(codesOf(await login(person))).toEqual(['UNAUTHENTICATED']);
    expect((await disable(person.id)).data).toEqual(data);
  });

  test('leaves no session of a log-in at the same time', async () => {
    const person = await app.createPerson('VIEWER');
    const logins = Array.from({ length: 4 }, () => login(person));
    const [answers] = await Promise.all([Promise.all(logins), disable(person.id)]);
    for (const { data } of answers)
      if (data?.login) expect(await statusOf({ bearer: data.login.accessToken })).toBe(401);
    const living = await app.sql`select 1 from sessions where user_id = ${person.id} and revoked_at is null`;
    expect(living).toHaveLength(0);
  });
});

const adminIds = async () =>
  (await app.sql`select id from users where 'ADMIN' = any(roles) and disabled_at is null`).map(({ id }) => id);

describe('the last ADMIN', () => {
  test('is neither demoted nor disabled, not even by itself', async () => {
    expect(await adminIds()).toEqual([app.admin.id]);
    for (const answer of [await setRoles(app.admin.id, ['OPERATOR']), await disable(app.admin.id)])
      expect(codesOf(answer)).toEqual(['CONFLICT']);
    expect(codesOf(await setRoles(app.admin.id, ['ADMIN', 'VIEWER']))).toEqual([]);
    await setRoles(app.admin.id, ['ADMIN']);
  });

  test('is not one who is disabled', async () => {
    const other = await app.createPerson('ADMIN');
    await disable(other.id);
    expect(codesOf(await setRoles(app.admin.id, ['OPERATOR']))).toEqual(['CONFLICT']);
  });
});

describe('changePassword', () => {
  const change = (credential: Credential, currentPassword: string, newPassword: string) =>
    app.request(operation('ChangePassword'), { currentPassword, newPassword }, credential);
  const next = 'another password of the tests';

  test.each(['cookie', 'token'] as const)(
    'by the %s keeps the session of the caller and revokes the others',
    async (kind) => {
      const person = await app.createPerson('VIEWER');
      const other = await login(person);
      const [token, session] = both(person);
      const key = await app.createKey({ scopes: ['tasks:read'] }, token);
      const { data } = await change(kind === 'cookie' ? session : token, person.password, next);
      expect(data.changePassword.user).toEqual({ id: person.id });
      expect(await Promise.all([token, session, { bearer: key.secret }].map(statusOf))).toEqual([200, 200, 200]);
      expect(await statusOf({ bearer: other.data.login.accessToken })).toBe(401);
      expect(codesOf(await login(person))).toEqual(['UNAUTHENTICATED']);
      expect(codesOf(await login({ ...person, password: next }))).toEqual([]);
    },
  );

  test('with a wrong current password is UNAUTHENTICATED, five times, and then RATE_LIMITED', async () => {
    const person = await app.createPerson('VIEWER');
    const [, session] = both(person);
    for (let count = 0; count < 5; count++) {
      const answer = await change(session, 'a wrong password', next);
      expect([answer.status, codesOf(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(codesOf(await change(session, person.password, next))).toEqual(['RATE_LIMITED']);
    expect(await statusOf(session)).toBe(200);
    expect(codesOf(await login(person))).toEqual([]);
  });

  test('refuses a common password, a short one, and the current one', async () => {
    const person = await app.createPerson('VIEWER');
    const [token] = both(person);
    for (const password of ['password1234', 'short', person.password, 'x'.repeat(201)]) {
      const answer = await change(token, person.password, password);
      expect([codesOf(answer), new Set(problemFieldsOf(answer))]).toEqual([
        ['BAD_USER_INPUT'],
        new Set(['newPassword']),
      ]);
    }
  });

  test('twice at the same time succeeds once', async () => {
    const person = await app.createPerson('VIEWER');
    const [token] = both(person);
    const passwords = [`${next} one`, `${next} two`];
    const answers = await Promise.all(passwords.map((password) => change(token, person.password, password)));
    expect(answers.map(codesOf).toSorted()).toEqual([[], ['UNAUTHENTICATED']]);
    const logins = await Promise.all(passwords.map((password) => login({ ...person, password })));
    expect(logins.map(({ errors }) => !errors)).toEqual(answers.map(({ errors }) => !errors));
  });

  test('is not for a key', async () => {
    const person = await app.createPerson('VIEWER');
    const key = await app.createKey({ scopes: ['sessions:write'] }, { bearer: person.accessToken });
    const answer = await change({ bearer: key.secret }, person.password, next);
    expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
  });
});

describe('users', () => {
  const listPage = async (variables: object) => (await app.succeed(operation('Users'), variables, admin)).users;

  test('are the newest first, page by page, whole and single while others come in', async () => {
    const ids = (await app.sql`select id from users order by created_at desc, id desc`).map(({ id }) => id);
    const listed = await readPages<{ id: string; email: string }>(
      (after) => listPage({ first: 15, after }),
      () => tryCreate({}),
    );
    expect(listed.map(({ id }) => id)).toEqual(ids);
    expect(listed.at(-1)).toEqual({
      ...{
        id: app.admin.id,
        email: app.admin.email,
        roles: ['ADMIN'],
        disabledAt: null,
        createdAt: expect.any(String),
      },
    });
  });

  test('refuse a wrong size and the cursor of another list, both at once', async () => {
    await app.createKey({ scopes: ['tasks:read'] }, admin);
    const { sessions, apiKeys } = await app.succeed(
      '{ sessions(first: 1) { pageInfo { endCursor } } apiKeys(first: 1) { pageInfo { endCursor } } }',
      {},
      admin,
    );
    for (const after of [sessions.pageInfo.endCursor, apiKeys.pageInfo.endCursor])
      expect(problemFieldsOf(await app.request(operation('Users'), { first: 0, after }, admin))).toEqual([
        'after',
        'first',
      ]);
  });
});

// The last one: whether the admin of all tests is who loses its sessions is left to chance.
describe('the last ADMIN', () => {
  test('stays where the last two are demoted and disabled at the same time', async () => {
    const other = await app.createPerson('ADMIN');
    const byOther = { bearer: other.accessToken };
    const changes = await app.sql.begin(async (tx) => {
      // Neither change can be committed before both are under way.
      await tx`select 1 from users where 'ADMIN' = any(roles) order by id for update`;
      const started = [setRoles(other.id, ['VIEWER']), disable(app.admin.id, byOther)];
      const waiting = () => app.sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await waiting()).length, { interval: 20, timeout: 1_500 }).toBe(2);
      return { started };
    });
    const answers = await Promise.all(changes.started);
    expect(answers.map(codesOf).toSorted()).toEqual([[], ['CONFLICT']]);
    expect(await adminIds()).toHaveLength(1);
    await app.sql`update users set roles = '{ADMIN}', disabled_at = null where id = ${app.admin.id}`;
    await app.sql`update users set roles = '{VIEWER}' where id = ${other.id}`;
    admin = { bearer: (await login(app.admin)).data.login.accessToken };
  });
});
