import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isDependencyFailure } from '../../src/storage/failures.ts';
import { createMemoryKeyValue, createRedisKeyValue, type KeyValue } from '../../src/storage/keyValue.ts';
import { openRedis, type RedisConnection } from '../../src/storage/redis.ts';
import { freshRedisUrl } from '../support/databases.ts';
import { type StallingProxy, startStallingProxy } from '../support/stallingProxy.ts';

const defaultPort = 6379;

describe('a Redis that goes away', () => {
  let proxy: StallingProxy;
  let redis: RedisConnection;
  let errors: Error[];

  beforeEach(async () => {
    proxy = await startStallingProxy(await freshRedisUrl(), defaultPort);
    errors = [];
    redis = await openRedis(proxy.url, (error) => errors.push(error));
  });

  afterEach(async () => {
    redis.disconnect();
    await proxy.close();
  });

  async function failsWithin(ms: number): Promise<void> {
    const start = performance.now();
    await expect(redis.get('key')).rejects.toSatisfy(isDependencyFailure);
    expect(performance.now() - start).toBeLessThan(ms);
  }

  const worksAgain = () => vi.waitFor(() => redis.set('key', 'value'), { timeout: 5_000, interval: 50 });

  test('frozen: commands fail in 200 ms, later at once, and work when it is back', async () => {
    proxy.stall();
    await failsWithin(400);
    await vi.waitFor(() => expect(redis.status).not.toBe('ready'), { timeout: 3_000 });
    await failsWithin(150);
    proxy.resume();
    await worksAgain();
    expect(errors).not.toEqual([]);
  });

  test('gone: commands fail at once, every failure is reported, and commands work when it is back', async () => {
    proxy.hangUp();
    await vi.waitFor(() => expect(redis.status).not.toBe('ready'));
    await failsWithin(150);
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1), { timeout: 5_000 });
    proxy.resume();
    await worksAgain();
  });

  test('refusing: it is looked for about once a second, and found', async () => {
    const { port } = new URL(proxy.url);
    await proxy.close();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(errors.length).toBeGreaterThan(2);
    expect(errors.length).toBeLessThan(15);
    expect(errors.every(isDependencyFailure)).toBe(true);
    proxy = await startStallingProxy(await freshRedisUrl(), defaultPort, Number(port));
    await worksAgain();
  });

  test('frozen or refusing at the start: opening fails within about two seconds, with the reason', async () => {
    proxy.stall();
    const start = performance.now();
    await Promise.all([
      expect(openRedis(proxy.url, () => undefined)).rejects.toThrow(/^Redis cannot be reached: /),
      expect(openRedis('redis://127.0.0.1:1', () => undefined)).rejects.toThrow(/ECONNREFUSED/),
    ]);
    expect(performance.now() - start).toBeLessThan(2_500);
  });
});

test('a pause of this process is not taken for a Redis that does not answer', async () => {
  const redis = await openRedis(await freshRedisUrl(), () => undefined);
  const answer = redis.set('key', 'value');
  const end = performance.now() + 400;
  while (performance.now() < end);
  expect(await answer).toBe('OK');
  redis.disconnect();
});

describe.each(['redis', 'memory'] as const)('key values in %s', (kind) => {
  let values: KeyValue;
  let close: () => void;

  beforeEach(async () => {
    if (kind === 'redis') {
      const redis = new Redis(await freshRedisUrl());
      values = createRedisKeyValue(redis);
      close = () => redis.disconnect();
    } else {
      values = createMemoryKeyValue();
      close = () => undefined;
    }
  });

  afterEach(() => close());

  test('gives back what was set last', async () => {
    expect(await values.get('key')).toBe(null);
    await values.set('key', 'one', 10_000);
    await values.set('key', 'two', 10_000);
    expect(await values.get('key')).toBe('two');
  });

  test('forgets after the time to live', async () => {
    await values.set('key', 'one', 100);
    expect(await values.get('key')).toBe('one');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await values.get('key')).toBe(null);
  });
});

test('memory follows the clock it was given and keeps the last used of 10,000 entries', async () => {
  let now = 1_000;
  const values = createMemoryKeyValue(() => now);
  await values.set('first', 'value', 50);
  await values.set('second', 'value', 1_000_000);
  now += 51;
  expect(await values.get('first')).toBe(null);
  for (let index = 0; index < 10_000; index++) {
    await values.set(`key ${index}`, 'value', 1_000);
  }
  expect(await values.get('second')).toBe(null);
  expect(await values.get('key 9999')).toBe('value');
});
