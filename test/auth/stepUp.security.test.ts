import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, type Person, startApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let admin: Person;
beforeAll(async () => {
  app = await startApp();
  admin = await app.createPerson('ADMIN');
  await ageLogin(admin, '601 seconds');
});
afterAll(() => app.stop());

/** Before the session is used, so that no copy of it is there. */
async function ageLogin({ id }: Person, age: string): Promise<void> {
  await app.sql`update sessions set created_at = created_at - ${age}::interval where user_id = ${id}`;
}

const fields: [string, (ids: { user: string; key: string }) => string][] = [
  ['rotateApiKey', ({ key }) => `rotateApiKey(id: "${key}") { secret }`],
  ['revokeAllUserSessions', ({ user }) => `revokeAllUserSessions(userId: "${user}") { revokedCount }`],
  ['setUserRoles', ({ user }) => `setUserRoles(userId: "${user}", roles: [VIEWER]) { user { id } }`],
  ['createApiKey', () => 'createApiKey(input: { name: "x", scopes: ["users:write"], role: ADMIN }) { secret }'],
  [
    'createUser',
    () =>
      `createUser(input: { email: "${crypto.randomUUID()}@example.com", password: "a long one of a test", roles: [ADMIN] }) {
        user { id }
      }`,
  ],
  [
    'changePassword',
    () => 'changePassword(currentPassword: "not it at all", newPassword: "another long one 1") { user { id } }',
  ],
];

describe.each(fields)('%s', (name, fieldOf) => {
  test.each<[string, (person: Person) => Credential]>([
    ['session', ({ cookie }) => ({ cookie })],
    ['access token', ({ accessToken }) => ({ bearer: accessToken })],
  ])('needs a login of the last 10 minutes behind a %s', async (_kind, credentialOf) => {
    const victim = await app.createPerson('OPERATOR');
    const key = await app.createKey({ scopes: ['tasks:read'] }, { bearer: victim.accessToken });
    const mutation = `mutation { ${fieldOf({ user: victim.id, key: key.id })} }`;
    const { status, errors, headers } = await app.request(mutation, {}, credentialOf(admin));
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['REAUTHENTICATION_REQUIRED']);
    expect(status).toBe(401);
    expect(headers.getSetCookie()).toEqual([]);
    const [row] = await app.sql`
      select outcome, detail from audit_events where actor_id = ${admin.id} order by occurred_at desc limit 1`;
    expect(row?.outcome).toBe('REFUSED');
    expect((await app.request('{ me { kind } }', {}, credentialOf(admin))).status).toBe(200);

    const again = await app.request(mutation, {}, { bearer: app.admin.accessToken });
    expect(again.errors?.map(({ extensions }) => extensions.code) ?? []).toEqual(
      name === 'changePassword' ? ['UNAUTHENTICATED'] : [],
    );
  });
});

test('whoever may not call a field hears FORBIDDEN, whenever the login was', async () => {
  const viewer = await app.createPerson('VIEWER');
  await ageLogin(viewer, '1 hour');
  const mutation = `mutation { setUserRoles(userId: "${viewer.id}", roles: [ADMIN]) { user { id } } }`;
  expect((await app.request(mutation, {}, viewer)).status).toBe(403);
});

test('a login ages while its credential is in use', async () => {
  const person = await app.createPerson('VIEWER');
  await ageLogin(person, '599 seconds');
  const mutation = `mutation { revokeAllUserSessions(userId: "${app.admin.id}") { revokedCount } }`;
  const codes = async () =>
    (await app.request(mutation, {}, { bearer: person.accessToken })).errors?.map(({ extensions }) => extensions.code);
  expect(await codes()).toEqual(['NOT_FOUND']);
  await expect.poll(codes, { timeout: 5_000 }).toEqual(['REAUTHENTICATION_REQUIRED']);
});

test('a key needs no login', async () => {
  const person = await app.createPerson('OPERATOR');
  const key = await app.createKey({ scopes: ['apiKeys:write'] }, { bearer: person.accessToken });
  await ageLogin(person, '3 hours');
  const rotate = `mutation { rotateApiKey(id: "${key.id}") { secret } }`;
  expect((await app.request(rotate, {}, { bearer: key.secret })).errors).toBeUndefined();
});
