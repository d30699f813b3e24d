import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, problemFieldsOf, readPages } from '../support/operations.ts';

type Reading = { agentId: string; timestamp: string; metrics: Record<string, number>; status: string };

let app: TestApp;
let admin: Credential;

beforeAll(async () => {
  app = await startApp();
  admin = { bearer: app.admin.accessToken };
});
afterAll(() => app.stop());

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

const reading = (changes: object): Reading => ({
  ...{ agentId: 'agent-1', timestamp: at(0), metrics: { cpu: 0.5 }, status: 'ACTIVE' },
  ...changes,
});

const trySubmit = (changes: object) => app.request(operation('SubmitTelemetry'), { input: reading(changes) }, admin);

const tryBatch = (inputs: object[]) => app.request(operation('SubmitTelemetryBatch'), { inputs }, admin);

const submitBatch = async (inputs: object[]) =>
  (await app.succeed(operation('SubmitTelemetryBatch'), { inputs }, admin)).submitTelemetryBatch;

const listPage = async (variables: object) => (await app.succeed(operation('Telemetry'), variables, admin)).telemetry;

const readAll = (variables: object, meanwhile?: () => Promise<unknown>) =>
  readPages<Reading>((after) => listPage({ first: 100, ...variables, after }), meanwhile);

const readAgent = async (id: string) => (await app.succeed(operation('Agent'), { id }, admin)).agent;

const countOf = async (agentId: string) =>
  Number((await app.sql`select count(*) from telemetry where agent_id = ${agentId}`)[0]?.count);

describe('submitTelemetry', () => {
  test('stores a reading as it is, and the agent follows it', async () => {
    const one = reading({
      agentId: 'agent-one',
      metrics: { cpu: 0.41, 'disk.used_0': -1.5e300, _x: 0 },
      status: 'INACTIVE',
    });
    const { data } = await trySubmit(one);
    expect(data.submitTelemetry.telemetry).toEqual({ agentId: 'agent-one', timestamp: at(0) });
    expect(await readAll({ agentId: 'agent-one' })).toEqual([one]);
    expect(await readAgent('agent-one')).toMatchObject({ status: 'INACTIVE', lastSeenAt: at(0) });
  });

  test('leaves the reading that is there, and answers that one', async () => {
    const query =
      'mutation($input: TelemetryInput!) { submitTelemetry(input: $input) { telemetry { metrics status } } }';
    const first = reading({ agentId: 'agent-twice' });
    await app.succeed(query, { input: first }, admin);
    const again = await app.succeed(query, { input: { ...first, metrics: { cpu: 9 }, status: 'OFFLINE' } }, admin);
    expect(again.submitTelemetry.telemetry).toEqual({ metrics: { cpu: 0.5 }, status: 'ACTIVE' });
    expect(await readAll({ agentId: 'agent-twice' })).toEqual([first]);
    expect(await readAgent('agent-twice')).toMatchObject({ status: 'ACTIVE' });
  });

  test('takes a timestamp up to 60 seconds ahead and no more', async () => {
    const ahead = { agentId: 'agent-ahead' };
    expect(codesOf(await trySubmit({ ...ahead, timestamp: inSeconds(55) }))).toEqual([]);
    const late = await trySubmit({ ...ahead, timestamp: inSeconds(65) });
    expect([codesOf(late), problemFieldsOf(late)]).toEqual([['BAD_USER_INPUT'], ['input.timestamp']]);
    expect(await countOf('agent-ahead')).toBe(1);
  });

  test('tells every problem at once and stores nothing', async () => {
    const answer = await trySubmit({
      agentId: 'agent-wrong',
      timestamp: inSeconds(120),
      metrics: { good: 1, '1bad': 1, text: '1', yes: true, nothing: null, nested: { a: 1 } },
    });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(problemFieldsOf(answer)).toEqual([
      ...['input.metrics', 'input.metrics.nested', 'input.metrics.nothing', 'input.metrics.text', 'input.metrics.yes'],
      'input.timestamp',
    ]);
    expect(await countOf('agent-wrong')).toBe(0);
    expect(codesOf(await app.request(operation('Agent'), { id: 'agent-wrong' }, admin))).toEqual(['NOT_FOUND']);
  });

  test.each(['{ a: 1e400 }', '{ a: -1e999 }', '{ __proto__: 1 }', '{}', '{ a: "1" }', '{ _: { b: 1 } }'])(
    'refuses the metrics %s in a document',
    async (metrics) => {
      const query = `mutation { submitTelemetry(input: {
        agentId: "agent-1", timestamp: "2026-01-01T00:00:00Z", metrics: ${metrics}, status: ACTIVE
      }) { telemetry { agentId } } }`;
      expect(codesOf(await app.request(query, {}, admin))).toEqual(['BAD_USER_INPUT']);
    },
  );
});

describe('submitTelemetryBatch', () => {
  /** As long as a fortnight of readings every five minutes, the last of them now. */
  const fortnight = (agentId: string) => {
    const end = Date.now();
    return Array.from({ length: 4032 }, (_, index) =>
      reading({
        agentId,
        timestamp: new Date(end - (4031 - index) * 300_000).toISOString(),
        metrics: { cpu: index / 7 },
      }),
    );
  };
  const batchesOf = (readings: Reading[]) =>
    Array.from({ length: Math.ceil(readings.length / 500) }, (_, index) =>
      readings.slice(index * 500, index * 500 + 500),
    );

  test('counts 4,032 readings in batches of 500 exactly, and adds none where they are sent again', async () => {
    const readings = fortnight('agent-fortnight');
    const first = [];
    for (const batch of batchesOf(readings)) first.push(await submitBatch(batch));
    expect(first).toEqual([...Array(8).fill(500), 32].map((accepted) => ({ accepted, duplicates: 0, rejected: [] })));
    const again = await Promise.all(batchesOf(readings.toReversed()).map(submitBatch));
    expect(again).toEqual([...Array(8).fill(500), 32].map((duplicates) => ({ accepted: 0, duplicates, rejected: [] })));
    expect(await readAll({ agentId: 'agent-fortnight' })).toEqual(readings.toReversed());
    expect(await readAgent('agent-fortnight')).toMatchObject({ lastSeenAt: readings.at(-1)?.timestamp });
  });

  test('of the same readings, ten at a time, stores each once and counts it once', async () => {
    const readings = Array.from({ length: 100 }, (_, index) => reading({ agentId: 'agent-ten', timestamp: at(index) }));
    const orders = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? readings : readings.toReversed()));
    const answers = await Promise.all(orders.map(submitBatch));
    expect(answers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(100);
    expect(answers.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(900);
    expect(await countOf('agent-ten')).toBe(100);
  });

  test('keeps the first of readings that it holds twice', async () => {
    const twice = [1, 2, 3].map((cpu) => reading({ agentId: 'agent-within', metrics: { cpu } }));
    const other = reading({ agentId: 'agent-within', timestamp: at(1) });
    expect(await submitBatch([...twice, other])).toEqual({ accepted: 2, duplicates: 2, rejected: [] });
    expect(await readAll({ agentId: 'agent-within' })).toEqual([other, twice[0]]);
  });

  test('names each bad reading by its index, with every problem, and stores the good ones', async () => {
    const mixed = { agentId: 'agent-mixed' };
    const { accepted, duplicates, rejected } = await submitBatch([
      reading({ ...mixed, timestamp: at(0) }),
      reading({ ...mixed, timestamp: inSeconds(120), metrics: {} }),
      reading({ ...mixed, timestamp: at(0) }),
      reading({ ...mixed, timestamp: at(1), metrics: { cpu: '1' } }),
      reading({ ...mixed, timestamp: at(2) }),
    ]);
    expect({ accepted, duplicates }).toEqual({ accepted: 2, duplicates: 1 });
    expect(rejected).toEqual([
      {
        index: 1,
        code: 'BAD_USER_INPUT',
        message: expect.stringMatching(/timestamp: .*metrics: /),
        field: 'timestamp',
      },
      { index: 3, code: 'BAD_USER_INPUT', message: expect.stringContaining('metrics.cpu: '), field: 'metrics.cpu' },
    ]);
    expect(await countOf('agent-mixed')).toBe(2);
  });

  test('with nothing but bad readings stores nothing', async () => {
    const { accepted, rejected } = await submitBatch([reading({ agentId: 'agent-bad', metrics: {} })]);
    expect([accepted, rejected.length]).toEqual([0, 1]);
    expect(codesOf(await app.request(operation('Agent'), { id: 'agent-bad' }, admin))).toEqual(['NOT_FOUND']);
  });

  test.each([0, 1001])('of %i readings is refused as a whole', async (count) => {
    const answer = await tryBatch(Array.from({ length: count }, (_, index) => reading({ timestamp: at(index) })));
    expect([codesOf(answer), problemFieldsOf(answer)]).toEqual([['BAD_USER_INPUT'], ['inputs']]);
  });

  test('of 1000 readings with 64 metrics each, far over the bounds of other requests, is stored', async () => {
    const metrics = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`metric.${index}`, index]));
    const readings = Array.from({ length: 1000 }, (_, index) =>
      reading({ agentId: 'agent-big', timestamp: at(index), metrics }),
    );
    expect(await submitBatch(readings)).toMatchObject({ accepted: 1000 });
  });
});

describe('a reading that comes late', () => {
  test('is stored and does not move its agent back', async () => {
    const order = [5, 9, 1, 7].map((seconds) =>
      reading({ agentId: 'agent-late', timestamp: at(seconds), metrics: { seconds } }),
    );
    for (const one of order) await trySubmit({ ...one, status: one.metrics.seconds === 9 ? 'ACTIVE' : 'OFFLINE' });
    expect(await readAgent('agent-late')).toMatchObject({
      ...{ status: 'ACTIVE', lastSeenAt: at(9), latestTelemetry: { timestamp: at(9), metrics: { seconds: 9 } } },
    });
    expect((await readAll({ agentId: 'agent-late' })).map(({ timestamp }) => timestamp)).toEqual([9, 7, 5, 1].map(at));
  });

  test('does not move it back where many come at once in any order', async () => {
    const seconds = Array.from({ length: 40 }, (_, index) => (index * 17) % 40);
    await Promise.all(
      seconds.map((second) =>
        trySubmit({ agentId: 'agent-storm', timestamp: at(second), status: second === 39 ? 'INACTIVE' : 'ACTIVE' }),
      ),
    );
    expect(await readAgent('agent-storm')).toMatchObject({ status: 'INACTIVE', lastSeenAt: at(39) });
    expect(await countOf('agent-storm')).toBe(40);
  });
});

describe('telemetry', () => {
  const agentId = 'agent-range';
  beforeAll(async () => {
    await submitBatch(Array.from({ length: 10 }, (_, index) => reading({ agentId, timestamp: at(index) })));
  });

  test.each<[string, object, number[]]>([
    ['from an instant on, that one included', { from: at(7) }, [9, 8, 7]],
    ['before an instant, that one excluded', { to: at(2) }, [1, 0]],
    ['between two instants', { from: at(3), to: at(5) }, [4, 3]],
    ['between two instants in the wrong order', { from: at(5), to: at(3) }, []],
  ])('is read %s', async (_name, range, seconds) => {
    const listed = await readAll({ agentId, ...range, first: 1 });
    expect(listed.map(({ timestamp }) => timestamp)).toEqual(seconds.map(at));
  });

  test('comes whole and single, the newest first, while newer and older readings come in', async () => {
    let added = 0;
    const addTwo = () => {
      added += 1;
      const times = [at(100 + added), new Date(Date.parse(at(9)) - added * 900 - 1).toISOString()];
      return submitBatch(times.map((timestamp) => reading({ agentId, timestamp, status: 'INACTIVE' })));
    };
    const listed = await readAll({ agentId, first: 3 }, addTwo);
    const timestamps = listed.map(({ timestamp }) => timestamp);
    expect(timestamps).toEqual([...new Set(timestamps)].toSorted().toReversed());
    const known = listed.filter(({ status }) => status === 'ACTIVE').map(({ timestamp }) => timestamp);
    expect(known).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map(at));
  });

  test('of an agent that never sent any is empty', async () => {
    expect(await listPage({ agentId: 'agent-silent' })).toEqual({
      edges: [],
      pageInfo: { hasNextPage: false, endCursor: null },
    });
  });

  test('is 20 readings long where nothing else is said', async () => {
    await submitBatch(
      Array.from({ length: 21 }, (_, index) => reading({ agentId: 'agent-page', timestamp: at(index) })),
    );
    const { edges, pageInfo } = await listPage({ agentId: 'agent-page' });
    expect([edges.length, pageInfo.hasNextPage]).toEqual([20, true]);
  });

  test('refuses the cursor of another agent or list, and tells every problem at once', async () => {
    await trySubmit({ agentId: 'agent-other' });
    const { pageInfo } = await listPage({ agentId: 'agent-other', first: 1 });
    const { auditEvents } = await app.succeed(operation('AuditEvents'), { first: 1 }, admin);
    for (const after of [pageInfo.endCursor, auditEvents.pageInfo.endCursor, 'x'])
      expect(problemFieldsOf(await app.request(operation('Telemetry'), { agentId, after }, admin))).toEqual(['after']);
    const query = `{ telemetry(agentId: "agent-1", from: "0000-01-01T00:00:00Z", first: 0, after: "x") { edges { cursor } } }`;
    expect(problemFieldsOf(await app.request(query, {}, admin))).toEqual(['after', 'first', 'from']);
  });
});
