import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation } from '../support/operations.ts';
import { readLog } from '../support/readLog.ts';

let app: TestApp;
let admin: Credential;

beforeAll(async () => {
  app = await startApp();
  admin = { bearer: app.admin.accessToken };
});
afterAll(() => app.stop());

test.each(['OPERATOR', 'VIEWER'])('a person who is %s sees no other user, and changes none', async (role) => {
  const person = await app.createPerson(role);
  const key = await app.createKey({ role, scopes: ['tasks:read'] }, { bearer: person.accessToken });
  const before = await app.sql`select * from users order by id`;
  const input = { email: 'intruder@example.com', password: 'a password of the tests', roles: ['ADMIN'] };
  const variables = { userId: person.id, roles: ['ADMIN'], input };
  for (const credential of [{ bearer: person.accessToken }, { cookie: person.cookie }, { bearer: key.secret }])
    for (const name of ['Users', 'CreateUser', 'SetUserRoles', 'DisableUser']) {
      const answer = await app.request(operation(name), variables, credential);
      expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
      expect(answer.text).not.toContain(app.admin.id);
    }
  expect(await app.sql`select * from users order by id`).toEqual(before);
});

test("an ADMIN's key without the scope makes nobody an ADMIN", async () => {
  const person = await app.createPerson('VIEWER');
  const key = await app.createKey({ role: 'ADMIN', scopes: ['users:read', 'tasks:write'] });
  const answer = await app.request(
    operation('SetUserRoles'),
    { userId: person.id, roles: ['ADMIN'] },
    { bearer: key.secret },
  );
  expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
});

test('an ADMIN who was demoted or disabled does nothing more', async () => {
  await app.createPerson('ADMIN');
  const [demoted, disabled] = [await app.createPerson('ADMIN'), await app.createPerson('ADMIN')];
  await app.succeed(operation('SetUserRoles'), { userId: demoted.id, roles: ['VIEWER'] }, admin);
  await app.succeed(operation('DisableUser'), { userId: disabled.id }, admin);
  const victim = await app.createPerson('VIEWER');
  for (const [{ accessToken, cookie }, code] of [
    [demoted, 'FORBIDDEN'],
    [disabled, 'UNAUTHENTICATED'],
  ] as const)
    for (const credential of [{ bearer: accessToken }, { cookie }])
      expect(codesOf(await app.request(operation('DisableUser'), { userId: victim.id }, credential))).toEqual([code]);
});

test('a password is in no table, audit row, log or answer, and its hash in no answer', async () => {
  const passwords = {
    current: 'a planted password 4711',
    next: 'another planted password 0815',
    wrong: 'a wrong planted one',
  };
  const input = { email: 'planted@example.com', password: passwords.current, roles: ['VIEWER'] };
  const answers = [await app.request(operation('CreateUser'), { input }, admin)];
  answers.push(await app.request(operation('CreateUser'), { input }, admin)); // CONFLICT
  answers.push(await app.request(operation('CreateUser'), { input: { ...input, roles: [] } }, admin)); // BAD_USER_INPUT
  answers.push(await app.request(operation('CreateUser'), { input: { ...input, roles: 1 } }, admin));
  answers.push(await app.request(operation('Login'), { email: input.email, password: passwords.wrong }));
  answers.push(await app.request(operation('Login'), { email: input.email, password: passwords.current }));
  const credential = { bearer: answers.at(-1)?.data.login.accessToken };
  const change = (currentPassword: string) =>
    app.request(operation('ChangePassword'), { currentPassword, newPassword: passwords.next }, credential);
  answers.push(await change(passwords.wrong), await change(passwords.current));
  answers.push(
    await app.request(operation('Users'), {}, admin),
    await app.request(operation('AuditEvents'), {}, admin),
  );
  const places = await Promise.all([
    app.sql`select * from users`.then(JSON.stringify),
    app.sql`select * from audit_events`.then(JSON.stringify),
    readLog(app),
    answers.map(({ text }) => text).join('\n'),
  ]);
  expect(places.every((text) => /planted@example.com|CreateUser/.test(text))).toBe(true);
  for (const password of Object.values(passwords)) expect(places.filter((text) => text.includes(password))).toEqual([]);
  expect(places.slice(1).filter((text) => text.includes('$argon2'))).toEqual([]);
});
