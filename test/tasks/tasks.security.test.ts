import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, saidBy } from '../support/operations.ts';

const secret = 'only-for-those-who-may';

let app: TestApp;
let operator: Credential;
let viewer: Credential;
let viewerId: string;
let agentKey: Credential;
let ownId: string;
let foreignId: string;
let freeId: string;

beforeAll(async () => {
  app = await startApp();
  const [first, second] = [await app.createPerson('OPERATOR'), await app.createPerson('VIEWER')];
  operator = { bearer: first.accessToken };
  viewer = { bearer: second.accessToken };
  viewerId = second.id;
  const key = await app.createKey({ agentId: 'agent-own', scopes: ['tasks:read', 'telemetry:read'] });
  agentKey = { bearer: key.secret };
  ownId = await create({ assignedTo: 'agent-own' });
  foreignId = await create({ assignedTo: 'agent-foreign' });
  freeId = await create({});
});
afterAll(() => app.stop());

async function create(input: object) {
  const whole = { name: secret, description: secret, parameters: { secret }, type: 'ANALYSIS', ...input };
  const { createTask } = await app.succeed(operation('CreateTask'), { input: whole }, operator);
  await app.sql`update tasks set result = ${app.sql.json({ secret })}, error = ${secret} where id = ${createTask.task.id}`;
  return createTask.task.id as string;
}

const readTask = (id: string, credential: Credential) => app.request(operation('Task'), { id }, credential);

describe("a task's parameters, result and error", () => {
  const whole = { parameters: { secret }, result: { secret }, error: secret };

  test('are for an OPERATOR, whoever created it', async () => {
    const other = await app.createPerson('OPERATOR');
    for (const credential of [operator, { bearer: other.accessToken }, { bearer: app.admin.accessToken }])
      expect((await readTask(freeId, credential)).data.task).toMatchObject(whole);
  });

  test('are for its agent', async () => {
    expect((await readTask(ownId, agentKey)).data.task).toMatchObject(whole);
  });

  test('are for its creator, who is a VIEWER now', async () => {
    await app.sql`update tasks set created_by = ${viewerId} where id = ${ownId}`;
    expect((await readTask(ownId, viewer)).data.task).toMatchObject(whole);
  });

  test('are FORBIDDEN for another VIEWER, who sees the rest of the task', async () => {
    const answer = await readTask(freeId, viewer);
    expect(answer.status).toBe(200);
    expect(answer.data.task).toMatchObject({ name: secret, parameters: null, result: null, error: null });
    expect(codesOf(answer)).toEqual(Array(3).fill('FORBIDDEN'));
    expect(answer.errors?.map(({ path }) => path?.[1]).toSorted()).toEqual(['error', 'parameters', 'result']);
  });

  test('are FORBIDDEN in a list too, task by task', async () => {
    const query = '{ tasks { edges { node { id parameters } } } }';
    const { data, errors } = await app.request(query, {}, viewer);
    const seen = data.tasks.edges.filter(({ node }: { node: { parameters: unknown } }) => node.parameters !== null);
    expect(seen.map(({ node }: { node: { id: string } }) => node.id)).toEqual([ownId]);
    expect(errors).toHaveLength(data.tasks.edges.length - 1);
  });
});

describe("an agent's key", () => {
  test('finds its own tasks alone, whatever it asks for', async () => {
    for (const filter of [undefined, {}, { status: ['PENDING'] }, { createdAfter: '2020-01-01T00:00:00Z' }]) {
      const { tasks } = await app.succeed(operation('Tasks'), { filter, first: 30 }, agentKey);
      expect(tasks.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([ownId]);
    }
    const foreign = await app.request(operation('Tasks'), { filter: { assignedTo: 'agent-foreign' } }, agentKey);
    expect(foreign.data.tasks.edges).toEqual([]);
    expect(foreign.text).not.toContain(foreignId);
  });

  test('cannot tell the task of another agent, or of nobody, from one that does not exist', async () => {
    const unknown = await readTask('task_00000000000000000000000000', agentKey);
    expect(codesOf(unknown)).toEqual(['NOT_FOUND']);
    for (const id of [foreignId, freeId]) expect(saidBy(await readTask(id, agentKey))).toEqual(saidBy(unknown));
  });

  test('reaches no other task through a cursor of another list', async () => {
    const { tasks } = await app.succeed(operation('Tasks'), { first: 1 }, operator);
    const answer = await app.request(operation('Tasks'), { after: tasks.pageInfo.endCursor }, agentKey);
    expect(answer.text).not.toContain(foreignId);
    expect(answer.text).not.toContain(freeId);
  });

  test('loses a task that is given to another agent, at once', async () => {
    const id = await create({ assignedTo: 'agent-own' });
    expect((await readTask(id, agentKey)).data.task).toMatchObject({ id });
    await app.succeed(operation('AssignTask'), { id, agentId: 'agent-foreign' }, operator);
    expect(codesOf(await readTask(id, agentKey))).toEqual(['NOT_FOUND']);
  });
});

describe('an idempotency key', () => {
  test("of another user is another key: that user's task stays unseen", async () => {
    const other = await app.createPerson('OPERATOR');
    const first = await create({ idempotencyKey: 'shared' });
    const input = { name: 'other', type: 'MONITORING', idempotencyKey: 'shared' };
    const answer = await app.request(operation('CreateTask'), { input }, { bearer: other.accessToken });
    expect(answer.data.createTask.task).toMatchObject({ name: 'other', createdBy: { id: other.id } });
    expect(answer.text).not.toContain(first);
  });
});

test.each(['CreateTask', 'UpdateTask', 'AssignTask', 'CancelTask'])(
  '%s is FORBIDDEN for a VIEWER and for an agent, and changes nothing',
  async (name) => {
    const variables = {
      ...{ id: ownId, agentId: 'agent-own' },
      input: name === 'CreateTask' ? { name: 'intruder', type: 'ANALYSIS' } : { name: 'intruder' },
    };
    const before = await app.sql`select * from tasks order by id`;
    for (const credential of [viewer, agentKey]) {
      const answer = await app.request(operation(name), variables, credential);
      expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']]);
    }
    expect(await app.sql`select * from tasks order by id`).toEqual(before);
  },
);
