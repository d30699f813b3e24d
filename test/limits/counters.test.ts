import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Counters, Decision, Limit } from '../../src/limits/counters.ts';
import { createMemoryCounters } from '../../src/limits/memoryCounters.ts';
import { createRedisCounters } from '../../src/limits/redisCounters.ts';
import { freshRedisUrl } from '../support/databases.ts';
import { createReferenceModel } from './referenceModel.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const start = 1_763_000_000_123;

let redisUrl: string;
const connections: Redis[] = [];

beforeAll(async () => {
  redisUrl = await freshRedisUrl();
});

afterAll(() => {
  for (const connection of connections) connection.disconnect();
});

function connect(Client: typeof Redis = Redis): Redis {
  const redis = new Client(redisUrl);
  connections.push(redis);
  return redis;
}

/** Redis whose scripts read the time from two keys. Only the clock is fake; all else in the script is what runs. */
class VirtualTimeRedis extends Redis {
  override defineCommand(name: string, { lua, ...options }: { lua: string; numberOfKeys?: number }): void {
    const virtual = lua.replace(`redis.call('TIME')`, `redis.call('MGET', 'test:seconds', 'test:microseconds')`);
    super.defineCommand(name, { ...options, lua: virtual });
  }
}

type Engine = { counters: Counters; setTime(now: number): Promise<void> };

function memoryEngine(): Engine {
  let time = 0;
  return {
    counters: createMemoryCounters(() => time),
    setTime: async (now) => {
      time = now;
    },
  };
}

function redisEngine(): Engine {
  const redis = connect(VirtualTimeRedis);
  return {
    counters: createRedisCounters(redis),
    setTime: async (now) => {
      // Redis gives microseconds: the rest of a millisecond must make no difference.
      await redis.mset('test:seconds', Math.floor(now / 1000), 'test:microseconds', (now % 1000) * 1000 + 999);
    },
  };
}

const engines: [name: string, create: () => Engine][] = [
  ['memory', memoryEngine],
  ['Redis', redisEngine],
];

let keys = 0;
function freshLimit(max: number, windowMs: number): Limit {
  keys += 1;
  return { key: `bucket ${keys}`, max, windowMs };
}

async function consumeAtOnce(counters: Counters, limit: Limit, calls: number): Promise<Decision[]> {
  return Promise.all(Array.from({ length: calls }, () => counters.consume(limit)));
}

function countAllowed(decisions: Decision[]): number {
  return decisions.filter(({ allowed }) => allowed).length;
}

function retryAfter(decision: Decision): number {
  if (decision.allowed) throw new Error('The call was allowed.');
  return decision.retryAfterMs;
}

function cellOf(decision: Decision): number {
  if (!decision.allowed) throw new Error('The call was refused.');
  return decision.cell;
}

describe.each(engines)('counters in %s, on a virtual clock', (_name, create) => {
  async function engineAt(now: number): Promise<Engine> {
    const engine = create();
    await engine.setTime(now);
    return engine;
  }

  test('1,000 calls at once against a maximum of 20: exactly 20 are allowed', async () => {
    const { counters } = await engineAt(start);
    expect(countAllowed(await consumeAtOnce(counters, freshLimit(20, minute), 1_000))).toBe(20);
  });

  test('what remains counts down to 0', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(2, minute);
    const cell = Math.floor(start / second);
    expect(await counters.consume(limit)).toStrictEqual({ allowed: true, remaining: 1, cell });
    expect(await counters.consume(limit)).toStrictEqual({ allowed: true, remaining: 0, cell });
    expect(await counters.consume(limit)).toMatchObject({ allowed: false });
  });

  test('refused calls are not counted', async () => {
    const { counters, setTime } = await engineAt(start);
    const limit = freshLimit(3, minute);
    await consumeAtOnce(counters, limit, 3);
    await setTime(start + 30 * second);
    expect(countAllowed(await consumeAtOnce(counters, limit, 50))).toBe(0);
    await setTime(start + 62 * second);
    expect(countAllowed(await consumeAtOnce(counters, limit, 50))).toBe(3);
  });

  // From a second on, as the SDL has them: keys in Redis end by its own clock, which nobody moves.
  test.each([second, 1_001, 1_019, 1_020, minute, hour, 24 * hour])(
    'with a window of %i ms a retry after retryAfterMs is allowed, and a millisecond earlier is refused',
    async (windowMs) => {
      const { counters, setTime } = await engineAt(start);
      const limit = freshLimit(1, windowMs);
      await counters.consume(limit);
      const wait = retryAfter(await counters.consume(limit));
      expect(wait).toBeGreaterThanOrEqual(windowMs);
      expect(wait).toBeLessThanOrEqual(windowMs + 2 * Math.ceil(windowMs / 60));
      await setTime(start + wait - 1);
      expect(await counters.consume(limit)).toStrictEqual({ allowed: false, retryAfterMs: 1 });
      await setTime(start + wait);
      expect(await counters.consume(limit)).toMatchObject({ allowed: true });
    },
  );

  test('a full maximum just before a boundary of the window leaves nothing just after it', async () => {
    const { counters, setTime } = await engineAt(start);
    const boundary = Math.ceil(start / minute) * minute;
    const limit = freshLimit(5, minute);
    await setTime(boundary - 1);
    expect(countAllowed(await consumeAtOnce(counters, limit, 10))).toBe(5);
    for (const later of [0, 1, second, 30 * second, minute - 2, minute - 1]) {
      await setTime(boundary + later);
      expect(countAllowed(await consumeAtOnce(counters, limit, 10))).toBe(0);
    }
    await setTime(boundary + minute);
    expect(countAllowed(await consumeAtOnce(counters, limit, 10))).toBe(5);
  });

  test('several units are counted all or not at all', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(10, minute);
    expect(await counters.consume(limit, 7)).toMatchObject({ allowed: true, remaining: 3 });
    expect(await counters.consume(limit, 4)).toMatchObject({ allowed: false });
    expect(await counters.consume(limit, 3)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test('more units than the maximum never pass and are told to wait one window', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(10, minute);
    const refusal = { allowed: false, retryAfterMs: minute };
    expect(await counters.consume(limit, 11)).toStrictEqual(refusal);
    expect(await counters.consume({ ...limit, max: 0 })).toStrictEqual(refusal);
    expect(await counters.consume(limit, 10)).toMatchObject({ allowed: true });
  });

  test('0 units count nothing and tell what remains', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(2, minute);
    expect(await counters.consume(limit, 0)).toMatchObject({ allowed: true, remaining: 2 });
    await counters.consume(limit, 2);
    expect(await counters.consume(limit, 0)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test('a maximum that was lowered holds at once', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(5, minute);
    await counters.consume(limit, 5);
    expect(await counters.consume({ ...limit, max: 3 }, 0)).toMatchObject({ allowed: false });
  });

  test('units that are given back can be consumed once more, and only once', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(5, minute);
    const cell = cellOf(await counters.consume(limit, 5));
    await counters.giveBack(limit, cell, 2);
    await counters.giveBack(limit, cell, 0);
    expect(countAllowed(await consumeAtOnce(counters, limit, 10))).toBe(2);
  });

  test('giving back more than was counted does not go below 0', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(3, minute);
    const cell = cellOf(await counters.consume(limit));
    await counters.giveBack(limit, cell, 100);
    await counters.giveBack(limit, cell, 100);
    expect(countAllowed(await consumeAtOnce(counters, limit, 10))).toBe(3);
  });

  test('giving back to a cell that has left the window changes nothing', async () => {
    const { counters, setTime } = await engineAt(start);
    const limit = freshLimit(3, minute);
    const cell = cellOf(await counters.consume(limit, 3));
    await setTime(start + 2 * minute);
    await counters.consume(limit, 3);
    await counters.giveBack(limit, cell, 3);
    await counters.giveBack(freshLimit(3, minute), cell, 3);
    expect(await counters.consume(limit)).toMatchObject({ allowed: false });
  });

  test('distinct keys do not share, and neither do distinct windows of one key', async () => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(1, minute);
    for (const other of [limit, freshLimit(1, minute), { ...limit, windowMs: hour }]) {
      expect(countAllowed(await consumeAtOnce(counters, other, 3))).toBe(1);
    }
  });

  test('a clock that is set back neither forgets what was counted nor locks the bucket', async () => {
    const { counters, setTime } = await engineAt(start + hour);
    const limit = freshLimit(3, minute);
    await consumeAtOnce(counters, limit, 3);
    await setTime(start);
    const wait = retryAfter(await counters.consume(limit));
    expect(wait).toBeLessThanOrEqual(minute + second);
    await setTime(start + wait - 1);
    expect(await counters.consume(limit)).toStrictEqual({ allowed: false, retryAfterMs: 1 });
    await setTime(start + wait);
    expect(countAllowed(await consumeAtOnce(counters, limit, 10))).toBe(3);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5])('a limit made of %d is an error', async (broken) => {
    const { counters } = await engineAt(start);
    const limit = freshLimit(3, minute);
    await expect(counters.consume({ ...limit, max: broken })).rejects.toThrow(RangeError);
    await expect(counters.consume({ ...limit, windowMs: broken })).rejects.toThrow(RangeError);
    await expect(counters.consume({ ...limit, windowMs: 0 })).rejects.toThrow(RangeError);
    await expect(counters.consume(limit, broken)).rejects.toThrow(RangeError);
    await expect(counters.giveBack(limit, 1, broken)).rejects.toThrow(RangeError);
  });
});

/** Mulberry32: the same seed gives the same schedule, so a failure can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Plays one random schedule on an engine and on the model. Returns the time it ended, for the next one to go on from. */
async function playSchedule(engine: Engine, limit: Limit, from: number, random: (below: number) => number) {
  const model = createReferenceModel(limit);
  const { max, windowMs } = limit;
  const given: { cell: number; units: number }[] = [];
  let now = from;

  function steps(): number {
    const leaving = (model.nextLeaving(now) ?? now) - now;
    const choices = [
      0,
      0,
      0,
      1,
      model.cellMs,
      random(model.cellMs + 1),
      random(windowMs),
      leaving,
      leaving - 1,
      windowMs,
    ];
    return Math.max(0, choices[random(choices.length)] ?? 0);
  }

  async function consume(): Promise<void> {
    const units = random(4) === 0 ? random(max + 2) : 1;
    const recent = model.unitsBetween(now - windowMs - 2 * model.cellMs, now);
    const decision = await engine.counters.consume(limit, units);
    expect(decision).toStrictEqual(model.consume(units, now));
    if (decision.allowed) given.push({ cell: decision.cell, units });
    else expect(recent + units, 'refused for units that are long gone').toBeGreaterThan(max);
  }

  async function giveBack(): Promise<void> {
    const [back] = given.splice(random(given.length), 1);
    if (back === undefined) return;
    await engine.counters.giveBack(limit, back.cell, back.units);
    model.giveBack(back.cell, back.units, now);
  }

  for (let step = 0; step < 60; step++) {
    now += steps();
    await engine.setTime(now);
    if (random(6) === 0) await giveBack();
    else await consume();
  }
  for (const moment of model.moments()) {
    expect(model.unitsBetween(moment - windowMs, moment), 'units in one window').toBeLessThanOrEqual(max);
  }
  return now;
}

describe('counters against the reference model', () => {
  // Keys in Redis expire by its real clock, so there the windows are too long to end while a schedule is played.
  test.each([
    ['memory', memoryEngine, 3_000, [10, 59, 61, second, 1_001, 59_999, minute, hour]],
    ['Redis', redisEngine, 60, [59_999, minute, 100_003, hour]],
  ] as const)('%s decides as the model does, and never lets more than the maximum into any window', async (...row) => {
    const [name, create, schedules, windows] = row;
    const engine = create();
    let now = start;
    for (let seed = 1; seed <= schedules; seed++) {
      const random = createRandom(seed);
      const limit = {
        key: `${name} ${seed}`,
        max: 1 + random(20),
        windowMs: windows[random(windows.length)] ?? minute,
      };
      now = await playSchedule(engine, limit, now, random);
    }
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
      time += 1;
      await counters.consume({ key: `caller ${call}`, max: 1, windowMs: second });
    }
    expect((heapUsed() - before) / 1024 / 1024).toBeLessThan(10);
    expect(await counters.consume({ key: 'caller 299999', max: 1, windowMs: second })).toMatchObject({
      allowed: false,
    });
  });
});

describe('counters in Redis, on its own clock', () => {
  test('two connections share a bucket: 1,000 calls at once against 20 let exactly 20 through', async () => {
    const limit = freshLimit(20, minute);
    const both = [createRedisCounters(connect()), createRedisCounters(connect())];
    const decisions = await Promise.all(both.map((counters) => consumeAtOnce(counters, limit, 500)));
    expect(countAllowed(decisions.flat())).toBe(20);
  });

  test('the clock is that of Redis', async () => {
    const redis = connect();
    const [before] = await redis.time();
    const cell = cellOf(await createRedisCounters(redis).consume(freshLimit(1, minute)));
    const [after] = await redis.time();
    expect(cell).toBeGreaterThanOrEqual(Number(before));
    expect(cell).toBeLessThanOrEqual(Number(after));
  });

  test('a refused call passes after retryAfterMs of real time', async () => {
    const counters = createRedisCounters(connect());
    const limit = freshLimit(1, 300);
    await counters.consume(limit);
    const wait = retryAfter(await counters.consume(limit));
    await new Promise((resolve) => setTimeout(resolve, wait + 10));
    expect(await counters.consume(limit)).toMatchObject({ allowed: true });
  });

  test('a bucket is one key, which expires with its window', async () => {
    const redis = connect();
    const counters = createRedisCounters(redis);
    const limit = freshLimit(5, minute);
    await consumeAtOnce(counters, limit, 9);
    expect(await redis.keys(`nexus:limit:*${limit.key}`)).toStrictEqual([`nexus:limit:${minute}:${limit.key}`]);
    const timeToLive = await redis.pttl(`nexus:limit:${minute}:${limit.key}`);
    expect(timeToLive).toBeGreaterThan(minute - 5 * second);
    expect(timeToLive).toBeLessThanOrEqual(minute + second);
  });

  test('a bucket that is empty is no key at all', async () => {
    const redis = connect();
    const counters = createRedisCounters(redis);
    const limit = freshLimit(5, minute);
    await counters.consume(limit, 0);
    await counters.consume(limit, 6);
    await counters.giveBack(limit, cellOf(await counters.consume(limit, 5)), 5);
    expect(await redis.exists(`nexus:limit:${minute}:${limit.key}`)).toBe(0);
  });

  test('a bucket never holds more than 61 cells, however long it is used', async () => {
    const { counters, setTime } = redisEngine();
    const redis = connect();
    const limit = freshLimit(1_000, minute);
    for (let call = 0; call < 200; call++) {
      await setTime(start + call * second);
      await counters.consume(limit);
    }
    expect(await redis.hlen(`nexus:limit:${minute}:${limit.key}`)).toBe(61);
  });

  test('the largest numbers are counted to the unit', async () => {
    const counters = createRedisCounters(connect());
    const limit = freshLimit(Number.MAX_SAFE_INTEGER, 24 * hour);
    const decision = await counters.consume(limit, Number.MAX_SAFE_INTEGER - 1);
    expect(decision).toMatchObject({ allowed: true, remaining: 1 });
    await counters.giveBack(limit, cellOf(decision), 3);
    expect(await counters.consume(limit)).toMatchObject({ allowed: true, remaining: 3 });
  });

  test('a Redis that has lost its scripts is given them again', async () => {
    const redis = connect();
    const counters = createRedisCounters(redis);
    const limit = freshLimit(5, minute);
    await counters.consume(limit);
    await redis.script('FLUSH');
    expect(await counters.consume(limit)).toMatchObject({ allowed: true, remaining: 3 });
  });

  test('a Redis that does not answer is an error within the deadline of the client', async () => {
    const frozen = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => frozen.once('listening', resolve));
    const address = frozen.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    const options = { protocol: 2, enableReadyCheck: false, enableOfflineQueue: false, commandTimeout: 200 } as const;
    const redis = new Redis(address.port, '127.0.0.1', options);
    connections.push(redis);
    await new Promise((resolve) => redis.once('ready', resolve));
    await expect(createRedisCounters(redis).consume(freshLimit(1, minute))).rejects.toThrow('Command timed out');
    redis.disconnect();
    await expect(createRedisCounters(redis).consume(freshLimit(1, minute))).rejects.toThrow();
    frozen.close();
  });
});
