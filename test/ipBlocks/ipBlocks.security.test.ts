import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation } from '../support/operations.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { TRUST_PROXY: '127.0.0.1/32' } });
});
afterAll(() => app?.stop());

const asAdmin = () => ({ bearer: app.admin.accessToken });
async function block(cidr: string, durationSeconds = 3600): Promise<{ id: string; cidr: string }> {
  const input = { cidr, reason: 'a test', durationSeconds };
  return (await app.succeed(operation('BlockIp'), { input }, asAdmin())).blockIp.ipBlock;
}

const from = (ip: string) => ({ 'x-forwarded-for': ip });
const json = { 'content-type': 'application/json' };

/** Writes to a connection and answers what comes back for it, as text. */
async function exchange(socket: ReturnType<typeof createConnection>, text: string): Promise<string> {
  socket.write(text);
  const [answer] = await once(socket, 'data');
  return answer;
}

function connect(): ReturnType<typeof createConnection> {
  const socket = createConnection(Number(new URL(app.url).port), '127.0.0.1').setEncoding('utf8');
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** The request events of this id in the log, as soon as there is one. */
async function eventsOf(requestId: string) {
  const read = async () =>
    (await readFile(app.logFile, 'utf8')).split('\n').flatMap((line) => {
      const entry = line.includes(`"${requestId}"`) ? JSON.parse(line) : undefined;
      return entry?.event === 'request' ? [entry] : [];
    });
  await vi.waitUntil(async () => (await read()).length > 0, { timeout: 10_000 });
  return read();
}

describe('who may', () => {
  const fields = [
    ['ipBlocks', '{ ipBlocks { edges { cursor } } }'],
    ['blockIp', 'mutation { blockIp(input: { cidr: "198.51.100.1", reason: "x" }) { ipBlock { id } } }'],
    ['unblockIp', 'mutation { unblockIp(id: "block_00000000000000000000000000") { ipBlock { id } } }'],
  ] as const;

  test.each(fields)('%s is for an ADMIN with the scope alone', async (name, query) => {
    const [operator, viewer] = await Promise.all([app.createPerson('OPERATOR'), app.createPerson('VIEWER')]);
    const keyOf = async (...scopes: string[]) => (await app.createKey({ role: 'ADMIN', scopes })).secret;
    const agent = await app.createKey({ agentId: 'agent-1', scopes: ['telemetry:write'] });
    const credentials: [Credential, string | null][] = [
      [null, 'UNAUTHENTICATED'],
      [{ bearer: 'x' }, 'UNAUTHENTICATED'],
      [{ bearer: viewer.accessToken }, 'FORBIDDEN'],
      [{ cookie: operator.cookie }, 'FORBIDDEN'],
      [{ bearer: agent.secret }, 'FORBIDDEN'],
      [{ bearer: await keyOf('users:read', 'users:write') }, 'FORBIDDEN'],
      [{ bearer: await keyOf('audit:read') }, name === 'ipBlocks' ? null : 'FORBIDDEN'],
      [{ bearer: await keyOf('incidents:write') }, null],
      [{ cookie: app.admin.cookie }, null],
    ];
    for (const [credential, code] of credentials) {
      const codes = codesOf(await app.request(query, {}, credential)).filter((each) => each !== 'NOT_FOUND');
      expect(codes, JSON.stringify(credential)).toEqual(code === null ? [] : [code]);
    }
  });
});

describe('a blocked address', () => {
  const ip = '203.0.113.9';
  beforeAll(() => block(ip));

  test.each([
    ['POST', '/graphql', { body: '{"query":"{ __typename }"}', headers: json }],
    ['POST', '/graphql', { body: 'no JSON', headers: json }],
    ['POST', '/graphql', { body: 'x'.repeat(1_000), headers: json }],
    ['POST', '/graphql', { headers: { authorization: 'Bearer x', 'x-api-key': 'y' } }],
    ['OPTIONS', '/graphql', { headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } }],
    ['GET', '/graphql', {}],
    ['GET', '/health/live', {}],
    ['GET', '/health/ready', {}],
    ['GET', '/.well-known/jwks.json', {}],
    ['GET', '/nothing', {}],
    ['GET', '/%zz', {}],
    ['DELETE', '/', {}],
  ])('is refused at every door: %s %s', async (method, path, { headers, ...rest }: RequestInit) => {
    const answer = await fetch(app.url + path, { method, headers: { ...headers, ...from(ip) }, ...rest });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({
      errors: [{ message: 'Requests from this address are refused for now.', extensions: { code: 'IP_BLOCKED' } }],
    });
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_600);
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.headers.get('x-request-id')).toBeTruthy();
  });

  test('is refused with the best of credentials, which nobody looks at', async () => {
    app.statements.length = 0;
    const answer = await app.request('{ me { kind } }', {}, asAdmin(), from(ip));
    expect([answer.status, codesOf(answer), app.statements]).toEqual([403, ['IP_BLOCKED'], []]);
  });

  test('has one event in the log for each request', async () => {
    await fetch(`${app.url}/graphql`, { method: 'POST', headers: { ...from(ip), 'x-request-id': 'blocked-event' } });
    expect(await eventsOf('blocked-event')).toEqual([
      expect.objectContaining({ status: 403, codes: ['IP_BLOCKED'], ip, callerKind: 'ANONYMOUS', path: '/graphql' }),
    ]);
  });

  test('is refused before its body has come', async () => {
    const head = `POST /graphql HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ${ip}\r\ncontent-type: application/json\r\n`;
    const answer = await exchange(connect(), `${head}content-length: 1000\r\n\r\n{`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });

  test('is refused on a connection that is open already', async () => {
    const socket = connect();
    const request = 'GET /health/live HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 198.51.100.77\r\n\r\n';
    expect(await exchange(socket, request)).toMatch(/^HTTP\/1\.1 200 /);
    const ended = once(socket, 'close');
    await block('198.51.100.77');
    expect(await exchange(socket, request)).toMatch(/^HTTP\/1\.1 403 .*\r\nconnection: close\r\n/is);
    await ended;
  });

  test('is let in again when the block ends', async () => {
    await block('198.51.100.78', 1);
    const status = async () => (await fetch(`${app.url}/health/live`, { headers: from('198.51.100.78') })).status;
    expect(await status()).toBe(403);
    await vi.waitUntil(async () => (await status()) === 200, { timeout: 3_000 });
  });

  test('is its IPv4-mapped form, with a port, in brackets, and every spelling of IPv6 too', async () => {
    await block('2001:db8:bad::/48');
    const spellings = [
      '::ffff:203.0.113.9',
      '[::FFFF:203.0.113.9]:99',
      '::ffff:cb00:7109',
      '203.0.113.9:4711',
      '2001:0DB8:0bad:0:0::1',
      '[2001:db8:bad::1]:443',
    ];
    for (const spelling of spellings) {
      const { status } = await fetch(`${app.url}/health/live`, { headers: from(spelling) });
      expect(status, spelling).toBe(403);
    }
  });

  test.each([
    ['what it claims to be before the proxy has its say', `198.51.100.1, ${ip}`, 403],
    ['a proxy that it claims to be', `127.0.0.1, ${ip}`, 403],
    ['garbage before it', `<>, ,, ${ip}`, 403],
    ['a thousand entries before it', `${'1.2.3.4,'.repeat(1_000)}${ip}`, 403],
    ['a blocked address that another one claims', `${ip}, 198.51.100.2`, 200],
  ])('cannot hide, or be blamed, behind %s', async (_what, forwarded, status) => {
    expect((await fetch(`${app.url}/health/live`, { headers: from(forwarded) })).status).toBe(status);
  });

  test('cannot hide behind a header line of its own', async () => {
    const lines = `x-forwarded-for: 198.51.100.1\r\nx-forwarded-for: ${ip}\r\n`;
    const answer = await exchange(connect(), `GET /health/live HTTP/1.1\r\nhost: x\r\n${lines}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });
});

test('without TRUST_PROXY nobody is blocked, or let in, by a header', async () => {
  const direct = await startApp();
  onTestFinished(() => direct.stop());
  const input = { cidr: '203.0.113.0/24', reason: 'a test' };
  await direct.succeed(operation('BlockIp'), { input }, { bearer: direct.admin.accessToken });
  expect((await fetch(`${direct.url}/health/live`, { headers: from('203.0.113.9') })).status).toBe(200);
});

test('loopback is let in even where the database says that it is blocked', async () => {
  const own = await startApp();
  onTestFinished(() => own.stop());
  await own.sql`
    insert into ip_blocks (id, cidr, reason, automatic, expires_at)
    values ('block_x', '127.0.0.0/8', 'by hand', false, now() + interval '1 hour')`;
  const another = await own.startAnother();
  onTestFinished(() => another.stop());
  expect((await fetch(`${another.url}/health/live`)).status).toBe(200);
});
