import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { RequestEvent } from '../../src/log.ts';
import { raw, startServer } from '../http/harness.ts';
import { send, startApp, type TestApp } from '../support/app.ts';
import { freshRedisUrl } from '../support/databases.ts';
import { codesOf, operation } from '../support/operations.ts';
import { startStallingProxy } from '../support/stallingProxy.ts';

const defaultRedisPort = 6379;
const most = 3;
const env = {
  TRUST_PROXY: '127.0.0.1/32,10.0.0.0/8',
  AUTO_BLOCK_FAILED_AUTHENTICATIONS: String(most),
  AUTO_BLOCK_RATE_LIMIT_REFUSALS: String(most),
  AUTO_BLOCK_MALFORMED_REQUESTS: String(most),
  AUTO_BLOCK_WINDOW_SECONDS: '120',
  AUTO_BLOCK_MAX_SECONDS: '3000',
};

let app: TestApp;
let other: Awaited<ReturnType<TestApp['startAnother']>>;
beforeAll(async () => {
  app = await startApp({ env });
  other = await app.startAnother();
});
afterAll(async () => {
  await other?.stop();
  await app?.stop();
});

const login = `mutation($email: EmailAddress!, $password: String!) {
  login(email: $email, password: $password) { accessToken }
}`;
const from = (ip: string) => ({ 'x-forwarded-for': ip });
const json = { 'content-type': 'application/json' };

let strangers = 0;
const stranger = () => {
  strangers += 1;
  return { email: `nobody${strangers}@example.com`, password: 'not the password' };
};
const logInWrongly = (ip: string, url = app.url) => send(url, login, stranger(), null, from(ip));
const sendBadKey = (ip: string) => app.request('{ me { kind } }', {}, { bearer: 'nxk_test_x' }, from(ip));
const sendBody = (ip: string, body: string, url = app.url) =>
  fetch(`${url}/graphql`, { method: 'POST', headers: { ...json, ...from(ip) }, body });
const sendNoJson = (ip: string) => sendBody(ip, 'no JSON');

const isBlocked = async (ip: string, url = app.url) =>
  (await fetch(`${url}/health/live`, { headers: from(ip) })).status === 403;
const untilBlocked = (ip: string, url = app.url) =>
  vi.waitUntil(() => isBlocked(ip, url), { timeout: 5_000, interval: 10 });
const repeat = async (times: number, work: () => Promise<unknown>) => {
  for (let turn = 0; turn < times; turn += 1) await work();
};
/** After that, what was counted before has been counted: strikes of one process are counted in their order. */
async function untilCounted(): Promise<void> {
  strangers += 1;
  const ip = `198.19.0.${strangers}`;
  await repeat(most, () => sendNoJson(ip));
  await untilBlocked(ip);
}
const blocksOf = (cidr: string, sql = app.sql) => sql`
  select id, reason, automatic, created_by, round(extract(epoch from expires_at - created_at))::int as seconds
  from ip_blocks where cidr = ${cidr} order by created_at`;

test.each([
  ['wrong passwords', '203.0.113.1', logInWrongly, 'failed authentications'],
  ['bad keys', '203.0.113.2', sendBadKey, 'failed authentications'],
  ['bodies that are no JSON', '203.0.113.3', sendNoJson, 'malformed requests'],
  [
    'documents that cannot be parsed',
    '203.0.113.4',
    (ip: string) => sendBody(ip, '{"query":"{"}'),
    'malformed requests',
  ],
  [
    'bodies of no type',
    '203.0.113.5',
    (ip: string) => fetch(`${app.url}/graphql`, { method: 'POST', headers: from(ip) }),
    'malformed requests',
  ],
])('%s block their address, at the last of them and not before', async (_what, ip, strike, reason) => {
  await repeat(most - 1, () => strike(ip));
  await untilCounted();
  expect(await isBlocked(ip)).toBe(false);
  await strike(ip);
  await untilBlocked(ip);
  expect(await blocksOf(`${ip}/32`)).toEqual([
    {
      id: expect.stringMatching(/^block_/),
      reason: `${most} ${reason} in 2 minutes`,
      automatic: true,
      created_by: null,
      seconds: 900,
    },
  ]);
  await vi.waitUntil(() => isBlocked(ip, other.url), { timeout: 1_000 });
});

test('an automatic block is in the audit log as an act of Nexus itself', async () => {
  const ip = '203.0.113.10';
  await repeat(most, () => sendNoJson(ip));
  await untilBlocked(ip);
  const [block] = await blocksOf(ip);
  const rows = await app.sql`
    select action, outcome, severity, actor_kind, actor_id, ip, detail->>'cidr' as cidr, detail->>'reason' as reason
    from audit_events where targets = ${app.sql.json([{ type: 'ipBlock', id: block?.id }])}`;
  expect(rows).toEqual([
    {
      ...{ action: 'ipBlock.create', outcome: 'SUCCEEDED', severity: 'WARNING', actor_kind: 'SYSTEM', actor_id: null },
      ...{ ip, cidr: `${ip}/32`, reason: '3 malformed requests in 2 minutes' },
    },
  ]);
});

test('refusals of a limit block their address; kinds that are switched off do not', async () => {
  const own = await startApp({ env: { ...env, AUTO_BLOCK_FAILED_AUTHENTICATIONS: '0' } });
  onTestFinished(() => own.stop());
  const ip = '203.0.113.20';
  const victim = stranger();
  const codes: unknown[] = [];
  for (let turn = 0; turn < 5 + most; turn += 1)
    codes.push(...codesOf(await own.request(login, victim, null, from(ip))));
  expect(codes).toEqual([...Array(5).fill('UNAUTHENTICATED'), ...Array(most).fill('RATE_LIMITED')]);
  await untilBlocked(ip, own.url);
  expect(await blocksOf(ip, own.sql)).toMatchObject([{ reason: '3 rate-limit refusals in 2 minutes' }]);
});

test('wrong current passwords block their address', async () => {
  const ip = '203.0.113.21';
  const { accessToken } = await app.createPerson('VIEWER');
  const change =
    'mutation { changePassword(currentPassword: "wrong", newPassword: "quite another long one 7") { user { id } } }';
  await repeat(most, () => app.request(change, {}, { bearer: accessToken }, from(ip)));
  await untilBlocked(ip);
});

test('each wrong password of a request counts, and a right one does not', async () => {
  const ip = '203.0.113.22';
  const { email, password } = await app.createPerson('VIEWER');
  await repeat(most + 1, () => app.request(login, { email, password }, null, from(ip)));
  await untilCounted();
  expect(await isBlocked(ip)).toBe(false);
  const { accessToken } = await app.createPerson('VIEWER');
  const change = 'changePassword(currentPassword: "wrong", newPassword: "quite another long one 7") { user { id } }';
  const fields = Array.from({ length: most }, (_, index) => `a${index}: ${change}`);
  await app.request(`mutation { ${fields.join(' ')} }`, {}, { bearer: accessToken }, from(ip));
  await untilBlocked(ip);
});

test.each([
  ['a missing credential', () => app.request('{ me { kind } }', {}, null, from('203.0.113.30'))],
  ['a field that is not there', () => app.request('{ nothing }', {}, null, from('203.0.113.30'))],
  ['variables of the wrong type', () => app.request(login, { email: 1 }, null, from('203.0.113.30'))],
  ['a page that is not there', () => fetch(`${app.url}/nothing`, { headers: from('203.0.113.30') })],
  ['a method that is not served', () => fetch(`${app.url}/graphql`, { headers: from('203.0.113.30') })],
])('%s is no strike', async (_what, mistake) => {
  await repeat(most + 1, mistake);
  await untilCounted();
  expect(await isBlocked('203.0.113.30')).toBe(false);
});

test.each([
  ['loopback', {}],
  ['a proxy', from('10.1.2.3')],
])('%s is never blocked', async (_what, headers) => {
  const ended = Array.from({ length: 3 * most }, () =>
    fetch(`${app.url}/graphql`, { method: 'POST', headers: { ...json, ...headers }, body: 'no JSON' }),
  );
  expect((await Promise.all(ended)).map(({ status }) => status)).toEqual(ended.map(() => 400));
  await untilCounted();
  expect((await fetch(`${app.url}/health/live`, { headers })).status).toBe(200);
});

test('of IPv6 the /64 is counted and blocked', async () => {
  for (const host of ['1', '2:3', 'a:b:c:d']) await sendNoJson(`2001:db8:1:2${host === 'a:b:c:d' ? ':' : '::'}${host}`);
  await untilBlocked('2001:db8:1:2:ffff::9');
  expect(await isBlocked('2001:db8:1:3::1')).toBe(false);
  expect(await blocksOf('2001:db8:1:2::/64')).toHaveLength(1);
});

test('strikes at two processes are counted together', async () => {
  const ip = '203.0.113.40';
  await repeat(most - 1, () => sendNoJson(ip));
  await sendBody(ip, 'no JSON', other.url);
  await untilBlocked(ip);
  await untilBlocked(ip, other.url);
});

test('many strikes at once, at both processes, make one block and one audit row', async () => {
  const ip = '203.0.113.41';
  const storm = Array.from({ length: 300 }, (_, index) => sendBody(ip, 'no JSON', index % 2 ? app.url : other.url));
  await Promise.all(storm);
  await untilBlocked(ip);
  await untilCounted();
  const blocks = await blocksOf(ip);
  expect(blocks).toHaveLength(1);
  const targets = app.sql.json([{ id: blocks[0]?.id }]);
  expect(await app.sql`select 1 from audit_events where targets @> ${targets}`).toHaveLength(1);
});

test('each further block of an address is twice as long, up to the most', async () => {
  const ip = '203.0.113.50';
  const seconds: unknown[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await repeat(most, () => sendNoJson(ip));
    await untilBlocked(ip);
    seconds.push((await blocksOf(ip)).at(-1)?.seconds);
    await app.sql`
      update ip_blocks set expires_at = now(), version = version + 1, changed_by = pg_current_xact_id()
      where cidr = ${ip} and expires_at > now()`;
    await vi.waitUntil(async () => !(await isBlocked(ip)), { timeout: 3_000 });
  }
  expect(seconds).toEqual([900, 1800, 3000]);
});

test('an address whose block was lifted is left alone for a while, and lifted blocks make no later one longer', async () => {
  const ip = '203.0.113.51';
  await repeat(most, () => sendNoJson(ip));
  await untilBlocked(ip);
  const [block] = await blocksOf(ip);
  await app.succeed(operation('UnblockIp'), { id: block?.id }, { bearer: app.admin.accessToken });
  await repeat(most, () => sendNoJson(ip));
  await untilCounted();
  expect(await isBlocked(ip)).toBe(false);
  await app.sql`update ip_blocks set lifted_at = now() - interval '121 seconds' where id = ${block?.id ?? ''}`;
  await sendNoJson(ip);
  await untilBlocked(ip);
  expect((await blocksOf(ip)).at(-1)?.seconds).toBe(900);
});

test('strikes that cannot be counted, or blocks that cannot be written, harm no request', async () => {
  const redis = await startStallingProxy(await freshRedisUrl(), defaultRedisPort);
  const own = await startApp({ env: { ...env, REDIS_URL: redis.url } });
  onTestFinished(async () => {
    await own.stop();
    await redis.close();
  });
  const ip = '203.0.113.60';
  await own.sql`alter table ip_blocks rename to hidden`;
  await repeat(most + 1, async () => expect((await sendBody(ip, 'no JSON', own.url)).status).toBe(400));
  redis.hangUp();
  await repeat(most + 1, async () => expect((await sendBody(ip, 'no JSON', own.url)).status).toBe(400));
  redis.resume();
  await own.sql`alter table hidden rename to ip_blocks`;
  await vi.waitUntil(
    async () => {
      await sendBody(ip, 'no JSON', own.url);
      return isBlocked(ip, own.url);
    },
    { timeout: 10_000 },
  );
});

test('what the parser of HTTP refuses counts as well', async () => {
  const ended: Partial<RequestEvent>[] = [];
  const server = await startServer({}, { onRequestEnd: (event) => ended.push(event) });
  await raw(server.port, ['no HTTP\r\n\r\n']);
  await raw(server.port, ['CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n']);
  await server.stop();
  expect(ended).toMatchObject([
    { status: 400, codes: ['BAD_REQUEST'], operationType: null, ip: '127.0.0.1' },
    { status: 405, codes: ['BAD_REQUEST'], operationType: null },
  ]);
});

test('a page of another site cannot have the network of its readers blocked', async () => {
  const ip = '203.0.113.77';
  const headers = { ...from(ip), 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  await repeat(most * 2, () => fetch(`${app.url}/graphql`, { method: 'POST', headers, body: 'x' }));
  await repeat(most * 2, () => fetch(`${app.url}/%zz`, { headers }));
  await untilCounted();
  expect(await isBlocked(ip)).toBe(false);
});
