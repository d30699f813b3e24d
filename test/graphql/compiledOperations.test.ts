import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { operation } from '../support/operations.ts';

const oftenEnough = 24;

let app: TestApp;
let callers: [name: string, credential: Credential][];
let taskId: string;
beforeAll(async () => {
  app = await startApp();
  const admin = { bearer: app.admin.accessToken };
  const operator = await app.createPerson('OPERATOR');
  const viewer = await app.createPerson('VIEWER');
  const agent = await app.createKey({
    agentId: 'agent-1',
    scopes: ['tasks:read', 'telemetry:read', 'telemetry:write'],
  });
  const stranger = await app.createKey({ agentId: 'agent-2', scopes: ['tasks:read'] });
  callers = [
    ['anonymous', null],
    ['ADMIN', admin],
    ['OPERATOR', { cookie: operator.cookie }],
    ['VIEWER', { cookie: viewer.cookie }],
    ['the agent', { bearer: agent.secret }],
    ['another agent without a scope', { bearer: stranger.secret }],
  ];
  const input = { name: 'x', type: 'ANALYSIS', assignedTo: 'agent-1', parameters: { a: [1, null, 'b'] } };
  const { createTask } = await app.succeed(operation('CreateTask'), { input }, admin);
  taskId = createTask.task.id;
  await app.succeed(
    operation('SubmitTelemetry'),
    { input: { agentId: 'agent-1', timestamp: '2026-01-01T00:00:00.123Z', metrics: { cpu: 0.5 }, status: 'ACTIVE' } },
    { bearer: agent.secret },
  );
});
afterAll(() => app.stop());

const reads: [name: string, query: () => string, variables: () => object][] = [
  ['Task', () => operation('Task'), () => ({ id: taskId })],
  ['Task that does not exist', () => `${operation('Task')} #`, () => ({ id: 'task_no' })],
  ['Tasks', () => operation('Tasks'), () => ({ first: 5 })],
  ['Tasks of a page that does not exist', () => `${operation('Tasks')} #`, () => ({ first: 0, after: '?' })],
  ['Agents', () => operation('Agents'), () => ({})],
  ['Agent', () => operation('Agent'), () => ({ id: 'agent-1' })],
  ['Telemetry', () => operation('Telemetry'), () => ({ agentId: 'agent-1' })],
  [
    'Telemetry with variables that cannot be coerced',
    () => `${operation('Telemetry')} #`,
    () => ({ agentId: 7, from: 1 }),
  ],
  ['Users', () => operation('Users'), () => ({})],
  ['Me', () => operation('Me'), () => ({})],
  ['ApiKeys', () => operation('ApiKeys'), () => ({})],
  [
    'aliases, fragments and conditions',
    () => `query Mixed($id: ID!, $no: Boolean = false, $yes: Boolean!) {
      a: task(id: $id) { ...on Task { n: name parameters @include(if: $yes) } error @include(if: $no) }
      b: task(id: $id) { ...More @skip(if: $no) }
      users(first: 1) { edges { node { id } } }
    } fragment More on Task { __typename agent { id latestTelemetry { metrics } } }`,
    () => ({ id: taskId, yes: true }),
  ],
];

test.for(reads)('%s answers the same when it has come often, to everybody', async ([, query, variables]) => {
  const answerAll = async () => {
    const answers = [];
    for (const [name, credential] of callers) {
      const { status, data, errors } = await app.request(query(), variables(), credential);
      // Fields run at the same time, so the order of their errors is nobody's promise.
      errors?.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
      answers.push({ name, status, data, errors });
    }
    return answers;
  };
  const first = await answerAll();
  for (let times = 0; times < oftenEnough; times += 1) await app.request(query(), variables(), callers[1]?.[1]);
  const lastUsedAt = (_key: string, value: unknown) => (_key === 'lastUsedAt' || _key === 'lastSeenAt' ? null : value);
  expect(JSON.stringify(await answerAll(), lastUsedAt, 1)).toBe(JSON.stringify(first, lastUsedAt, 1));
});

test('a mutation that has come often has its effects, its audit rows and its refusals', async () => {
  const query = operation('CancelTask');
  const admin = { bearer: app.admin.accessToken };
  const viewer = callers[3]?.[1] ?? null;
  for (let times = 0; times < oftenEnough; times += 1) {
    const input = { name: 'x', type: 'ANALYSIS' };
    const { createTask } = await app.succeed(operation('CreateTask'), { input }, admin);
    const { cancelTask } = await app.succeed(query, { id: createTask.task.id }, admin);
    expect(cancelTask.task).toMatchObject({ id: createTask.task.id, status: 'CANCELLED' });
    const again = await app.request(query, { id: createTask.task.id }, admin);
    expect(again.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['cancelTask'], 'CONFLICT'],
    ]);
    expect((await app.request(query, { id: createTask.task.id }, viewer)).status).toBe(403);
  }
  const [row] =
    await app.sql`select count(*)::integer from audit_events where action = 'task.cancel' and outcome = 'SUCCEEDED'`;
  expect(row?.count).toBe(oftenEnough);
});

test('the fields of a mutation that has come often run one after the other, each under what the one before left', async () => {
  const person = await app.createPerson('OPERATOR');
  const query = `mutation Serial($first: UpdateTaskInput!, $second: UpdateTaskInput!, $id: ID!) {
    a: updateTask(id: $id, input: $first) { task { name } }
    b: updateTask(id: $id, input: $second) { task { name } }
    c: updateTask(id: $id, input: $first) { task { name } }
  }`;
  const variables = { id: taskId, first: { name: 'first' }, second: { name: 'second' } };
  for (let times = 0; times < oftenEnough; times += 1) {
    const { a, b, c } = await app.succeed(query, variables, { cookie: person.cookie });
    expect([a, b, c].map(({ task }) => task.name)).toEqual(['first', 'second', 'first']);
    const [row] = await app.sql`select name from tasks where id = ${taskId}`;
    expect(row?.name).toBe('first');
  }
  const ending =
    'mutation { logout { session { id } } createTask(input: { name: "late", type: ANALYSIS }) { task { id } } }';
  for (let times = 0; times < oftenEnough; times += 1) {
    const { cookie } = times === 0 ? person : await app.createPerson('OPERATOR');
    expect((await app.request(ending, {}, { cookie })).data.createTask).toBeNull();
  }
  expect(await app.sql`select id from tasks where name = 'late'`).toEqual([]);
});

test('variables are coerced as strictly when an operation has come often', async () => {
  const admin = callers[1]?.[1] ?? null;
  const query = operation('Tasks');
  for (let times = 0; times < oftenEnough; times += 1) await app.succeed(query, { first: 1 }, admin);
  const sent = [
    { first: '5' },
    { first: 1.5 },
    { first: 2 ** 31 },
    { first: true },
    { first: [1] },
    { after: 7 },
    { orderBy: 'NOPE' },
    { orderBy: 1 },
    { filter: 'x' },
    { filter: [{ type: 'ANALYSIS' }] },
    { filter: { status: 'PENDING' } },
    { filter: { status: ['PENDING', null] } },
    { filter: { status: 'NOPE' } },
    { filter: { assignedTo: 'nobody' } },
    { filter: { createdAfter: 'yesterday' } },
    { filter: { createdAfter: 1 } },
    { filter: { createdBy: 7 } },
    { filter: { extra: 1 } },
    { filter: null, first: null, orderBy: null },
  ];
  for (const variables of sent) {
    const often = await app.request(query, variables, admin);
    const once = await app.request(`${query} # ${JSON.stringify(variables)}`, variables, admin);
    expect([variables, often.status, often.data, often.errors]).toEqual([
      variables,
      once.status,
      once.data,
      once.errors,
    ]);
  }
});
