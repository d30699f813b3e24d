import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const createTask = 'createTask(input: { name: "x", type: ANALYSIS }) { task { id } }';
const countTasks = async () => Number((await app.sql`select count(*) from tasks`)[0]?.count);

test('a caller that loses its rights in one field of a mutation has none in the next', async () => {
  const admin = await app.createPerson('ADMIN');
  const { data, errors } = await app.request(
    `mutation($id: ID!) {
      a: setUserRoles(userId: $id, roles: [VIEWER]) { user { roles } }
      b: createUser(input: { email: "made@example.com", password: "a password of a made one", roles: [ADMIN] }) { user { id } }
    }`,
    { id: admin.id },
    { bearer: admin.accessToken },
  );
  expect(data).toEqual({ a: { user: { roles: ['VIEWER'] } }, b: null });
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
  expect(await app.sql`select 1 from users where email = 'made@example.com'`).toEqual([]);
});

test('nothing is changed under a session that an earlier field of the request has ended', async () => {
  const operator = await app.createPerson('OPERATOR');
  const before = await countTasks();
  const { data } = await app.request(`mutation { logout { session { id } } ${createTask} }`, {}, operator);
  expect(data.createTask).toBeNull();
  expect(await countTasks()).toBe(before);
});

test('a replaced secret works during the overlap and cannot replace its successor', async () => {
  const person = await app.createPerson('VIEWER');
  const asPerson = { bearer: person.accessToken };
  const key = await app.createKey({ scopes: ['apiKeys:write', 'tasks:read'] }, asPerson);
  const rotate = 'mutation($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 60) { secret } }';
  const { rotateApiKey } = await app.succeed(rotate, { id: key.id }, asPerson);
  const old = { bearer: key.secret };
  expect((await app.request('{ me { kind } }', {}, old)).data).toEqual({ me: { kind: 'API_KEY' } });
  expect((await app.request(rotate, { id: key.id }, old)).status).toBe(403);
  expect((await app.request(rotate, { id: key.id }, { bearer: rotateApiKey.secret })).status).toBe(200);
});

test('a bad credential is 401 with a document that is not valid too', async () => {
  const { status, errors } = await app.request('{ nothing }', {}, { bearer: 'bad' });
  expect(status).toBe(401);
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
});

test('a forged cursor is BAD_USER_INPUT, whatever it holds', async () => {
  const instant = `2026-01-01T00:00:00.${'1'.repeat(150)}Z`;
  const after = Buffer.from(JSON.stringify([instant, 'user_01m868ec0wf6cs2frg43g5zm0v'])).toString('base64url');
  const query = 'query($after: String) { users(after: $after) { edges { cursor } } }';
  const { errors } = await app.request(query, { after }, { bearer: app.admin.accessToken });
  expect(errors?.[0]?.extensions.problems).toEqual([{ field: 'after', message: 'is not a cursor of this list' }]);
});
