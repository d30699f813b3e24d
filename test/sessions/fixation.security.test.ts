import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startApp, type TestApp } from '../support/app.ts';
import { operation } from '../support/operations.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const login = (person: { email: string; password: string }, headers: Record<string, string> = {}) =>
  app.request(operation('Login'), { email: person.email, password: person.password }, null, headers);
const me = (cookie: string) => app.request(operation('Me'), {}, { cookie });
const cookieOf = ({ headers }: Answer) => headers.getSetCookie()[0]?.split(';')[0] ?? '';
const partsOf = (cookie: string) => cookie.replace('nexus.sid=', '').split('.');

test('a log-in adopts neither the id nor the secret of a living session that was planted', async () => {
  const [attacker, victim] = [await app.createPerson('VIEWER'), await app.createPerson('VIEWER')];
  const cookie = cookieOf(await login(victim, { cookie: attacker.cookie }));
  expect(partsOf(cookie)).toHaveLength(2);
  for (const part of partsOf(attacker.cookie)) expect(partsOf(cookie)).not.toContain(part);
  expect((await me(cookie)).data.me.user.id).toBe(victim.id);
  expect((await me(attacker.cookie)).data.me.user.id).toBe(attacker.id);
});

test.each([
  ['made up', `nexus.sid=sess_${'0'.repeat(26)}.${'A'.repeat(43)}`],
  ['of no shape', 'nexus.sid=planted'],
  ['empty', 'nexus.sid='],
])('a cookie that is %s begins no session', async (_what, planted) => {
  const victim = await app.createPerson('VIEWER');
  const refused = await login(victim, { cookie: planted });
  expect([refused.status, cookieOf(refused)]).toEqual([401, 'nexus.sid=']);
  const cookie = cookieOf(await login(victim));
  for (const part of partsOf(planted).filter((text) => text !== '')) expect(partsOf(cookie)).not.toContain(part);
  expect((await me(planted)).status).toBe(401);
});

test('two cookies, one planted beside the own, are refused whichever comes first', async () => {
  const [attacker, victim] = [await app.createPerson('VIEWER'), await app.createPerson('VIEWER')];
  for (const pair of [
    [attacker.cookie, victim.cookie],
    [victim.cookie, attacker.cookie],
  ])
    expect((await me(pair.join('; '))).status).toBe(400);
});

test('each log-in of one user has an id and a secret of its own', async () => {
  const person = await app.createPerson('VIEWER');
  const cookies = [person.cookie];
  for (let count = 0; count < 3; count++) cookies.push(cookieOf(await login(person, { cookie: cookies.at(-1) ?? '' })));
  expect(new Set(cookies.flatMap(partsOf)).size).toBe(8);
});
