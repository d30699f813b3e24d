import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';

let app: TestApp;
let admin: Credential;

beforeAll(async () => {
  app = await startApp();
  admin = { bearer: app.admin.accessToken };
});
afterAll(() => app.stop());

const createTask = async (agentId: string, name = 'a task') => {
  const input = { name, type: 'ANALYSIS', assignedTo: agentId };
  return (await app.succeed(operation('CreateTask'), { input }, admin)).createTask.task.id;
};

const submit = (...inputs: object[]) =>
  app.succeed(
    operation('SubmitTelemetryBatch'),
    { inputs: inputs.map((input) => ({ metrics: { cpu: 1 }, status: 'ACTIVE', ...input })) },
    admin,
  );

const read = async (id: string) => (await app.succeed(operation('Agent'), { id }, admin)).agent;

test.each<[string, (id: string) => Promise<unknown>]>([
  ['a task', createTask],
  ['a key', (id) => app.createKey({ agentId: id, scopes: ['tasks:read'] })],
])('an agent that only %s has named is OFFLINE and was never seen', async (what, name) => {
  const id = `agent-namedby${what.replace(' ', '')}`;
  await name(id);
  expect(await read(id)).toMatchObject({ id, status: 'OFFLINE', lastSeenAt: null, latestTelemetry: null });
});

test('an agent has the state, the time and the values of its newest reading', async () => {
  await submit(
    { agentId: 'agent-reads', timestamp: '2026-01-01T00:00:01.234Z', status: 'ACTIVE', metrics: { cpu: 0.5 } },
    { agentId: 'agent-reads', timestamp: '2026-01-01T00:00:00Z', status: 'OFFLINE' },
  );
  expect(await read('agent-reads')).toEqual({
    ...{ id: 'agent-reads', status: 'ACTIVE', lastSeenAt: '2026-01-01T00:00:01.234Z', tasks: { edges: [] } },
    latestTelemetry: { timestamp: '2026-01-01T00:00:01.234Z', metrics: { cpu: 0.5 }, status: 'ACTIVE' },
  });
});

test('an agent has its newest tasks, and no others', async () => {
  const ids = [];
  for (let count = 0; count < 12; count++) ids.unshift(await createTask('agent-works'));
  await createTask('agent-works2');
  const { tasks } = await read('agent-works');
  expect(tasks.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual(ids.slice(0, 10));
});

test('the tasks of an agent come page by page, whole and single while others come in', async () => {
  const names = [];
  for (let count = 0; count < 7; count++) names.unshift(`t${count}`) && (await createTask('agent-pages', `t${count}`));
  const query = `query($after: String) { agent(id: "agent-pages") {
    tasks(first: 2, after: $after) { edges { cursor node { name } } pageInfo { hasNextPage endCursor } }
  } }`;
  const listed = await readPages<{ name: string }>(
    async (after) => (await app.succeed(query, { after }, admin)).agent.tasks,
    () => createTask('agent-pages', 'new'),
  );
  expect(listed.map(({ name }) => name)).toEqual(names);
});

test('an agent that nobody has named is NOT_FOUND, and what is no AgentId is BAD_USER_INPUT', async () => {
  expect(codesOf(await app.request(operation('Agent'), { id: 'agent-unknown' }, admin))).toEqual(['NOT_FOUND']);
  const wrong = ['agent-', 'agent-A', 'agent_1', ' agent-1', 'agent-1\n', `agent-${'x'.repeat(59)}`];
  for (const id of wrong) expect(problemFieldsOf(await app.request(operation('Agent'), { id }, admin))).toEqual(['id']);
});

describe('agents', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => `agent-m${String(index).padStart(3, '0')}`);

  beforeAll(async () => {
    await submit(...hundred.map((agentId) => ({ agentId, timestamp: '2026-01-01T00:00:00Z' })));
    for (const agentId of hundred.slice(0, 20)) await createTask(agentId);
  });

  test('come in the order of their ids, page by page, whole and single while others come in', async () => {
    let added = 0;
    const listed = await readPages<{ id: string }>(
      async (after) => (await app.succeed(operation('Agents'), { first: 30, after }, admin)).agents,
      () => submit({ agentId: `agent-m${added++}x`, timestamp: '2026-01-01T00:00:00Z' }),
    );
    const ids = listed.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => hundred.includes(id))).toEqual(hundred);
  });

  test('refuse a size outside 1 to 100 and the cursor of another list', async () => {
    const { tasks } = await app.succeed(operation('Tasks'), { first: 1 }, admin);
    for (const variables of [{ first: 0 }, { first: 101 }, { first: -1 }])
      expect(problemFieldsOf(await app.request(operation('Agents'), variables, admin))).toEqual(['first']);
    for (const after of [tasks.pageInfo.endCursor, '', 'x', '"', 'x'.repeat(600)])
      expect(problemFieldsOf(await app.request(operation('Agents'), { after }, admin))).toEqual(['after']);
  });

  test('with their tasks and telemetry cost 3 statements at most, for 1, 20 and 100 agents', async () => {
    const query = `query($first: Int) { agents(first: $first) { edges { node {
      id status latestTelemetry { metrics } tasks(first: 1) { edges { node { name } } pageInfo { hasNextPage } }
    } } } }`;
    await app.succeed(query, { first: 1 }, admin);
    for (const first of [1, 20, 100]) {
      app.statements.length = 0;
      const { edges } = (await app.succeed(query, { first }, admin)).agents;
      expect(edges).toHaveLength(first);
      expect(edges[0].node).toMatchObject({ latestTelemetry: { metrics: { cpu: 1 } }, tasks: { edges: [{}] } });
      expect(app.statements.length).toBeLessThanOrEqual(3);
    }
  });
});
