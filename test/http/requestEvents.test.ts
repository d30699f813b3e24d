import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let agentKey: string;
let viewerToken: string;
let sent = 0;

beforeAll(async () => {
  app = await startApp();
  agentKey = (await app.createKey({ agentId: 'agent-1', scopes: ['telemetry:write'] })).secret;
  viewerToken = (await app.createPerson('VIEWER')).accessToken;
});
afterAll(() => app?.stop());

type Requested = { body: string; headers?: () => Record<string, string> };
type Expected = { status: number; codes: string[]; caller?: string; operation?: [type: string, name: string | null] };

const json = (query: string, more: object = {}): Requested => ({ body: JSON.stringify({ query, ...more }) });
const withHeaders = ({ body }: Requested, headers: () => Record<string, string>): Requested => ({ body, headers });
const asAgent = (requested: Requested) => withHeaders(requested, () => ({ authorization: `Bearer ${agentKey}` }));
const asViewer = (requested: Requested) => withHeaders(requested, () => ({ authorization: `Bearer ${viewerToken}` }));
const login = 'mutation Login { login(email: "nobody@example.com", password: "not the password") { accessToken } }';
const createTask = 'mutation { createTask(input: { name: "x", type: ANALYSIS }) { task { id } } }';
const report = `mutation { submitTelemetry(input: {
  agentId: "agent-1", timestamp: "2026-01-01T00:00:00Z", metrics: { cpu: 1 }, status: ACTIVE
}) { telemetry { timestamp } } }`;

const requests: [what: string, requested: Requested, expected: Expected][] = [
  ['a query', json('query Kind { __typename }'), { status: 200, codes: [], operation: ['query', 'Kind'] }],
  [
    "an agent's reading",
    asAgent(json(report)),
    { status: 200, codes: [], caller: 'AGENT', operation: ['mutation', null] },
  ],
  ['an empty object', { body: '{}' }, { status: 400, codes: ['BAD_REQUEST'] }],
  ['variables that are a text', json('{ __typename }', { variables: 'x' }), { status: 400, codes: ['BAD_REQUEST'] }],
  [
    'a persisted query',
    { body: '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}' },
    { status: 200, codes: ['PERSISTED_QUERY_NOT_SUPPORTED'] },
  ],
  ['a query that cannot be parsed', json('{'), { status: 400, codes: ['GRAPHQL_PARSE_FAILED'] }],
  [
    'a field that is not there',
    json('{ nothing also }'),
    { status: 400, codes: ['GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_VALIDATION_FAILED'] },
  ],
  [
    'an operation that is not there',
    json('query A { __typename }', { operationName: 'B' }),
    { status: 400, codes: ['OPERATION_RESOLUTION_FAILURE'] },
  ],
  ['a stranger', json('{ me { kind } }'), { status: 401, codes: ['UNAUTHENTICATED'], operation: ['query', null] }],
  ['a log-in that fails', json(login), { status: 401, codes: ['UNAUTHENTICATED'], operation: ['mutation', 'Login'] }],
  [
    'a bad token',
    withHeaders(json('{ __typename }'), () => ({ authorization: 'Bearer x' })),
    { status: 401, codes: ['UNAUTHENTICATED'], operation: ['query', null] },
  ],
  [
    'two credentials',
    withHeaders(json('{ __typename }'), () => ({ authorization: `Bearer ${viewerToken}`, 'x-api-key': agentKey })),
    { status: 400, codes: ['AMBIGUOUS_CREDENTIALS'], operation: ['query', null] },
  ],
  [
    'a caller who may not',
    asViewer(json(createTask)),
    { status: 403, codes: ['FORBIDDEN'], caller: 'USER', operation: ['mutation', null] },
  ],
  [
    'a caller who may do a part',
    asViewer(json('{ me { kind } users { edges { cursor } } }')),
    { status: 200, codes: ['FORBIDDEN'], caller: 'USER', operation: ['query', null] },
  ],
  [
    'an input that is wrong',
    asViewer(json('{ tasks(first: 0) { edges { cursor } } }')),
    { status: 200, codes: ['BAD_USER_INPUT'], caller: 'USER', operation: ['query', null] },
  ],
  [
    'too many aliases',
    json(`{ ${Array.from({ length: 16 }, (_, index) => `a${index}: __typename`).join(' ')} }`),
    { status: 400, codes: ['TOO_MANY_ALIASES'], operation: ['query', null] },
  ],
];

/** The events in the log with this request id, as soon as there is one. */
async function eventsOf(requestId: string) {
  const read = async () =>
    (await readFile(app.logFile, 'utf8')).split('\n').flatMap((line) => {
      const entry = line.includes(`"${requestId}"`) ? JSON.parse(line) : undefined;
      return entry?.event === 'request' ? [entry] : [];
    });
  await vi.waitUntil(async () => (await read()).length > 0, { timeout: 10_000 });
  return read();
}

test.each(requests)(
  '%s has one event, with the status and the codes of its answer',
  async (_what, { body, headers }, expected) => {
    sent += 1;
    const requestId = `request-event-${sent}`;
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': requestId, ...headers?.() },
      body,
    });
    const { errors = [] } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    expect({ status: response.status, codes: errors.map(({ extensions }) => extensions.code) }).toEqual({
      status: expected.status,
      codes: expected.codes,
    });
    const [operationType, operationName] = expected.operation ?? [null, null];
    expect(await eventsOf(requestId)).toEqual([
      expect.objectContaining({
        status: expected.status,
        codes: expected.codes,
        callerKind: expected.caller ?? 'ANONYMOUS',
        operationType,
        operationName,
        bytes: Number(response.headers.get('content-length')),
      }),
    ]);
  },
);

test('the log has as many events as there were requests', async () => {
  const lines = (await readFile(app.logFile, 'utf8')).trimEnd().split('\n');
  const ids = lines
    .map((line) => JSON.parse(line))
    .flatMap(({ event, requestId }) => (event === 'request' ? [requestId] : []));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => id.startsWith('request-event-'))).toHaveLength(requests.length);
});
