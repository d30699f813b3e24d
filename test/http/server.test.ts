import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventsOf, post, raw, startServer, type TestServer } from './harness.ts';

let server: TestServer;
let isStopped: boolean;

beforeEach(async () => {
  isStopped = false;
  server = await startServer();
});

afterEach(async () => {
  if (!isStopped) await server.stop();
});

async function events() {
  isStopped = true;
  return eventsOf(await server.stop());
}

test('a query is answered, and its request has one event', async () => {
  const response = await post(server.url, { query: '{ hello }' }, { 'x-request-id': 'my-request-1' });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ data: { hello: 'world' } });
  expect(response.headers.get('x-request-id')).toBe('my-request-1');
  expect(server.seen).toMatchObject([
    {
      requestId: 'my-request-1',
      ip: '127.0.0.1',
      credentials: { kind: 'NONE' },
      bodyBytes: 21,
      receivedAt: expect.any(Number),
      userAgent: 'node',
    },
  ]);
  expect(await events()).toEqual([
    expect.objectContaining({
      requestId: 'my-request-1',
      method: 'POST',
      path: '/graphql',
      status: 200,
      ip: '127.0.0.1',
      userAgent: 'node',
      callerKind: 'ANONYMOUS',
      codes: [],
      bytes: 27,
    }),
  ]);
});

const json = 'content-type: application/json';
const requests: [what: string, status: number, code: string, text: string][] = [
  ['an unknown path', 404, 'NOT_FOUND', 'GET /nothing/here?password=hunter2 HTTP/1.1\r\nhost: x\r\n'],
  ['a method that nobody knows here', 404, 'NOT_FOUND', 'PURGE /graphql HTTP/1.1\r\nhost: x\r\n'],
  ['a URL that cannot be decoded', 400, 'BAD_REQUEST', 'GET /%zz HTTP/1.1\r\nhost: x\r\n'],
  ['GET', 405, 'BAD_REQUEST', 'GET /graphql?query={hello} HTTP/1.1\r\nhost: x\r\naccept: text/html\r\n'],
  ['PUT', 405, 'BAD_REQUEST', `PUT /graphql HTTP/1.1\r\nhost: x\r\n${json}\r\ncontent-length: 2\r\n\r\n{}`],
  ['CONNECT', 405, 'BAD_REQUEST', 'CONNECT db:5432 HTTP/1.1\r\nhost: x\r\n'],
  ['a body without a type', 415, 'BAD_REQUEST', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}'],
  ['no body and no type', 415, 'BAD_REQUEST', 'POST /graphql HTTP/1.1\r\nhost: x\r\n'],
  [
    'a text',
    415,
    'BAD_REQUEST',
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}',
  ],
  [
    'a form',
    415,
    'BAD_REQUEST',
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data\r\ncontent-length: 2\r\n\r\n{}',
  ],
  [
    'a type that is none',
    415,
    'BAD_REQUEST',
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: ;;\r\ncontent-length: 2\r\n\r\n{}',
  ],
  [
    'malformed JSON',
    400,
    'BAD_REQUEST',
    `POST /graphql HTTP/1.1\r\nhost: x\r\n${json}\r\ncontent-length: 9\r\n\r\n{"hunter2`,
  ],
  ['an empty body', 400, 'BAD_REQUEST', `POST /graphql HTTP/1.1\r\nhost: x\r\n${json}\r\ncontent-length: 0\r\n`],
  [
    'a poisoned body',
    400,
    'BAD_REQUEST',
    `POST /graphql HTTP/1.1\r\nhost: x\r\n${json}\r\ncontent-length: 16\r\n\r\n{"__proto__": 1}`,
  ],
  [
    'a Host that is none',
    400,
    'BAD_REQUEST',
    `POST /graphql HTTP/1.1\r\nhost: [\r\n${json}\r\ncontent-length: 2\r\n\r\n{}`,
  ],
  ['no Host', 400, 'BAD_REQUEST', 'GET /health/live HTTP/1.1\r\nconnection: close\r\n'],
  ['a header that is none', 400, 'BAD_REQUEST', 'GET / HTTP/1.1\r\nhost: x\r\nhunter2\r\n'],
  ['a method that is none', 400, 'BAD_REQUEST', 'HUNTER2 / HTTP/1.1\r\nhost: x\r\n'],
  ['headers that are too large', 431, 'BAD_REQUEST', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n`],
  [
    'a chunk that is none',
    400,
    'BAD_REQUEST',
    `POST /graphql HTTP/1.1\r\nhost: x\r\n${json}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhunter2\r\n`,
  ],
  ['another protocol', 400, 'BAD_REQUEST', '\x16\x03\x01\x02\x00\x01'],
];

test.each(requests)(
  '%s is answered with %d %s in JSON, once logged, and nothing of it is echoed',
  async (...request) => {
    const [, status, code, text] = request;
    const answer = await raw(server.port, [`${text.replace(/\r\nhost/, '\r\nconnection: close\r\nhost')}\r\n`]);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    const requestId = /\r\nx-request-id: ([\w-]{36})(?:\r\n|$)/i.exec(head)?.[1];
    expect(requestId).toBeDefined();
    expect(head).toMatch(/\r\ncontent-type: application\/json/i);
    expect(head).toMatch(/\r\nx-content-type-options: nosniff/i);
    expect(head).toMatch(/\r\ncontent-security-policy: default-src 'none'/i);
    expect(JSON.parse(body)).toEqual({ errors: [{ message: expect.any(String), extensions: { code } }] });
    expect(answer).not.toMatch(/hunter2|FST_|node_modules/i);
    const logged = await events();
    expect(logged).toMatchObject([{ requestId, status, codes: [code] }]);
    expect(JSON.stringify(logged)).not.toContain('hunter2');
  },
);

test('405 says what is allowed', async () => {
  const response = await fetch(`${server.url}/graphql`, { headers: { connection: 'close' } });
  expect(response.headers.get('allow')).toBe('POST');
});

test('an expectation that nobody knows, and one of 100-continue, are served', async () => {
  for (const expectation of ['100-continue', 'miracles']) {
    const answer = await raw(server.port, [
      `GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: ${expectation}\r\n\r\n`,
    ]);
    expect(answer).toMatch(/HTTP\/1.1 200 OK/);
  }
  expect(await events()).toHaveLength(2);
});

test('requests on one connection, one after the other or all at once, have one event each', async () => {
  const one = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n';
  const last = one.replace('\r\nhost', '\r\nconnection: close\r\nhost');
  const answer = await raw(server.port, [one, one + one, last]);
  expect(answer.match(/HTTP\/1.1 200/g)).toHaveLength(4);
  expect((await events()).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

test('something unreadable after a good request has an event of its own', async () => {
  const answer = await raw(server.port, ['GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n', 'rubbish\r\n\r\n']);
  expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  expect((await events()).map(({ status }) => status)).toEqual([200, 400]);
});

test('a connection that says nothing has no event', async () => {
  const socket = createConnection(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.resetAndDestroy();
  await sleep(50);
  expect(await events()).toEqual([]);
});

test('a client that leaves before its answer has one event, with what was found out until the end', async () => {
  const abort = AbortSignal.timeout(100);
  await expect(
    fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ slow(ms: 300) }' }),
      signal: abort,
    }),
  ).rejects.toThrow();
  const [request] = server.seen;
  expect(request).toBeDefined();
  setTimeout(() => {
    if (request) request.notes.operationName = 'Late';
  }, 100);
  await sleep(400);
  expect(await events()).toMatchObject([{ status: 499, operationName: 'Late' }]);
});

test.each([
  ['resets the connection', 499, (socket: Socket) => socket.resetAndDestroy()],
  ['ends it', 400, (socket: Socket) => socket.end()],
])('a client that %s in the middle of its body has one event, with status %d', async (_how, status, leave) => {
  const socket = createConnection(server.port, '127.0.0.1');
  socket.write(`POST /graphql HTTP/1.1\r\nhost: x\r\n${json}\r\ncontent-length: 100\r\n\r\n{"query"`);
  await sleep(50);
  leave(socket);
  await sleep(50);
  isStopped = true;
  const lines = await server.stop();
  expect(lines).toHaveLength(1);
  expect(lines).toMatchObject([{ event: 'request', status }]);
});

test('a batch of operations and a body that is no object are refused with 400', async () => {
  for (const body of ['[{"query":"{ hello }"}]', '[]', 'null', '"x"', '1', '{}']) {
    expect((await post(server.url, body)).status).toBe(400);
  }
});

test('JSON in UTF-8 is accepted however the charset is written', async () => {
  for (const type of [
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'APPLICATION/JSON',
    'application/json; x=y',
  ]) {
    const response = await post(server.url, { query: '{ echo(text: "å€😀") }' }, { 'content-type': type });
    expect(await response.json()).toEqual({ data: { echo: 'å€😀' } });
  }
});

test('the keys and the health of the server are served', async () => {
  const keys = await fetch(`${server.url}/.well-known/jwks.json`, { headers: { connection: 'close' } });
  expect(await keys.json()).toEqual({ keys: [{ kty: 'OKP' }] });
  expect(keys.headers.get('cache-control')).toBe('public, max-age=300');
  const live = await fetch(`${server.url}/health/live`, { headers: { connection: 'close' } });
  expect(await live.json()).toEqual({ status: 'ok' });
  expect(live.headers.get('cache-control')).toBe('no-store');
  const ready = await fetch(`${server.url}/health/ready`, { headers: { connection: 'close' } });
  expect(ready.status).toBe(200);
});

test('the headers of helmet are on every answer, and no hint of the software', async () => {
  const { headers } = await post(server.url, { query: '{ hello }' });
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
  );
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('strict-transport-security')).toBeNull();
  expect(headers.get('server')).toBeNull();
  expect(headers.get('x-powered-by')).toBeNull();
});
