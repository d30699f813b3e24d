import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Demand, Reservation } from '../../src/limits/counters.ts';
import { freshRedisUrl } from '../support/databases.ts';
import { type RedisCluster, startRedisCluster } from '../support/startServices.ts';
import { type Engine, memoryEngine, redisEngine } from './engines.ts';
import { createReferenceModel, type Used } from './referenceModel.ts';

const start = 1_763_000_000_123;
const windows = [10, 59, 61, 1_000, 1_001, 59_999, 60_000, 100_003, 3_600_000];
const schedulesInMemory = 10_000;
const redisMs = 15_000;
const clusterMs = 5_000;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

const pause = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('none', 'a millisecond', 'a cell', 'to the next reset', 'just before it') },
  { weight: 2, arbitrary: fc.constantFrom('a window', '10 s', '20 s', '30 s') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
);

const demand = fc.record({
  limit: fc.nat({ max: 3 }),
  units: fc.oneof(fc.constant(1), fc.nat({ max: 9 })),
  isShadow: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      pause,
      demands: fc.array(demand, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ pause, settles: fc.nat(), unused: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ setBackMs: fc.integer({ min: 1, max: 100_000 }) }) },
);

const limit = fc.record({ max: fc.integer({ min: 0, max: 20 }), windowMs: fc.constantFrom(...windows) });

const scheduleOf = () =>
  fc.record({
    one: limit,
    other: limit,
    lower: fc.nat({ max: 20 }),
    steps: fc.array(step, { maxLength: 40 }),
  });

type Schedule = ReturnType<typeof scheduleOf> extends fc.Arbitrary<infer Value> ? Value : never;

let subjects = 0;

/** Plays a schedule on an engine and on the model, which must agree in all they say. */
async function play(engine: Engine, { one, other, lower, steps }: Schedule): Promise<void> {
  subjects += 1;
  const subject = `subject}{${subjects}`;
  const limits = [
    { subject, key: 'one', ...one },
    { subject, key: 'other', ...other },
    { subject, key: 'one', ...one, max: Math.min(lower, one.max) },
    { subject, key: '}one', ...one },
  ] as const;
  const all = limits.map((limit) => ({ limit, units: 0 }));
  const model = createReferenceModel();
  const underWay: { demands: Demand[]; reservation: Reservation; at: number }[] = [];
  const used: Used[] = [];
  let now = start;
  let resetMs = 0;
  let wasSetBack = false;
  let wasLate = false;

  const msOf = (length: string | number): number => {
    if (typeof length === 'number') return length;
    const lengths: Record<string, number> = {
      none: 0,
      'a millisecond': 1,
      'a cell': Math.ceil(one.windowMs / 60),
      'to the next reset': resetMs,
      'just before it': Math.max(0, resetMs - 1),
      'a window': one.windowMs,
      '10 s': 10_000,
      '20 s': 20_000,
      '30 s': 30_000,
    };
    return lengths[length] ?? 0;
  };

  async function reserve(demands: Demand[]): Promise<void> {
    const reservation = await engine.counters.reserve(demands);
    const { allowed, states, exceeded, retryAfterMs } = reservation;
    expect({ allowed, states, exceeded, retryAfterMs }).toStrictEqual(model.reserve(demands, now));
    resetMs = allowed ? Math.min(...states.map((state) => state.resetMs)) : retryAfterMs;
    if (allowed) underWay.push({ demands, reservation, at: now });
  }

  async function settle(place: number, parts: readonly number[]): Promise<void> {
    const [settled] = underWay.splice(place % Math.max(1, underWay.length), 1);
    if (!settled) return;
    const { demands, reservation, at } = settled;
    const unused = demands.map(({ units }, index) => (parts[index] ?? 0) % (units + 1));
    // Given up for dead, and somebody else has its units: what was used is counted nevertheless.
    wasLate ||= Math.floor(now / 10_000) - Math.floor(at / 10_000) >= 3;
    reservation.settle(unused);
    await engine.flush();
    for (const [index, wasInTime] of model.settle(demands, unused, at, now).entries()) {
      const { limit, units = 0, isShadow } = demands[index] ?? {};
      if (limit && wasInTime && !isShadow) used.push({ bucket: limit.key, at, units: units - (unused[index] ?? 0) });
    }
  }

  for (const action of steps) {
    if ('setBackMs' in action) {
      await reserve(all); // A bucket that nobody looks at may be forgotten, or not, once it is empty.
      now -= action.setBackMs;
      wasSetBack = true;
    } else now += msOf(action.pause);
    engine.setTime(now);
    if ('demands' in action)
      await reserve(action.demands.map((asked) => ({ ...asked, limit: limits[asked.limit as 0 | 1 | 2 | 3] })));
    if ('settles' in action) await settle(action.settles, action.unused);
  }
  await reserve(all);
  if (wasSetBack || wasLate) return;
  for (const { key, max, windowMs } of [limits[0], limits[1], limits[3]])
    for (const { at: end } of used) {
      const within = used.filter(({ bucket, at }) => bucket === key && at > end - windowMs && at <= end);
      expect(
        within.reduce((sum, { units }) => sum + units, 0),
        'units in one window',
      ).toBeLessThanOrEqual(max);
    }
}

async function check(engine: Engine, parameters: fc.Parameters<[Schedule]>): Promise<void> {
  let played = 0;
  const property = fc.asyncProperty(scheduleOf(), async (schedule) => {
    played += 1;
    await play(engine, schedule);
  });
  try {
    await fc.assert(property, parameters);
  } finally {
    await engine.close();
  }
  expect(played).toBeGreaterThan(100);
}

test(`memory decides as the model does in ${schedulesInMemory} schedules, and never lets more than the maximum into a window`, () =>
  check(memoryEngine(), { numRuns: schedulesInMemory }));

test('Redis decides as the model does', async () =>
  check(redisEngine(await freshRedisUrl()), {
    numRuns: schedulesInMemory,
    interruptAfterTimeLimit: redisMs,
  }));

test('a cluster decides as the model does for one subject', async () =>
  check(redisEngine(cluster.url), {
    numRuns: schedulesInMemory,
    interruptAfterTimeLimit: clusterMs,
  }));
