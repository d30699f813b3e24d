import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '../../src/schema.ts';
import { type Answer, type Credential, type Person, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';

type Event = {
  id: string;
  sequence: number;
  action: string;
  outcome: string;
  actor: { kind: string; id: string | null };
  targets: { type: string; id: string }[];
  detail: { code?: string; arguments?: Record<string, unknown> } | null;
};
type Target = [type: string, id: string];

/** A call, and what its row must say beside what every row says. */
type Act = {
  /** The operation; that of existing clients where absent. */
  query?: string;
  variables?: object;
  credential?: Credential;
  /** The id of the user who acts; the admin where absent. */
  actorId?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the data of an answer has the shape of its operation.
  targets: (data: any) => Target[];
  kept: Record<string, unknown>;
  found?: Record<string, unknown>;
};

const userAgent = 'the user agent of the test';
const secretPassword = 'a password that nobody keeps';

let app: TestApp;
let admin: Credential;
let requests = 0;

beforeAll(async () => {
  app = await startApp();
  admin = { bearer: app.admin.accessToken };
});
afterAll(() => app.stop());

/** Sends an operation and answers it with the rows that it left. */
async function observe(
  query: string,
  variables: object,
  credential: Credential,
): Promise<Answer & { events: Event[] }> {
  const requestId = `request-${++requests}`;
  const headers = { 'user-agent': userAgent, 'x-request-id': requestId };
  const answer = await app.request(query, variables, credential, headers);
  expect(answer.headers.get('x-request-id')).toBe(requestId);
  return { ...answer, events: await eventsOf(requestId) };
}

/** The rows of a request as the API shows them, the oldest first. */
async function eventsOf(requestId: string): Promise<Event[]> {
  const { auditEvents } = await app.succeed(operation('AuditEvents'), { first: 100 }, admin);
  const events = auditEvents.edges.map(({ node }: { node: Event & { requestId: string } }) => node);
  return events.filter((event: { requestId: string }) => event.requestId === requestId).toReversed();
}

async function createTask(): Promise<string> {
  const input = { name: 'a task', type: 'ANALYSIS' };
  return (await app.succeed(operation('CreateTask'), { input }, admin)).createTask.task.id;
}

const sessionIdOf = ({ cookie }: Person) => cookie.split(/[=.]/)[2] ?? '';

/** A user without the session of the harness, whose end would be a target too. */
async function createUser(): Promise<string> {
  const input = { email: `audited${++requests}@example.com`, password: secretPassword, roles: ['VIEWER'] };
  return (await app.succeed(operation('CreateUser'), { input }, admin)).createUser.user.id;
}

const acts: Record<string, () => Promise<Act>> = {
  async createTask() {
    const input = { name: 'audited', type: 'ANALYSIS', parameters: { secret: secretPassword } };
    return {
      variables: { input },
      targets: (data) => [['task', data.task.id]],
      kept: { input: { ...input, priority: 'MEDIUM', maxAttempts: 5, parameters: '[REDACTED]' } },
    };
  },
  async updateTask() {
    const id = await createTask();
    return {
      variables: { id, input: { name: 'new', parameters: { secret: secretPassword } } },
      targets: () => [['task', id]],
      kept: { id, input: { name: 'new', parameters: '[REDACTED]' } },
    };
  },
  async assignTask() {
    const variables = { id: await createTask(), agentId: 'agent-audited' };
    return { variables, targets: () => [['task', variables.id]], kept: variables };
  },
  async cancelTask() {
    const variables = { id: await createTask(), reason: 'no longer needed' };
    return { variables, targets: () => [['task', variables.id]], kept: variables };
  },
  async createApiKey() {
    const input = { name: 'audited', scopes: ['tasks:read'], tier: 'FREE' };
    return { variables: { input }, targets: (data) => [['apiKey', data.apiKey.id]], kept: { input } };
  },
  async rotateApiKey() {
    const { id } = await app.createKey({ scopes: ['tasks:read'] });
    return {
      variables: { id, overlapSeconds: 60 },
      targets: () => [['apiKey', id]],
      kept: { id, overlapSeconds: 60 },
      found: { replacedStart: expect.stringMatching(/^nxk_test_\w{4}$/) },
    };
  },
  async revokeApiKey() {
    const { id } = await app.createKey({ scopes: ['tasks:read'] });
    return { variables: { id, reason: 'lost' }, targets: () => [['apiKey', id]], kept: { id, reason: 'lost' } };
  },
  async createUser() {
    const input = { email: 'audited@example.com', password: secretPassword, roles: ['VIEWER'] };
    return {
      variables: { input },
      targets: (data) => [['user', data.user.id]],
      kept: { input: { ...input, password: '[REDACTED]', tier: 'STANDARD' } },
    };
  },
  async setUserRoles() {
    const variables = { userId: await createUser(), roles: ['OPERATOR'] };
    return { variables, targets: () => [['user', variables.userId]], kept: variables };
  },
  async setUserTier() {
    const variables = { userId: await createUser(), tier: 'PREMIUM' };
    const query = `mutation($userId: ID!, $tier: Tier!) { setUserTier(userId: $userId, tier: $tier) { user { id } } }`;
    return { query, variables, targets: () => [['user', variables.userId]], kept: variables };
  },
  async blockIp() {
    const input = { cidr: `203.0.113.${++requests % 250}`, reason: 'audited', durationSeconds: 60 };
    return {
      variables: { input },
      targets: (data) => [['ipBlock', data.ipBlock.id]],
      kept: { input },
      found: { cidr: `${input.cidr}/32` },
    };
  },
  async unblockIp() {
    const input = { cidr: '198.51.100.9', reason: 'audited' };
    const { blockIp } = await app.succeed(operation('BlockIp'), { input }, admin);
    const { id } = blockIp.ipBlock;
    return { variables: { id }, targets: () => [['ipBlock', id]], kept: { id }, found: { cidr: `${input.cidr}/32` } };
  },
  async disableUser() {
    const person = await app.createPerson('VIEWER');
    return {
      variables: { userId: person.id },
      targets: () => [
        ['user', person.id],
        ['session', sessionIdOf(person)],
      ],
      kept: { userId: person.id },
    };
  },
  async changePassword() {
    const person = await app.createPerson('VIEWER');
    return {
      ...{ credential: { bearer: person.accessToken }, actorId: person.id, targets: () => [['user', person.id]] },
      variables: { currentPassword: person.password, newPassword: secretPassword },
      kept: { currentPassword: '[REDACTED]', newPassword: '[REDACTED]' },
    };
  },
  async login() {
    const { id, email, password } = await app.createPerson('VIEWER');
    return {
      ...{ variables: { email, password }, credential: null, actorId: id },
      targets: (data) => [['session', data.session.id]],
      kept: { email, password: '[REDACTED]' },
    };
  },
  async logout() {
    const person = await app.createPerson('VIEWER');
    return {
      ...{ credential: { cookie: person.cookie }, actorId: person.id, kept: {} },
      targets: () => [['session', sessionIdOf(person)]],
    };
  },
  async refreshAccessToken() {
    return {
      ...{ credential: { cookie: app.admin.cookie }, kept: {} },
      targets: () => [['session', sessionIdOf(app.admin)]],
    };
  },
  async revokeSession() {
    const id = sessionIdOf(await app.createPerson('VIEWER'));
    return { variables: { id }, targets: () => [['session', id]], kept: { id } };
  },
  async revokeAllUserSessions() {
    const person = await app.createPerson('VIEWER');
    return {
      variables: { userId: person.id },
      targets: () => [
        ['user', person.id],
        ['session', sessionIdOf(person)],
      ],
      kept: { userId: person.id },
    };
  },
};

const audited = [...createSchema().policy.values()].flatMap(({ coordinate, audit }) =>
  audit && audit.level !== 'NONE' ? [[coordinate.replace('Mutation.', ''), audit] as const] : [],
);
const operationOf = (field: string) => operation(field.charAt(0).toUpperCase() + field.slice(1));

describe('a mutation leaves exactly one row', () => {
  test.each(audited)('%s', async (field, { action, severity }) => {
    const act = await acts[field]?.();
    if (!act) throw new Error(`Say above how ${field} is called.`);
    const { query = operationOf(field), variables = {}, credential = admin, actorId = app.admin.id } = act;
    const { targets, kept, found } = act;
    const { data, errors, events } = await observe(query, variables, credential);
    expect(errors).toBeUndefined();
    expect(events).toEqual([
      {
        ...{ id: expect.stringMatching(/^audit_/), sequence: expect.any(Number), occurredAt: expect.any(String) },
        ...{ action, severity, outcome: 'SUCCEEDED', actor: { kind: 'USER', id: actorId } },
        targets: targets(data[field]).map(([type, id]) => ({ type, id })),
        ...{ ip: '127.0.0.1', userAgent, requestId: `request-${requests}`, detail: { ...found, arguments: kept } },
      },
    ]);
    expect(JSON.stringify(await app.sql`select * from audit_events`)).not.toContain(secretPassword);
  });

  test('of its own, where one request has several', async () => {
    const [first, second] = [await createTask(), await createTask()];
    const query =
      'mutation($a: ID!, $b: ID!) { a: cancelTask(id: $a) { task { id } } b: cancelTask(id: $b) { task { id } } }';
    const { events } = await observe(query, { a: first, b: second }, admin);
    expect(events.map(({ targets }) => targets[0]?.id)).toEqual([first, second]);
  });

  test('in the transaction of its change', async () => {
    const id = await createTask();
    const rows = await app.sql`select xmin::text from tasks where id = ${id}
      union all select xmin::text from audit_events where targets @> ${app.sql.json([{ id }])}`;
    expect(rows).toHaveLength(2);
    expect(rows[1]).toEqual(rows[0]);
  });

  test('and with the credential that was used', async () => {
    const key = await app.createKey({ role: 'OPERATOR', scopes: ['tasks:write'] });
    const id = await createTask();
    for (const [credential, credentialId] of [
      [{ bearer: key.secret }, key.id],
      [{ cookie: app.admin.cookie }, sessionIdOf(app.admin)],
      [admin, sessionIdOf(app.admin)],
    ] as const) {
      await app.succeed(operation('AssignTask'), { id, agentId: 'agent-1' }, credential);
      const { auditEvents } = await app.succeed(
        '{ auditEvents(first: 1) { edges { node { actor { id credentialId } } } } }',
        {},
        admin,
      );
      expect(auditEvents.edges[0].node.actor).toEqual({ id: app.admin.id, credentialId });
    }
  });
});

describe('what changes nothing leaves no row', () => {
  test.each<[string, string, object, string]>([
    ['a wrong input', 'CreateTask', { input: { name: '', type: 'ANALYSIS' } }, 'BAD_USER_INPUT'],
    ['an unknown id', 'CancelTask', { id: 'task_00000000000000000000000000' }, 'NOT_FOUND'],
    [
      'a conflict',
      'CreateUser',
      { input: { email: 'admin@example.com', password: secretPassword, roles: ['VIEWER'] } },
      'CONFLICT',
    ],
  ])('%s', async (_name, name, variables, code) => {
    const answer = await observe(operation(name), variables, admin);
    expect([codesOf(answer), answer.events]).toEqual([[code], []]);
  });

  test('a reading', async () => {
    const input = { agentId: 'agent-1', timestamp: '2026-01-01T00:00:00Z', metrics: { cpu: 1 }, status: 'ACTIVE' };
    expect((await observe(operation('SubmitTelemetry'), { input }, admin)).events).toEqual([]);
  });
});

describe('a refusal is recorded', () => {
  const input = { name: 'refused', type: 'ANALYSIS', parameters: { secret: secretPassword } };
  const kept = { input: expect.objectContaining({ name: 'refused', parameters: '[REDACTED]' }) };
  let viewer: Person;
  beforeAll(async () => {
    viewer = await app.createPerson('VIEWER');
  });

  test('of a caller who is known, with what was tried', async () => {
    const { events } = await observe(operation('CreateTask'), { input }, { bearer: viewer.accessToken });
    expect(events).toMatchObject([
      {
        action: 'task.create',
        outcome: 'REFUSED',
        actor: { kind: 'USER', id: viewer.id },
        targets: [],
        detail: { code: 'FORBIDDEN', arguments: kept },
      },
    ]);
  });

  test.each<[string, Credential]>([
    ['nobody', null],
    ['a bad key', { bearer: `nxk_test_${'x'.repeat(49)}` }],
    ['a bad cookie', { cookie: 'nexus.sid=x' }],
  ])('of %s', async (_name, credential) => {
    const { events } = await observe(operation('CreateTask'), { input }, credential);
    expect(events).toMatchObject([
      {
        action: 'task.create',
        outcome: 'REFUSED',
        actor: { kind: 'ANONYMOUS', id: null },
        detail: { code: 'UNAUTHENTICATED', arguments: kept },
      },
    ]);
  });

  test("of an agent's key, as that of the agent", async () => {
    const key = await app.createKey({ agentId: 'agent-refused', scopes: ['tasks:read'] });
    const { events } = await observe(operation('CreateTask'), { input }, { bearer: key.secret });
    expect(events).toMatchObject([{ outcome: 'REFUSED', actor: { kind: 'AGENT', id: 'agent-refused' } }]);
  });

  test('of a log-in with the address and without the password', async () => {
    const variables = { email: viewer.email, password: secretPassword };
    const { events } = await observe(operation('Login'), variables, null);
    expect(events).toMatchObject([
      {
        ...{ action: 'session.create', outcome: 'REFUSED', actor: { kind: 'ANONYMOUS', id: null } },
        detail: { code: 'UNAUTHENTICATED', arguments: { email: viewer.email, password: '[REDACTED]' } },
      },
    ]);
  });

  test('of a used-up limit', async () => {
    const variables = { email: 'limited@example.com', password: secretPassword };
    for (let count = 0; count < 5; count++) await app.request(operation('Login'), variables);
    const { events } = await observe(operation('Login'), variables, null);
    expect(events).toMatchObject([{ action: 'session.create', outcome: 'REFUSED', detail: { code: 'RATE_LIMITED' } }]);
  });

  test('of a query, for a caller who is known alone', async () => {
    const { events } = await observe(operation('Users'), {}, { bearer: viewer.accessToken });
    expect(events).toMatchObject([
      {
        action: 'access.refuse',
        outcome: 'REFUSED',
        targets: [{ type: 'field', id: 'Query.users' }],
        detail: { code: 'FORBIDDEN' },
      },
    ]);
    expect((await observe(operation('Users'), {}, null)).events).toEqual([]);
  });

  test('once for a field of many objects', async () => {
    for (let count = 0; count < 3; count++) await createTask();
    const query = '{ tasks { edges { node { parameters result } } } }';
    const { events, errors } = await observe(query, {}, { bearer: viewer.accessToken });
    expect(errors?.length).toBeGreaterThan(5);
    expect(events.map(({ targets }) => targets)).toEqual([
      [{ type: 'field', id: 'Task.parameters' }],
      [{ type: 'field', id: 'Task.result' }],
    ]);
  });

  test('once for each forbidden field of a mutation, of which none runs', async () => {
    const id = await createTask();
    const query = `mutation($id: ID!, $input: CreateUserInput!) {
      cancelTask(id: $id) { task { id } } createUser(input: $input) { user { id } } again: createUser(input: $input) { user { id } }
    }`;
    const user = { email: 'refused@example.com', password: secretPassword, roles: ['VIEWER'] };
    const operator = await app.createPerson('OPERATOR');
    const { status, events } = await observe(query, { id, input: user }, { bearer: operator.accessToken });
    expect([status, events.map(({ action, outcome }) => [action, outcome])]).toEqual([
      403,
      [
        ['user.create', 'REFUSED'],
        ['user.create', 'REFUSED'],
      ],
    ]);
    expect((await app.succeed(operation('Task'), { id }, admin)).task.status).toBe('PENDING');
  });
});

describe('where the row cannot be written, nothing has happened', () => {
  async function withoutAuditTable<Result>(work: () => Promise<Result>): Promise<Result> {
    await app.sql`alter table audit_events rename to audit_events_gone`;
    try {
      return await work();
    } finally {
      await app.sql`alter table audit_events_gone rename to audit_events`;
    }
  }
  const unavailable = (answer: Answer) => {
    expect([answer.status, codesOf(answer)]).toEqual([503, ['DEPENDENCY_UNAVAILABLE']]);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.text).not.toMatch(/audit_events|relation|insert/i);
  };

  test('no task', async () => {
    const input = { name: 'without a row', type: 'ANALYSIS', assignedTo: 'agent-without', idempotencyKey: 'without' };
    unavailable(await withoutAuditTable(() => app.request(operation('CreateTask'), { input }, admin)));
    expect(await app.sql`select 1 from tasks where name = 'without a row'`).toHaveLength(0);
    expect(await app.sql`select 1 from agents where id = 'agent-without'`).toHaveLength(0);
    expect(codesOf(await app.request(operation('CreateTask'), { input }, admin))).toEqual([]);
  });

  test('no session and no cookie', async () => {
    const { id, email, password } = await app.createPerson('VIEWER');
    unavailable(await withoutAuditTable(() => app.request(operation('Login'), { email, password })));
    expect(await app.sql`select 1 from sessions where user_id = ${id}`).toHaveLength(1);
  });

  test('no revocation and no rotation: what worked goes on', async () => {
    const person = await app.createPerson('VIEWER');
    const key = await app.createKey({ scopes: ['tasks:read'] });
    await withoutAuditTable(async () => {
      unavailable(await app.request(operation('RotateApiKey'), { id: key.id }, admin));
      unavailable(await app.request(operation('RevokeApiKey'), { id: key.id }, admin));
      unavailable(await app.request(operation('Logout'), {}, { cookie: person.cookie }));
      unavailable(await app.request(operation('DisableUser'), { userId: person.id }, admin));
    });
    for (const credential of [{ bearer: key.secret }, { cookie: person.cookie }])
      expect((await app.request(operation('Me'), {}, credential)).status).toBe(200);
  });

  test('a refusal stays a refusal', async () => {
    const answer = await withoutAuditTable(() => app.request(operation('DisableUser'), { userId: 'x' }, null));
    expect([answer.status, codesOf(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
  });
});

describe('auditEvents', () => {
  const listAll = (variables: object, meanwhile?: () => Promise<unknown>) =>
    readPages<Event>(
      async (after) =>
        (await app.succeed(operation('AuditEvents'), { first: 100, ...variables, after }, admin)).auditEvents,
      meanwhile,
    );

  test('are the newest first, page by page, whole and single while others come in', async () => {
    const before = await listAll({});
    const listed = await listAll({ first: 7 }, createTask);
    expect(listed).toEqual(before);
    expect(listed.map(({ sequence }) => sequence)).toEqual(
      listed.map(({ sequence }) => sequence).toSorted((a, b) => b - a),
    );
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
  });

  test('meet every condition of the filter', async () => {
    const person = await app.createPerson('OPERATOR');
    const start = new Date(Date.now()).toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const id = (
      await app.succeed(
        operation('CreateTask'),
        { input: { name: 'a task', type: 'ANALYSIS' } },
        { bearer: person.accessToken },
      )
    ).createTask.task.id;
    await app.succeed(operation('CancelTask'), { id }, admin);
    await app.request(operation('DisableUser'), { userId: person.id }, { bearer: person.accessToken });
    const find = async (filter: object) => (await listAll({ filter })).map(({ action }) => action);

    expect(await find({ targetId: id })).toEqual(['task.cancel', 'task.create']);
    expect(await find({ targetId: id, actorId: person.id })).toEqual(['task.create']);
    expect(await find({ targetId: id, action: 'task.cancel' })).toEqual(['task.cancel']);
    expect(await find({ actorId: person.id, outcome: 'REFUSED' })).toEqual(['user.disable']);
    expect(await find({ actorId: person.id, severity: 'WARNING' })).toEqual(['user.disable']);
    expect(await find({ actorId: person.id, severity: 'CRITICAL' })).toEqual([]);
    expect(await find({ from: start })).toEqual(['user.disable', 'task.cancel', 'task.create']);
    expect(await find({ from: start, to: start })).toEqual([]);
    expect(await find({ to: start, targetId: id })).toEqual([]);
    expect(await find({ action: 'no.such' })).toEqual([]);
    expect(await find({ action: null, from: null, actorId: person.id })).toContain('session.create');
  });

  test('of a wrong filter, size and cursor are BAD_USER_INPUT with every problem', async () => {
    const filter = { action: '', targetId: 'x'.repeat(101), from: '0000-01-01T00:00:00Z' };
    const answer = await app.request(operation('AuditEvents'), { filter, first: 0, after: 'x' }, admin);
    expect(problemFieldsOf(answer)).toEqual(['after', 'filter.action', 'filter.from', 'filter.targetId', 'first']);
  });

  test('refuse the cursor of another list', async () => {
    const { tasks } = await app.succeed(operation('Tasks'), { first: 1 }, admin);
    const { telemetry } = await app.succeed(operation('Telemetry'), { agentId: 'agent-1', first: 1 }, admin);
    for (const { pageInfo } of [tasks, telemetry]) {
      const answer = await app.request(operation('AuditEvents'), { after: pageInfo.endCursor }, admin);
      expect(problemFieldsOf(answer)).toEqual(['after']);
    }
  });
});
