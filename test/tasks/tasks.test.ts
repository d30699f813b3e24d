import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';

const hourMs = 3_600_000;
const unknownTask = 'task_00000000000000000000000000';
const inAnHour = () => new Date(Date.now() + hourMs).toISOString();

let app: TestApp;
let operator: Credential;
let operatorId: string;

beforeAll(async () => {
  app = await startApp();
  const person = await app.createPerson('OPERATOR');
  operator = { bearer: person.accessToken };
  operatorId = person.id;
});
afterAll(() => app.stop());

const minimal = (changes: object = {}) => ({ name: 'a task', type: 'ANALYSIS', ...changes });

const tryCreate = (input: object, credential = operator): Promise<Answer> =>
  app.request(operation('CreateTask'), { input: minimal(input) }, credential);

async function create(input: object = {}, credential = operator) {
  return (await app.succeed(operation('CreateTask'), { input: minimal(input) }, credential)).createTask.task;
}

async function read(id: string) {
  return (await app.succeed(operation('Task'), { id }, operator)).task;
}

async function listPage(variables: object) {
  return (await app.succeed(operation('Tasks'), variables, operator)).tasks;
}

const listAll = (variables: object, meanwhile?: () => Promise<unknown>) =>
  // biome-ignore lint/suspicious/noExplicitAny: a task as the contract's operation asks for it.
  readPages<any>((after) => listPage({ ...variables, after }), meanwhile);

const namesOf = (tasks: { name: string }[]) => tasks.map(({ name }) => name);

/** Makes the task one that an agent has started or ended, as the work on tasks will. */
const setStatus = (id: string, status: string) => app.sql`update tasks set status = ${status} where id = ${id}`;

describe('createTask', () => {
  test('with what is required alone has the defaults of the contract', async () => {
    const task = await create();
    expect(task).toEqual({
      id: expect.stringMatching(/^task_[0-7][0-9a-hjkmnp-tv-z]{25}$/),
      ...minimal(),
      ...{ priority: 'MEDIUM', status: 'PENDING', attempts: 0, maxAttempts: 5, createdBy: { id: operatorId } },
      ...{ assignedTo: null, description: null, deadline: null, parameters: null, startedAt: null, finishedAt: null },
      createdAt: expect.any(String),
      updatedAt: task.createdAt,
    });
    expect(Math.abs(Date.parse(task.createdAt) - Date.now())).toBeLessThan(5_000);
  });

  test('keeps everything that it was given, and task reads the same', async () => {
    const input = {
      ...{ name: 'Ω "quoted" \'; drop table tasks; --', type: 'COORDINATION', priority: 'CRITICAL', maxAttempts: 25 },
      ...{ assignedTo: 'agent-keeps', description: 'plain', deadline: inAnHour() },
      parameters: { list: [1, 2.5, null, true, 'ü'], nested: { empty: {} } },
    };
    const task = await create(input);
    expect(task).toMatchObject(input);
    expect(await read(task.id)).toEqual({ ...task, result: null, error: null });
  });

  test('sanitises the description before it is stored', async () => {
    const { id, description } = await create({
      description:
        '<b onclick="steal()">b</b><script>steal()</script><a href="javascript:steal()">j</a><i><em><strong>deep</strong></em></i>' +
        '<a href="https://example.com/x" onmouseover="steal()">a</a><scr<script>ipt>steal()</scr</script>ipt><img src=x onerror=steal()>',
    });
    expect(description).not.toMatch(/script|onclick|onerror|onmouseover|<img/i);
    expect(description).toMatch(
      /^<b>b<\/b><a>j<\/a><i><em><strong>deep<\/strong><\/em><\/i><a href="https:\/\/example.com\/x">a<\/a>/,
    );
    const [row] = await app.sql`select description from tasks where id = ${id}`;
    expect(row?.description).toBe(description);
  });

  test('tells every problem at once, by the dotted path of its field', async () => {
    const answer = await tryCreate({
      ...{ name: '', maxAttempts: 26, deadline: '2020-01-01T00:00:00Z', idempotencyKey: '' },
      ...{ description: 'x'.repeat(10_001), parameters: { a: '\0' } },
    });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(problemFieldsOf(answer)).toEqual(
      ['deadline', 'description', 'idempotencyKey', 'maxAttempts', 'name', 'parameters'].map((name) => `input.${name}`),
    );
  });

  test('tells every value at once that is none of its type', async () => {
    const answer = await tryCreate({
      type: 'NONE',
      assignedTo: 'Agent 1',
      deadline: 'soon',
      maxAttempts: 1.5,
      name: null,
    });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(problemFieldsOf(answer)).toEqual(
      ['assignedTo', 'deadline', 'maxAttempts', 'name', 'type'].map((name) => `input.${name}`),
    );
  });
});

describe('parameters', () => {
  const nested = (levels: number): object => (levels === 1 ? {} : { in: nested(levels - 1) });
  const ofBytes = (bytes: number) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });

  test.each<[string, object]>([
    ['of 10 levels', nested(10)],
    ['of 64 KiB', ofBytes(65_536)],
  ])('%s are kept as they are', async (_name, parameters) => {
    expect((await create({ parameters })).parameters).toEqual(parameters);
  });

  test.each<[string, object]>([
    ['of 11 levels', nested(11)],
    ['of 64 KiB and a byte', ofBytes(65_537)],
    ['with NUL in a text', { a: ['\0'] }],
    ['with NUL in a key', { 'a\0': 1 }],
    ['with a lone surrogate in a text', { a: '\ud800' }],
    ['with a lone surrogate in a key', { '\udc00': 1 }],
  ])('%s are a problem', async (_name, parameters) => {
    const answer = await tryCreate({ parameters });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(problemFieldsOf(answer)).toEqual(['input.parameters']);
  });

  test.each(['{ a: 1e400 }', '{ a: -1e400 }', '{ __proto__: { a: 1 } }', '{ a: [{ __proto__: 1 }] }'])(
    '%s written into the document are a problem',
    async (parameters) => {
      const answer = await app.request(
        `mutation { createTask(input: { name: "a", type: ANALYSIS, parameters: ${parameters} }) { task { id } } }`,
        {},
        operator,
      );
      expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
      expect(problemFieldsOf(answer)).toEqual(['input.parameters']);
    },
  );
});

test.each(['\0', 'a\ud800', '\udc00b'])('a text that Postgres cannot store is a problem of its field', async (text) => {
  const answer = await tryCreate({ name: text, description: text, idempotencyKey: text });
  expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  expect(problemFieldsOf(answer)).toEqual(['input.description', 'input.idempotencyKey', 'input.name']);
});

describe('an idempotency key', () => {
  const countOf = async (key: string) =>
    Number((await app.sql`select count(*) from tasks where idempotency_key = ${key}`)[0]?.count);

  test('sent by 50 parallel calls makes one task, which all of them answer', async () => {
    const input = { idempotencyKey: 'fifty', assignedTo: 'agent-fifty', parameters: { a: 1, b: 2 } };
    const tasks = await Promise.all(Array.from({ length: 50 }, () => create(input)));
    expect(new Set(tasks.map((task) => JSON.stringify(task))).size).toBe(1);
    expect(await countOf('fifty')).toBe(1);
  });

  test('with another input is IDEMPOTENCY_CONFLICT and changes nothing', async () => {
    const task = await create({ idempotencyKey: 'once' });
    const answers = await Promise.all([
      tryCreate({ idempotencyKey: 'once', name: 'another' }),
      tryCreate({ idempotencyKey: 'once', priority: 'HIGH' }),
      tryCreate({ idempotencyKey: 'once', assignedTo: 'agent-never' }),
    ]);
    expect(answers.map(codesOf)).toEqual(Array(3).fill(['IDEMPOTENCY_CONFLICT']));
    expect(await read(task.id)).toMatchObject(task);
    expect(codesOf(await app.request(operation('Agent'), { id: 'agent-never' }, operator))).toEqual(['NOT_FOUND']);
  });

  test('is for the same input in whatever order its parameters stand, defaults written out or not', async () => {
    const { id } = await create({ idempotencyKey: 'order', parameters: { a: 1, b: { c: 2, d: 3 } } });
    const again = await create({
      priority: 'MEDIUM',
      parameters: { b: { d: 3, c: 2 }, a: 1 },
      idempotencyKey: 'order',
    });
    expect(again.id).toBe(id);
  });

  test('with 20 inputs at the same time makes the task of one and is a conflict for the others', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => tryCreate({ idempotencyKey: 'race', name: `n${i}` })),
    );
    expect(answers.map(codesOf).filter(([code]) => code === undefined)).toHaveLength(1);
    expect(answers.map(codesOf).filter(([code]) => code === 'IDEMPOTENCY_CONFLICT')).toHaveLength(19);
    expect(await countOf('race')).toBe(1);
  });

  test('is answered for ever, after the deadline of its task too', async () => {
    const input = { idempotencyKey: 'late', deadline: new Date(Date.now() + 300).toISOString() };
    const { id } = await create(input);
    await expect.poll(() => Date.now() > Date.parse(input.deadline)).toBe(true);
    expect((await create(input)).id).toBe(id);
    expect(problemFieldsOf(await tryCreate({ ...input, idempotencyKey: 'later' }))).toEqual(['input.deadline']);
  });
});

describe('updateTask', () => {
  const tryUpdate = (id: string, input: object) => app.request(operation('UpdateTask'), { id, input }, operator);

  test('changes what is given, removes what is null, and leaves the rest', async () => {
    const task = await create({
      description: 'old',
      deadline: inAnHour(),
      parameters: { a: 1 },
      assignedTo: 'agent-stays',
    });
    const { data } = await tryUpdate(task.id, {
      name: 'new',
      priority: 'LOW',
      description: '<u>u</u>',
      deadline: null,
    });
    const changed = { ...task, name: 'new', priority: 'LOW', description: 'u', deadline: null };
    expect(await read(task.id)).toEqual({
      ...changed,
      result: null,
      error: null,
      updatedAt: data.updateTask.task.updatedAt,
    });
    expect(Date.parse(data.updateTask.task.updatedAt)).toBeGreaterThan(Date.parse(task.updatedAt));
    await tryUpdate(task.id, { parameters: null, description: null });
    expect(await read(task.id)).toMatchObject({ name: 'new', parameters: null, description: null });
  });

  test('without a change, or with wrong ones, is BAD_USER_INPUT with every problem', async () => {
    const { id } = await create();
    expect(problemFieldsOf(await tryUpdate(id, {}))).toEqual(['input']);
    expect(
      problemFieldsOf(await tryUpdate(id, { name: '', priority: null, deadline: '2020-01-01T00:00:00Z' })),
    ).toEqual(['input.deadline', 'input.name', 'input.priority']);
  });
});

describe('assignTask', () => {
  test('gives a pending task to an agent, which is known from then on', async () => {
    const { id } = await create({ assignedTo: 'agent-before' });
    const { assignTask } = await app.succeed(operation('AssignTask'), { id, agentId: 'agent-after' }, operator);
    expect(assignTask.task).toMatchObject({ id, assignedTo: 'agent-after', status: 'PENDING' });
    const { agent } = await app.succeed(operation('Agent'), { id: 'agent-after' }, operator);
    expect(agent).toMatchObject({ id: 'agent-after', status: 'OFFLINE', tasks: { edges: [{ node: { id } }] } });
  });
});

describe('cancelTask', () => {
  test('ends a task, of ten calls at once by one of them', async () => {
    const { id } = await create();
    const calls = Array.from({ length: 10 }, () => app.request(operation('CancelTask'), { id, reason: 'x' }, operator));
    const answers = await Promise.all(calls);
    expect(answers.map(codesOf).filter(([code]) => code === undefined)).toHaveLength(1);
    expect(answers.map(codesOf).filter(([code]) => code === 'CONFLICT')).toHaveLength(9);
    expect(await read(id)).toMatchObject({ status: 'CANCELLED', finishedAt: expect.any(String) });
  });

  test('takes a reason of 1 to 500 characters', async () => {
    const { id } = await create();
    const answer = await app.request(operation('CancelTask'), { id, reason: 'x'.repeat(501) }, operator);
    expect(problemFieldsOf(answer)).toEqual(['reason']);
  });
});

describe('changes of a task', () => {
  const changes: [name: string, variables: object][] = [
    ['UpdateTask', { input: { name: 'changed' } }],
    ['AssignTask', { agentId: 'agent-late' }],
    ['CancelTask', {}],
  ];
  /** What the changes answer, one after another. */
  async function change(id: string): Promise<unknown[]> {
    const codes = [];
    for (const [name, variables] of changes)
      codes.push(codesOf(await app.request(operation(name), { id, ...variables }, operator)));
    return codes;
  }

  test.each(['SUCCEEDED', 'FAILED', 'CANCELLED'])('that is %s are CONFLICT', async (status) => {
    const { id } = await create();
    await setStatus(id, status);
    expect(await change(id)).toEqual(Array(3).fill(['CONFLICT']));
    expect(await read(id)).toMatchObject({ status, name: 'a task', assignedTo: null });
  });

  test('that is RUNNING are possible, but for another agent', async () => {
    const { id } = await create({ assignedTo: 'agent-runs' });
    await setStatus(id, 'RUNNING');
    expect(await change(id)).toEqual([[], ['CONFLICT'], []]);
  });

  test('that does not exist are NOT_FOUND, and reading it is too', async () => {
    expect(await change(unknownTask)).toEqual(Array(3).fill(['NOT_FOUND']));
    expect(codesOf(await app.request(operation('Task'), { id: 'no id at all' }, operator))).toEqual(['NOT_FOUND']);
  });
});

describe('tasks', () => {
  const at = (seconds: number) => new Date(Date.UTC(2020, 0, 1, 0, 0, seconds)).toISOString();

  /** Twelve tasks of one agent, three at each of four instants, so that every order has ties. */
  async function createTwelve(agent: string) {
    const priorities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
    const tasks = [];
    for (let index = 0; index < 12; index++) {
      const task = await create({ name: `t${index}`, assignedTo: agent, priority: priorities[index % 4] });
      const deadline = index % 3 === 0 ? null : at(10 - (index % 5));
      await app.sql`update tasks set created_at = ${at(Math.floor(index / 3))}, deadline = ${deadline} where id = ${task.id}`;
      tasks.push({
        ...task,
        index,
        urgency: index % 4,
        createdAt: at(Math.floor(index / 3)),
        deadline: deadline ?? 'none',
      });
    }
    return tasks;
  }
  type Twelfth = Awaited<ReturnType<typeof createTwelve>>[number];
  const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const oldestFirst = (a: Twelfth, b: Twelfth) => byText(a.createdAt, b.createdAt) || byText(a.id, b.id);
  const orders: Record<string, (a: Twelfth, b: Twelfth) => number> = {
    CREATED_AT_DESC: (a, b) => oldestFirst(b, a),
    CREATED_AT_ASC: oldestFirst,
    PRIORITY_DESC: (a, b) => b.urgency - a.urgency || oldestFirst(a, b),
    DEADLINE_ASC: (a, b) => byText(a.deadline, b.deadline) || byText(a.id, b.id),
  };

  test('come in every order, page by page, and the newest first by default', async () => {
    const twelve = await createTwelve('agent-orders');
    const filter = { assignedTo: 'agent-orders' };
    for (const [orderBy, compare] of Object.entries(orders)) {
      const expected = namesOf(twelve.toSorted(compare));
      for (const first of [1, 5, 12]) expect(namesOf(await listAll({ filter, orderBy, first }))).toEqual(expected);
    }
    expect(namesOf(await listAll({ filter }))).toEqual(namesOf(twelve.toSorted(orders.CREATED_AT_DESC)));
  });

  test.each(Object.keys(orders))('in %s stay whole and single while others come in', async (orderBy) => {
    const agent = `agent-${orderBy.toLowerCase().replaceAll('_', '')}`;
    const twelve = await createTwelve(agent);
    let added = 0;
    const addOne = () => {
      const priority = added++ % 2 === 0 ? 'CRITICAL' : 'LOW';
      return create({ name: 'new', assignedTo: agent, priority });
    };
    const listed = namesOf(await listAll({ filter: { assignedTo: agent }, orderBy, first: 2 }, addOne));
    expect(added).toBeGreaterThan(4);
    expect(listed.filter((name) => name !== 'new').toSorted()).toEqual(namesOf(twelve).toSorted());
  });

  test('meet every condition of the filter', async () => {
    const other = await app.createPerson('OPERATOR');
    const twelve = await createTwelve('agent-filters');
    await setStatus(twelve[4].id, 'RUNNING');
    await setStatus(twelve[5].id, 'FAILED');
    const own = await create(
      { name: 'other', type: 'MONITORING', assignedTo: 'agent-filters' },
      { bearer: other.accessToken },
    );
    const find = async (filter: object) =>
      namesOf(await listAll({ filter: { assignedTo: 'agent-filters', ...filter }, orderBy: 'CREATED_AT_ASC' }));

    expect(await find({ status: ['RUNNING'] })).toEqual(['t4']);
    expect(await find({ status: ['FAILED', 'RUNNING'] })).toEqual(['t4', 't5']);
    expect(await find({ type: 'MONITORING' })).toEqual(['other']);
    expect(await find({ priority: 'CRITICAL' })).toEqual(['t3', 't7', 't11']);
    expect(await find({ createdBy: other.id })).toEqual(['other']);
    expect(await find({ createdAfter: at(3) })).toEqual(['t9', 't10', 't11', 'other']);
    expect(await find({ createdBefore: at(1) })).toEqual(['t0', 't1', 't2']);
    expect(
      await find({ createdAfter: at(1), createdBefore: at(2), status: ['PENDING'], priority: 'CRITICAL' }),
    ).toEqual(['t3']);
    expect(await find({ createdBy: own.id })).toEqual([]);
    expect(await find({ status: null, type: null })).toHaveLength(13);
  });

  test('of a wrong filter, size and cursor are BAD_USER_INPUT with every problem', async () => {
    const answer = await app.request(
      operation('Tasks'),
      { filter: { status: [], createdBy: '' }, first: 101, after: 'x' },
      operator,
    );
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(problemFieldsOf(answer)).toEqual(['after', 'filter.createdBy', 'filter.status', 'first']);
  });

  test('refuse the cursor of another order', async () => {
    const names = Object.keys(orders);
    for (const orderBy of names) {
      const { pageInfo } = await listPage({ orderBy, first: 1 });
      for (const other of names.filter((name) => name !== orderBy)) {
        const answer = await app.request(operation('Tasks'), { orderBy: other, after: pageInfo.endCursor }, operator);
        expect(problemFieldsOf(answer)).toEqual(['after']);
      }
    }
  });

  test('with their agents and the latest telemetry cost 3 statements at most, for 1, 20 and 100 tasks', async () => {
    const admin = { bearer: app.admin.accessToken };
    for (let index = 0; index < 100; index++) await create({ assignedTo: `agent-n${index % 40}` });
    const reading = { timestamp: new Date().toISOString(), metrics: { cpu: 1 }, status: 'ACTIVE' };
    const inputs = Array.from({ length: 40 }, (_, index) => ({ ...reading, agentId: `agent-n${index}` }));
    await app.succeed(operation('SubmitTelemetryBatch'), { inputs }, admin);
    for (const first of [1, 20, 100]) {
      app.statements.length = 0;
      const { edges } = await listPage({ first });
      expect(app.statements.length).toBeLessThanOrEqual(3);
      expect(edges).toHaveLength(first);
      expect(edges[0].node.agent.latestTelemetry.metrics).toEqual({ cpu: 1 });
    }
  });
});
