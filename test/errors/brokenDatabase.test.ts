import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

const statement = /planted|\b(?:select|insert into|params:)/i;

const login = `mutation($email: EmailAddress!, $password: String!) {
  login(email: $email, password: $password) { accessToken }
}`;
const createTask = 'mutation { createTask(input: { name: "planted", type: ANALYSIS }) { task { id } } }';
const createApiKey = 'mutation { createApiKey(input: { name: "planted", scopes: ["tasks:read"] }) { secret } }';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

const asAdmin = () => ({ bearer: app.admin.accessToken });

/** Runs the work while a table has another name, as after a migration that went wrong. */
async function whileGone<Result>(table: string, work: () => Promise<Result>): Promise<Result> {
  await app.sql.unsafe(`alter table ${table} rename to gone`);
  try {
    return await work();
  } finally {
    await app.sql.unsafe(`alter table gone rename to ${table}`);
  }
}

async function countRows(table: string): Promise<number> {
  const [row] = await app.sql`select count(*)::int as count from ${app.sql(table)}`;
  return row?.count;
}

/** What the log says of a request, once its event is there. */
async function logOf(requestId: string): Promise<string[]> {
  const lines = async () =>
    (await readFile(app.logFile, 'utf8')).split('\n').filter((line) => line.includes(requestId));
  await vi.waitUntil(async () => (await lines()).some((line) => line.includes('"event":"request"')), {
    timeout: 10_000,
  });
  return lines();
}

describe('where the audit row cannot be written', () => {
  test.each([
    { table: 'tasks', query: createTask, isAnonymous: false },
    { table: 'api_keys', query: createApiKey, isAnonymous: false },
    { table: 'sessions', query: login, isAnonymous: true },
  ])('nothing changes in $table, and the answer is 503', async ({ table, query, isAnonymous }) => {
    const { email, password } = app.admin;
    const variables = isAnonymous ? { email, password } : {};
    const attempt = () =>
      app.request(query, variables, isAnonymous ? null : asAdmin(), { 'x-request-id': `no-audit-${table}` });
    const before = await countRows(table);
    const { status, headers, data, errors, text } = await whileGone('audit_events', attempt);

    expect({ status, retryAfter: headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '1' });
    expect(errors?.[0]?.extensions).toEqual({ code: 'DEPENDENCY_UNAVAILABLE', retryAfterSeconds: 1 });
    expect(Object.values(data)).toEqual([null]);
    expect(headers.getSetCookie()).toEqual([]);
    expect(text).not.toMatch(statement);
    expect((await logOf(`no-audit-${table}`)).join('\n')).not.toMatch(statement);
    expect(await countRows(table)).toBe(before);

    expect((await attempt()).errors).toBeUndefined();
    expect(await countRows(table)).toBe(before + 1);
  });

  test('of several mutations in one request none changes anything', async () => {
    const before = await countRows('tasks');
    const several = `mutation { ${['a', 'b', 'c'].map((alias) => `${alias}: ${createTask.slice('mutation { '.length, -2)}`).join(' ')} }`;
    const { status, errors } = await whileGone('audit_events', () => app.request(several, {}, asAdmin()));
    expect({ status, codes: errors?.map(({ extensions }) => extensions.code) }).toEqual({
      status: 503,
      codes: Array(3).fill('DEPENDENCY_UNAVAILABLE'),
    });
    expect(await countRows('tasks')).toBe(before);
  });
});

test('a statement that fails is a bug: a request id for the client, and no SQL in the log either', async () => {
  const query = 'query($filter: TaskFilter) { tasks(filter: $filter) { edges { node { id } } } }';
  const headers = { 'x-request-id': 'broken-statement' };
  const variables = { filter: { assignedTo: 'agent-planted' } };
  const { errors, text } = await whileGone('tasks', () => app.request(query, variables, asAdmin(), headers));
  expect(errors).toMatchObject([
    { message: 'Internal server error.', extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'broken-statement' } },
  ]);
  expect(text).not.toMatch(statement);
  const lines = await logOf('broken-statement');
  expect(lines.map((line) => JSON.parse(line).level).sort()).toEqual(['error', 'info']);
  expect(lines.join('\n')).toContain('42P01');
  expect(lines.join('\n')).not.toMatch(statement);
});
