import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dependency, type FailingServer, otherRoute, places, startFailingServer } from './failingServer.ts';
import { collectThrown, type Thrown } from './thrown.ts';

/** What was planted, SQL, a path, a host, a code of a system, a stack. */
const internals =
  /planted|\b(?:select|insert|values|from|where)\b|\/\w+\/|\.[cm]?[jt]s\b|127\.0\.0\.1|localhost|\bE[A-Z]{5,}|\bat \w|Error:|\[object/;
const statement = /planted|\b(?:select|insert into|params:)/i;

/** Where the rest of the answer is there all the same. */
const placeOfAPart = 'a field of an object';
/** Where whatever is thrown is a bug. */
const placesOutsideGraphql = ['the context', otherRoute];

let server: FailingServer;
let stop: FailingServer['stop'];
let thrown: Thrown[];
/** What was thrown, by the id of the request. */
const thrownIn = new Map<string, Thrown>();

beforeAll(async () => {
  thrown = await collectThrown();
  server = await startFailingServer();
  let stopped: ReturnType<typeof stop> | undefined;
  stop = () => {
    stopped ??= server.stop();
    return stopped;
  };
});
afterAll(() => stop?.());

type Ask = (headers: Record<string, string>) => Promise<Response>;
type Says = { status: number; retryAfter: string | null; message: string; extensions: object };

/** Makes the place throw each kind, and answers by kind what a client sees. */
async function throwEach(place: string, ask: Ask): Promise<Record<string, Says>> {
  const says: Record<string, Says> = {};
  for (const each of thrown) {
    const requestId = `request-${thrownIn.size + 1}`;
    thrownIn.set(requestId, each);
    server.fail(place, each.value);
    const { status, headers, body } = await seenBy(ask, { 'x-request-id': requestId });
    const { message, extensions } = JSON.parse(body).errors[0];
    says[each.kind] = { status, retryAfter: headers.get('retry-after'), message, extensions };
  }
  return says;
}

/** What a client sees, in which there must be nothing that is not for it. */
async function seenBy(ask: Ask, headers: Record<string, string> = {}) {
  const response = await ask({ 'content-type': 'application/json', ...headers });
  const body = await response.text();
  expect(body).not.toMatch(internals);
  expect([...response.headers].join('\n')).not.toMatch(/planted/);
  return { status: response.status, headers: response.headers, body };
}

let documents = 0;

/** A document that is new each time, so that graphql-js runs it and calls every hook of every plugin. */
function post(query: string): Ask {
  return (headers) => {
    documents += 1;
    const body = JSON.stringify({ query: `${query} # ${documents}` });
    return fetch(`${server.url}/graphql`, { method: 'POST', headers, body });
  };
}

function get(path: string): Ask {
  return (headers) => fetch(server.url + path, { headers });
}

describe.each([...Object.entries(places), [otherRoute, ''] as const])('thrown from %s', (place, query) => {
  test('nothing of it is shown, and its code is right', async () => {
    const says = await throwEach(place, query === '' ? get('/.well-known/jwks.json') : post(query));
    expect(Object.keys(says).length).toBeGreaterThan(25);
    for (const { kind, isDependency } of thrown) {
      const isUnavailable = isDependency && !placesOutsideGraphql.includes(place);
      const answer = says[kind];
      if (isUnavailable) {
        const extensions = { code: 'DEPENDENCY_UNAVAILABLE', retryAfterSeconds: 1 };
        const isPart = place === placeOfAPart;
        expect(answer, kind).toMatchObject({ status: isPart ? 200 : 503, retryAfter: isPart ? null : '1', extensions });
      } else {
        const extensions = { code: 'INTERNAL_SERVER_ERROR', requestId: expect.stringMatching(/^request-\d+$/) };
        expect(answer, kind).toEqual({
          status: answer?.status,
          retryAfter: null,
          message: 'Internal server error.',
          extensions,
        });
        expect([200, 500], kind).toContain(answer?.status);
      }
    }
  });
});

test('a part that fails is unavailable in the health of the server, which says no more', async () => {
  for (const { value } of thrown) {
    server.fail(dependency, value);
    const { status, body } = await seenBy(get('/health/ready'));
    expect({ status, body: JSON.parse(body) }).toEqual({
      status: 503,
      body: { status: 'unavailable', dependencies: { part: { status: 'unavailable' } } },
    });
  }
});

test.each(['number', 'level', 'instant', 'required'])(
  'a value that does not fit its field is not shown: %s',
  async (field) => {
    server.fail('', undefined);
    const { body } = await seenBy(post(`{ ${field} }`));
    expect(JSON.parse(body).errors[0].extensions.code).toBe('INTERNAL_SERVER_ERROR');
  },
);

test('each failure is logged once, beside one request event with its code; statements and parameters never', async () => {
  const { log, other } = await stop();
  expect(other).toBe('');
  for (const [requestId, { kind, isOfStatement }] of thrownIn) {
    const lines = log.filter((line) => line.requestId === requestId);
    const [failure, event] = [
      lines.filter(({ level }) => level !== 'info'),
      lines.filter(({ level }) => level === 'info'),
    ];
    expect({ failures: failure.length, events: event.map(({ event }) => event) }, kind).toEqual({
      failures: 1,
      events: ['request'],
    });
    expect(event[0]?.codes, kind).toEqual([
      expect.stringMatching(/^(?:INTERNAL_SERVER_ERROR|DEPENDENCY_UNAVAILABLE)$/),
    ]);
    if (isOfStatement) expect(lines.map(({ text }) => text).join('\n'), kind).not.toMatch(statement);
  }
});
