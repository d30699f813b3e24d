import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Limit, Reservation } from '../../src/limits/counters.ts';
import { createFallbackCounters, type FallbackCounters } from '../../src/limits/fallbackCounters.ts';
import { createMemoryCounters } from '../../src/limits/memoryCounters.ts';
import { createProcessCensus, type ProcessCensus } from '../../src/limits/processCensus.ts';
import { createRedisCounters } from '../../src/limits/redisCounters.ts';
import { openRedis, type RedisConnection } from '../../src/storage/redis.ts';
import { type PrivateRedis, type RedisCluster, startRedis, startRedisCluster } from '../support/startServices.ts';

const decisionMs = 250;
/** For a machine that is busy with other tests. */
const generousMs = 2 * decisionMs;

type Process = { counters: FallbackCounters; census: ProcessCensus; redis: RedisConnection; errors: unknown[] };

async function startProcess(url: string, id: string): Promise<Process> {
  const redis = await openRedis(url, () => undefined);
  const errors: unknown[] = [];
  const census = createProcessCensus(redis, id, () => undefined);
  await census.announce();
  const counters = createFallbackCounters({
    shared: createRedisCounters(redis, () => undefined),
    local: createMemoryCounters(),
    countProcesses: census.seen,
    onError: (error) => errors.push(error),
  });
  return { counters, census, redis, errors };
}

async function stopProcess({ counters, census, redis }: Process): Promise<void> {
  await counters.close();
  await census.close();
  redis.disconnect();
}

let keys = 0;
function freshLimit(max: number): Limit {
  keys += 1;
  return { subject: `fallback ${keys}`, key: '', max, windowMs: 60_000 };
}

async function timed({ counters }: Process, limit: Limit): Promise<Reservation & { ms: number }> {
  const begin = performance.now();
  const reservation = await counters.reserve([{ limit, units: 1 }]);
  return { ...reservation, ms: performance.now() - begin };
}

const comesBack = (one: Process, ms: number) =>
  vi.waitFor(() => expect(one.counters.isDegraded()).toBe(false), { timeout: ms, interval: 20 });

describe('counters whose Redis goes away', () => {
  let server: PrivateRedis;
  let both: [Process, Process];
  let isKilled: boolean;

  beforeEach(async () => {
    server = await startRedis();
    const first = await startProcess(server.url, 'first');
    both = [first, await startProcess(server.url, 'second')];
    await first.census.announce();
    isKilled = false;
  });

  afterEach(async () => {
    if (!isKilled) server.signal('SIGCONT');
    await Promise.all(both.map(stopProcess));
    await server.stop();
  });

  test('frozen: each process decides in time, with its half, at once after the first time, and goes back by itself', async () => {
    const [one, other] = both;
    const limit = freshLimit(10);
    expect(await timed(one, limit)).toMatchObject({ isLocal: false, states: [{ remaining: 9 }] });
    server.signal('SIGSTOP');
    const first = await timed(one, limit);
    expect(first).toMatchObject({ allowed: true, isLocal: true, states: [{ remaining: 4, max: 5 }] });
    expect(first.ms, 'the first decision').toBeLessThan(generousMs);
    const rest = [];
    for (let call = 0; call < 5; call++) rest.push(await timed(one, limit));
    expect(rest.map(({ allowed }) => allowed)).toEqual([true, true, true, true, false]);
    expect(Math.max(...rest.map(({ ms }) => ms)), 'later decisions').toBeLessThan(50);
    expect(one.counters.isDegraded()).toBe(true);
    expect(one.errors).toHaveLength(1);
    expect(other.counters.isDegraded(), 'nobody has asked').toBe(false);
    process.stdout.write(`Frozen: first decision ${first.ms.toFixed(0)} ms.\n`);
    server.signal('SIGCONT');
    await comesBack(one, 5_000);
    expect(await timed(one, limit)).toMatchObject({ allowed: true, isLocal: false });
  });

  test('frozen for long enough to lose the connections: found again without a restart', async () => {
    const [one] = both;
    server.signal('SIGSTOP');
    await timed(one, freshLimit(10));
    await vi.waitFor(() => expect(one.redis.status).not.toBe('ready'), { timeout: 5_000 });
    server.signal('SIGCONT');
    await comesBack(one, 5_000);
  });

  test('killed: decided at once, and a new server in its place is found', async () => {
    const [one, other] = both;
    const limit = freshLimit(3);
    await timed(one, limit);
    server.signal('SIGKILL');
    isKilled = true;
    await vi.waitFor(() => expect(one.redis.status).not.toBe('ready'));
    const first = await timed(one, limit);
    expect(first).toMatchObject({ allowed: true, isLocal: true, states: [{ remaining: 0 }] });
    expect(first.ms).toBeLessThan(generousMs);
    expect(await timed(one, limit)).toMatchObject({ allowed: false, isLocal: true });
    expect(await timed(other, freshLimit(1)), 'at least 1').toMatchObject({ allowed: true, isLocal: true });
    expect(await timed(other, freshLimit(0)), 'and 0 is 0').toMatchObject({ allowed: false, isLocal: true });
    process.stdout.write(`Killed: first decision ${first.ms.toFixed(0)} ms.\n`);
    const { url } = server;
    await server.stop();
    server = await startRedis(url);
    isKilled = false;
    await Promise.all(both.map((each) => comesBack(each, 5_000)));
    expect(await timed(one, limit)).toMatchObject({ allowed: true, isLocal: false });
  });

  test('processes are counted: those that have ended are no more, and after an outage the count is not believed at once', async () => {
    const [one, other] = both;
    expect(one.census.seen()).toBe(2);
    await other.census.close();
    for (const seen of [2, 2, 1]) {
      await one.census.announce();
      expect(one.census.seen()).toBe(seen);
    }
  });

  test('numbers that would switch a limit off are an error of the caller, not of Redis', async () => {
    const [one] = both;
    await expect(timed(one, { ...freshLimit(1), max: Number.NaN })).rejects.toThrow(RangeError);
    expect(one.counters.isDegraded()).toBe(false);
  });
});

describe('counters whose cluster goes away', () => {
  let cluster: RedisCluster;
  let one: Process;

  beforeEach(async () => {
    cluster = await startRedisCluster();
    one = await startProcess(cluster.url, 'one');
  });

  afterEach(async () => {
    for (const node of cluster.nodes) node.signal('SIGCONT');
    await stopProcess(one);
    await cluster.stop();
  });

  test('where a subject refuses, what others counted is given back', async () => {
    const [full, others] = [freshLimit(1), [freshLimit(3), freshLimit(3), freshLimit(3)]];
    await timed(one, full);
    const demands = [...others, full].map((limit) => ({ limit, units: 1 }));
    for (let call = 0; call < 5; call++)
      expect(await one.counters.reserve(demands)).toMatchObject({
        allowed: false,
        exceeded: [3],
        states: [{ remaining: 3 }, { remaining: 3 }, { remaining: 3 }, { remaining: 0 }],
      });
    const allowed = await one.counters.reserve(demands.slice(0, 3));
    expect(allowed).toMatchObject({ allowed: true, states: [{ remaining: 2 }, { remaining: 2 }, { remaining: 2 }] });
  });

  test('frozen: decided in time, and found again by itself', async () => {
    const limit = freshLimit(10);
    expect(await timed(one, limit)).toMatchObject({ isLocal: false });
    for (const node of cluster.nodes) node.signal('SIGSTOP');
    const first = await timed(one, limit);
    expect(first).toMatchObject({ allowed: true, isLocal: true });
    expect(first.ms).toBeLessThan(generousMs);
    expect((await timed(one, limit)).ms).toBeLessThan(50);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (const node of cluster.nodes) node.signal('SIGCONT');
    await comesBack(one, 15_000);
    expect(await timed(one, limit)).toMatchObject({ allowed: true, isLocal: false });
  });
});
