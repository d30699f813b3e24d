import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Demand, Limit, Reservation } from '../../src/limits/counters.ts';
import { createMemoryCounters } from '../../src/limits/memoryCounters.ts';
import { createRedisCounters, type RedisCounters } from '../../src/limits/redisCounters.ts';
import { freshRedisUrl } from '../support/databases.ts';
import { type RedisCluster, startRedisCluster } from '../support/startServices.ts';
import { connectTo, type Engine, memoryEngine, redisEngine } from './engines.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const start = 1_763_000_000_123;

let redisUrl: string;
let cluster: RedisCluster;

beforeAll(async () => {
  [redisUrl, cluster] = await Promise.all([freshRedisUrl(), startRedisCluster()]);
});
afterAll(() => cluster.stop());

let keys = 0;
function freshLimit(max: number, windowMs: number = minute): Limit {
  keys += 1;
  return { subject: `subject ${keys}`, key: 'key', max, windowMs };
}

const engines: [name: string, create: () => Engine][] = [
  ['memory', memoryEngine],
  ['Redis', () => redisEngine(redisUrl)],
  ['a cluster', () => redisEngine(cluster.url)],
];

describe.each(engines)('counters in %s, on a virtual clock', (_name, create) => {
  let engine: Engine;
  let now: number;

  function passTo(time: number): void {
    now = time;
    engine.setTime(time);
  }

  function begin(): void {
    engine = create();
    passTo(start);
  }

  afterEach(() => engine.close());

  const reserve = (...demands: Demand[]): Promise<Reservation> => engine.counters.reserve(demands);

  async function use(...demands: Demand[]): Promise<Reservation> {
    const reservation = await reserve(...demands);
    if (reservation.allowed) await settle(reservation, ...demands.map(() => 0));
    return reservation;
  }

  async function settle(reservation: Reservation, ...unused: number[]): Promise<void> {
    reservation.settle(unused);
    await engine.flush();
  }

  async function remaining(limit: Limit): Promise<number | undefined> {
    return (await reserve({ limit, units: 0 })).states[0]?.remaining;
  }

  const atOnce = async (limit: Limit, calls: number): Promise<number> =>
    (await Promise.all(Array.from({ length: calls }, () => reserve({ limit, units: 1 })))).filter(
      ({ allowed }) => allowed,
    ).length;

  test('1,000 calls at once against a maximum of 20: exactly 20 are allowed', async () => {
    begin();
    expect(await atOnce(freshLimit(20), 1_000)).toBe(20);
  });

  test('of several limits all are counted or none', async () => {
    begin();
    const [one, other] = [freshLimit(5), freshLimit(2)];
    await use({ limit: one, units: 2 }, { limit: other, units: 2 });
    const refused = await reserve({ limit: one, units: 1 }, { limit: other, units: 1 });
    expect(refused).toMatchObject({ allowed: false, exceeded: [1], states: [{ remaining: 3 }, { remaining: 0 }] });
    expect(refused.retryAfterMs).toBe(refused.states[1]?.resetMs);
    await engine.flush();
    expect(await remaining(one)).toBe(3);
  });

  test('a shadow demand counts and tells, and refuses nobody', async () => {
    begin();
    const [shadow, real] = [freshLimit(1), freshLimit(1)];
    const demands = [
      { limit: shadow, units: 1, isShadow: true },
      { limit: real, units: 1 },
    ];
    expect(await use(...demands)).toMatchObject({ allowed: true, exceeded: [] });
    expect(await use({ limit: shadow, units: 1, isShadow: true })).toMatchObject({ allowed: true, exceeded: [0] });
    const refused = await reserve(...demands);
    expect(refused).toMatchObject({ allowed: false, exceeded: [0, 1], states: [{ remaining: 0 }, { remaining: 0 }] });
    await engine.flush();
    passTo(now + 40 * second);
    expect(await remaining({ ...shadow, max: 4 }), 'three, those of the refused call too').toBe(1);
  });

  test('two demands of one bucket both count', async () => {
    begin();
    const limit = freshLimit(3);
    const twice = [
      { limit, units: 1 },
      { limit, units: 1 },
    ];
    expect(await use(...twice)).toMatchObject({ allowed: true, states: [{ remaining: 1 }, { remaining: 1 }] });
    expect(await use(...twice)).toMatchObject({
      allowed: false,
      exceeded: [1],
      states: [{ remaining: 1 }, { remaining: 1 }],
    });
  });

  test('unused units are given back, and used ones are not', async () => {
    begin();
    const limit = freshLimit(10);
    await settle(await reserve({ limit, units: 8 }), 5);
    expect(await remaining(limit)).toBe(7);
    passTo(now + 40 * second);
    expect(await remaining(limit)).toBe(7);
  });

  test.each([0, 9_876])('what nobody settles is back after 20 to 30 s (from %i ms)', async (into) => {
    begin();
    passTo(Math.ceil(start / 10_000) * 10_000 + into);
    const limit = freshLimit(10);
    await reserve({ limit, units: 8 });
    passTo(now + 20 * second);
    expect(await remaining(limit)).toBe(2);
    passTo(now + 10 * second);
    expect(await remaining(limit)).toBe(10);
  });

  test('whoever settles later than that has used what was used, and nothing more comes back', async () => {
    begin();
    const limit = freshLimit(10);
    const late = await reserve({ limit, units: 8 });
    passTo(now + 35 * second);
    await use({ limit, units: 9 });
    await settle(late, 5);
    expect(await remaining({ ...limit, max: 20 })).toBe(20 - 9 - 3);
    expect(await remaining(limit)).toBe(0);
  });

  test.each([second, 1_001, 1_019, 1_020, minute, hour, 24 * hour])(
    'with a window of %i ms a retry after retryAfterMs is allowed, and a millisecond earlier is refused',
    async (windowMs) => {
      begin();
      const limit = freshLimit(1, windowMs);
      await use({ limit, units: 1 });
      const { retryAfterMs } = await use({ limit, units: 1 });
      expect(retryAfterMs).toBeGreaterThanOrEqual(windowMs);
      expect(retryAfterMs).toBeLessThanOrEqual(windowMs + 2 * Math.ceil(windowMs / 60));
      passTo(start + retryAfterMs - 1);
      expect(await use({ limit, units: 1 })).toMatchObject({ allowed: false, retryAfterMs: 1 });
      passTo(start + retryAfterMs);
      expect(await use({ limit, units: 1 })).toMatchObject({ allowed: true });
    },
  );

  test('more units than the maximum never pass and are told to wait one window', async () => {
    begin();
    const limit = freshLimit(10);
    expect(await reserve({ limit, units: 11 })).toMatchObject({ allowed: false, retryAfterMs: minute });
    expect(await reserve({ limit: { ...limit, max: 0 }, units: 1 })).toMatchObject({ allowed: false });
    expect(await reserve({ limit, units: 10 })).toMatchObject({ allowed: true });
  });

  test('0 units only ask: they pass where nothing remains too', async () => {
    begin();
    const limit = freshLimit(2);
    await use({ limit, units: 2 });
    expect(await reserve({ limit: { ...limit, max: 1 }, units: 0 })).toMatchObject({
      allowed: true,
      states: [{ remaining: 0 }],
    });
  });

  test('subjects, keys and windows do not share, whatever characters they are made of', async () => {
    begin();
    const names = [
      ['a', 'b:c'],
      ['a:b', 'c'],
      ['a}', 'b'],
      ['a', '}b'],
      ['', 'a'],
      ['}', '{a}'],
      ['{', '}{a}'],
    ];
    for (const [subject = '', key = ''] of names)
      for (const windowMs of [minute, hour])
        expect(await use({ limit: { subject, key, max: 1, windowMs }, units: 1 })).toMatchObject({ allowed: true });
  });

  test('the largest numbers are counted to the unit', async () => {
    begin();
    const limit = freshLimit(Number.MAX_SAFE_INTEGER, 24 * hour);
    const reservation = await reserve({ limit, units: Number.MAX_SAFE_INTEGER - 1 });
    expect(reservation.states).toEqual([{ remaining: 1, resetMs: expect.any(Number) }]);
    await settle(reservation, 3);
    expect(await remaining(limit)).toBe(4);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5])('a limit made of %d is an error', async (broken) => {
    begin();
    const limit = freshLimit(3);
    await expect(reserve({ limit: { ...limit, max: broken }, units: 1 })).rejects.toThrow(RangeError);
    await expect(reserve({ limit: { ...limit, windowMs: broken }, units: 1 })).rejects.toThrow(RangeError);
    await expect(reserve({ limit: { ...limit, windowMs: 0 }, units: 1 })).rejects.toThrow(RangeError);
    await expect(reserve({ limit, units: broken })).rejects.toThrow(RangeError);
    const reservation = await reserve({ limit, units: 2 });
    for (const unused of [[broken], [3], [], [0, 0]]) expect(() => reservation.settle(unused)).toThrow(RangeError);
  });
});

describe('counters in memory', () => {
  test('a flood of distinct keys is forgotten when it is over', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const heapUsed = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    let time = 0;
    const counters = createMemoryCounters(() => time);
    const before = heapUsed();
    for (let call = 0; call < 300_000; call++) {
      time = call;
      const limit = { subject: `flood ${call}`, key: '', max: 1, windowMs: 10_000 };
      (await counters.reserve([{ limit, units: 1 }])).settle([0]);
    }
    expect(heapUsed() - before).toBeLessThan(30_000_000);
    await counters.close();
  });
});

describe('counters in Redis, on its own clock', () => {
  const errors: unknown[] = [];
  let redis: ReturnType<typeof connectTo>;
  let counters: RedisCounters;

  beforeAll(() => {
    redis = connectTo(redisUrl);
    counters = createRedisCounters(redis, (error) => errors.push(error));
    return async () => {
      await counters.close();
      redis.disconnect();
      expect(errors).toEqual([]);
    };
  });

  test('two connections share a bucket: 1,000 calls at once against 20 let exactly 20 through', async () => {
    const limit = freshLimit(20);
    const other = connectTo(redisUrl);
    const both = [counters, createRedisCounters(other, (error) => errors.push(error))];
    const calls = both.flatMap((one) => Array.from({ length: 500 }, () => one.reserve([{ limit, units: 1 }])));
    expect((await Promise.all(calls)).filter(({ allowed }) => allowed)).toHaveLength(20);
    other.disconnect();
  });

  test('a bucket is one key, which ends with its window, and is none where nothing is counted', async () => {
    const limit = freshLimit(5);
    const reservation = await counters.reserve([{ limit, units: 5 }]);
    const [key = '', ...more] = await redis.keys(`nexus:limit:*${limit.subject}}*`);
    expect(more).toEqual([]);
    expect(await redis.pttl(key)).toBeGreaterThan(minute - 5 * second);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(minute + second);
    reservation.settle([5]);
    await counters.flush();
    await counters.reserve([{ limit, units: 0 }]);
    await counters.reserve([{ limit, units: 6 }]);
    expect(await redis.exists(key)).toBe(0);
  });

  test('what was settled in ten milliseconds is one step, and is settled without a further call', async () => {
    const limits = Array.from({ length: 100 }, () => freshLimit(5));
    const demands = (limit: Limit) => [{ limit, units: 5 }];
    const reservations = await Promise.all(limits.map((limit) => counters.reserve(demands(limit))));
    const sent = vi.spyOn(redis, 'sendCommand');
    for (const reservation of reservations) reservation.settle([5]);
    await expect.poll(() => redis.keys(`nexus:limit:*${limits[99]?.subject}}*`)).toEqual([]);
    expect(sent.mock.calls.filter(([{ name }]) => name === 'evalsha')).toHaveLength(1);
    sent.mockRestore();
  });

  test('a bucket whose calls are settled stays small, however long it is used', async () => {
    const engine = redisEngine(redisUrl);
    const limit = freshLimit(10_000);
    for (let call = 0; call < 200; call++) {
      engine.setTime(start + call * second);
      (await engine.counters.reserve([{ limit, units: 1 }])).settle([call % 2]);
      await engine.flush();
    }
    await engine.close();
    const [key = ''] = await redis.keys(`nexus:limit:*${limit.subject}}*`);
    expect(await redis.hlen(key)).toBeLessThanOrEqual(62);
    expect(await redis.object('ENCODING', key)).toBe('listpack');
  });

  test('a Redis that has lost its scripts is given them again', async () => {
    const limit = freshLimit(5);
    await counters.reserve([{ limit, units: 1 }]);
    await redis.script('FLUSH');
    expect(await counters.reserve([{ limit, units: 1 }])).toMatchObject({ allowed: true, states: [{ remaining: 3 }] });
  });

  test('a settlement that fails is reported, and thrown at nobody', async () => {
    const failures: unknown[] = [];
    const own = connectTo(redisUrl);
    const failing = createRedisCounters(own, (error) => failures.push(error));
    const reservation = await failing.reserve([{ limit: freshLimit(5), units: 1 }]);
    own.disconnect();
    reservation.settle([1]);
    await failing.close();
    expect(failures).toHaveLength(1);
  });
});
