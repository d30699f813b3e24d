import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation } from '../support/operations.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const countRows = async () => Number((await app.sql`select count(*) from audit_events`)[0]?.count);

test('the audit log is for an ADMIN alone, and with the scope', async () => {
  const [operator, viewer] = [await app.createPerson('OPERATOR'), await app.createPerson('VIEWER')];
  const without = await app.createKey({ role: 'ADMIN', scopes: ['users:read', 'tasks:read'] });
  const agent = await app.createKey({ agentId: 'agent-1', scopes: ['tasks:read'] });
  for (const credential of [
    { bearer: operator.accessToken },
    { cookie: viewer.cookie },
    { bearer: without.secret },
    { bearer: agent.secret },
  ]) {
    const answer = await app.request(operation('AuditEvents'), { first: 100 }, credential);
    expect([answer.status, codesOf(answer), answer.data?.auditEvents]).toEqual([403, ['FORBIDDEN'], undefined]);
  }
  const key = await app.createKey({ role: 'ADMIN', scopes: ['audit:read'] });
  expect(codesOf(await app.request(operation('AuditEvents'), {}, { bearer: key.secret }))).toEqual([]);
});

test('a refused call does not fill the log with what it sends', async () => {
  const { accessToken } = await app.createPerson('VIEWER');
  const input = { name: 'x'.repeat(100_000), type: 'ANALYSIS' };
  await app.request(operation('CreateTask'), { input }, { bearer: accessToken });
  const [row] = await app.sql`select length(detail::text) as length from audit_events order by sequence desc limit 1`;
  expect(row?.length).toBeLessThan(5_000);
});

test('a redacted argument stays redacted however it is sent', async () => {
  const { accessToken } = await app.createPerson('VIEWER');
  const literal = `mutation { createUser(input: { email: "a@example.com", password: "planted-1", roles: [VIEWER] }) { user { id } } }`;
  const whole = 'mutation($user: CreateUserInput!) { createUser(input: $user) { user { id } } }';
  const part = `mutation($secret: String!) {
    createUser(input: { email: "a@example.com", password: $secret, roles: VIEWER }) { user { id } }
  }`;
  const byDefault = `mutation($secret: String! = "planted-4") {
    createUser(input: { email: "a@example.com", password: $secret, roles: VIEWER }) { user { id } }
  }`;
  const user = { email: 'a@example.com', password: 'planted-2', roles: ['VIEWER'] };
  const before = await countRows();
  for (const credential of [null, { bearer: accessToken }, { bearer: app.admin.accessToken }]) {
    await app.request(literal, {}, credential);
    await app.request(whole, { user }, credential);
    await app.request(whole, { user: { ...user, roles: 'NONE' } }, credential);
    await app.request(part, { secret: 'planted-3' }, credential);
    await app.request(part, { secret: ['planted-3'] }, credential);
    await app.request(byDefault, {}, credential);
  }
  expect(await countRows()).toBeGreaterThanOrEqual(before + 8);
  expect(JSON.stringify(await app.sql`select * from audit_events`)).not.toContain('planted-');
});

test('refusals of one caller fill no more than 600 rows a minute', async () => {
  const { accessToken } = await app.createPerson('VIEWER');
  const before = await countRows();
  const fields = Array.from({ length: 15 }, (_, index) => `u${index}: users { edges { cursor } }`).join(' ');
  for (let count = 0; count < 45; count++) await app.request(`{ ${fields} }`, {}, { bearer: accessToken });
  const added = (await countRows()) - before;
  expect(added).toBeLessThanOrEqual(600);
  expect(added).toBeGreaterThan(500);
});
