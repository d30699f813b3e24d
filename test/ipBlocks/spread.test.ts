import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { freshRedisUrl } from '../support/databases.ts';
import { operation } from '../support/operations.ts';
import { type StallingProxy, startStallingProxy } from '../support/stallingProxy.ts';

const defaultRedisPort = 6379;
const from = '203.0.113.9';

let redis: StallingProxy;
let app: TestApp;
let other: Awaited<ReturnType<TestApp['startAnother']>>;
beforeEach(async () => {
  redis = await startStallingProxy(await freshRedisUrl(), defaultRedisPort);
  app = await startApp({ env: { TRUST_PROXY: '127.0.0.1/32', REDIS_URL: redis.url } });
  other = await app.startAnother();
});
afterEach(async () => {
  await other?.stop();
  await app?.stop();
  await redis?.close();
});

const statusAt = async (url: string) =>
  (await fetch(`${url}/health/live`, { headers: { 'x-forwarded-for': from } })).status;
const change = async (name: string, variables: object) =>
  (await app.succeed(operation(name), variables, { bearer: app.admin.accessToken }))[
    name === 'BlockIp' ? 'blockIp' : 'unblockIp'
  ].ipBlock;

/** Blocks and unblocks at one process; answers how long the other one took to know either, in milliseconds. */
async function measureSpread(): Promise<number[]> {
  const delays: number[] = [];
  const until = async (status: number) => {
    const begunAt = performance.now();
    await vi.waitUntil(async () => (await statusAt(other.url)) === status, { timeout: 10_000, interval: 5 });
    delays.push(performance.now() - begunAt);
  };
  const { id } = await change('BlockIp', { input: { cidr: from, reason: 'a test' } });
  expect(await statusAt(app.url)).toBe(403);
  await until(403);
  await change('UnblockIp', { id });
  expect(await statusAt(app.url)).toBe(200);
  await until(200);
  return delays;
}

test('the other process knows a change by way of Redis, sooner than by its poll', async () => {
  const delays = [...(await measureSpread()), ...(await measureSpread())];
  expect(Math.max(...delays)).toBeLessThan(1_000);
  expect(Math.min(...delays)).toBeLessThan(200);
});

test('the other process knows a change within two seconds with Redis dead', async () => {
  redis.hangUp();
  for (const delay of await measureSpread()) expect(delay).toBeLessThan(2_000);
});

test('a change that is committed long after later ones is not missed', async () => {
  redis.hangUp();
  const insert = (sql: TestApp['sql'], id: string, cidr: string) => sql`
    insert into ip_blocks (id, cidr, reason, automatic, expires_at)
    values (${id}, ${cidr}, 'late', false, now() + interval '1 hour')`;
  await app.sql.begin(async (tx) => {
    await insert(tx as unknown as TestApp['sql'], 'block_late', from);
    await insert(app.sql, 'block_early', '203.0.113.10');
    const seesEarly = async () =>
      (await fetch(`${other.url}/health/live`, { headers: { 'x-forwarded-for': '203.0.113.10' } })).status === 403;
    await vi.waitUntil(seesEarly, { timeout: 5_000 });
    expect(await statusAt(other.url)).toBe(200);
  });
  await vi.waitUntil(async () => (await statusAt(other.url)) === 403, { timeout: 2_000 });
});

test('while Postgres does not answer, known blocks stay', async () => {
  await change('BlockIp', { input: { cidr: from, reason: 'a test' } });
  await vi.waitUntil(async () => (await statusAt(other.url)) === 403, { timeout: 2_000 });
  await app.sql`alter table ip_blocks rename to hidden`;
  try {
    const begunAt = performance.now();
    while (performance.now() - begunAt < 2_500) expect(await statusAt(other.url)).toBe(403);
  } finally {
    await app.sql`alter table hidden rename to ip_blocks`;
  }
});
