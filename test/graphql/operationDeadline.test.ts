import { afterEach, beforeEach, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

const limitMs = 5000;
/** Below the statement time-out, so that it is the operation whose time is up. */
const slowSeconds = 3;
const graceMs = 1500;
const message = 'The operation took longer than 5 s.';

let app: TestApp;

beforeEach(async () => {
  app = await startApp();
});

afterEach(() => app.stop());

const asAdmin = () => ({ bearer: app.admin.accessToken });
const createTask = 'mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
const input = { name: 'n', type: 'ANALYSIS', assignedTo: 'agent-1' };

/** How many statements of the app run in Postgres, or wait there, or have left a transaction open. */
async function busyConnections(): Promise<number> {
  const [row] = await app.sql`
    select count(*)::int as busy from pg_stat_activity
    where datname = current_database() and application_name = 'nexus' and state <> 'idle'`;
  return row?.busy;
}

async function expectAllEnded() {
  await expect.poll(busyConnections, { timeout: 600, interval: 50 }).toBe(0);
}

/** Reads of the table take their time from now on. */
async function slowDownReads(table: string) {
  await app.sql.unsafe(`
    alter table ${table} rename to ${table}_itself;
    create view ${table} as select t.* from ${table}_itself t, (select pg_sleep(${slowSeconds})) as s;`);
}

async function slowDownInserts(table: string) {
  await app.sql.unsafe(`
    create function be_slow() returns trigger language plpgsql as $$ begin perform pg_sleep(${slowSeconds}); return new; end $$;
    create trigger slow before insert on ${table} for each row execute function be_slow();`);
}

async function timed<T>(run: () => Promise<T>) {
  const start = performance.now();
  const answer = await run();
  return { answer, ms: performance.now() - start };
}

test('a query of several slow statements is 503 after 5 s, and its SQL has ended', async () => {
  await app.succeed(createTask, { input }, asAdmin());
  await slowDownReads('tasks');
  await slowDownReads('agents');
  const query = '{ me { kind } tasks { edges { node { id agent { id } } } } }';
  const { answer, ms } = await timed(() => app.request(query, {}, asAdmin()));
  expect(answer).toMatchObject({ status: 503, data: undefined, errors: [{ message }] });
  expect(answer.errors).toHaveLength(1);
  expect(answer.errors?.[0]?.extensions).toEqual({ code: 'DEPENDENCY_UNAVAILABLE', retryAfterSeconds: 1 });
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(ms).toBeGreaterThan(limitMs - 100);
  expect(ms).toBeLessThan(limitMs + graceMs);
  await expectAllEnded();
});

test('a mutation keeps what it has committed and rolls the rest back', async () => {
  await slowDownInserts('tasks');
  const query = `mutation($input: CreateTaskInput!) {
    a: createTask(input: $input) { task { id } } b: createTask(input: $input) { task { id } } c: createTask(input: $input) { task { id } }
  }`;
  const { answer, ms } = await timed(() => app.request(query, { input }, asAdmin()));
  expect(ms).toBeLessThan(limitMs + graceMs);
  expect(answer.data).toMatchObject({ a: { task: { id: expect.any(String) } }, b: null, c: null });
  expect(answer.errors?.map((error) => [error.path?.[0], error.message])).toEqual([
    ['b', message],
    ['c', message],
  ]);
  await expectAllEnded();
  expect(await app.sql`select id from tasks`).toHaveLength(1);
  expect(await app.sql`select id from audit_events where action = 'task.create'`).toHaveLength(1);
});

test('the next operations are none the wiser', async () => {
  await slowDownReads('tasks');
  await slowDownReads('agents');
  const slow =
    '{ tasks { edges { node { id agent { id } } } } agents { edges { node { tasks { edges { cursor } } } } } }';
  await Promise.all(Array.from({ length: 30 }, () => app.request(slow, {}, asAdmin())));
  await expectAllEnded();
  const answers = await Promise.all(Array.from({ length: 30 }, () => app.request('{ me { kind } }', {}, asAdmin())));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
});
