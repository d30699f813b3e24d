import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createRedisChannel } from '../../src/storage/channel.ts';
import { createRedisKeyValue } from '../../src/storage/keyValue.ts';
import { openRedis, type RedisConnection } from '../../src/storage/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/startServices.ts';

let cluster: RedisCluster;
let redis: RedisConnection;
const errors: unknown[] = [];

beforeAll(async () => {
  cluster = await startRedisCluster();
  redis = await openRedis(cluster.url, (error) => errors.push(error));
  return () => redis.disconnect();
});
afterAll(() => cluster.stop());

test('key values are on all nodes of a cluster', async () => {
  expect(redis).toBeInstanceOf(Cluster);
  const values = createRedisKeyValue(redis);
  const keys = Array.from({ length: 50 }, (_, turn) => `key ${turn}`);
  await Promise.all(keys.map((key) => values.set(key, `value of ${key}`, 10_000)));
  expect(await Promise.all(keys.map((key) => values.get(key)))).toEqual(keys.map((key) => `value of ${key}`));
});

test('a channel reaches whoever is on another node, and comes back by itself after the cluster was frozen', async () => {
  const one = createRedisChannel(redis, 'test', (error) => errors.push(error));
  const other = await openRedis(cluster.url, (error) => errors.push(error));
  const second = createRedisChannel(other, 'test', (error) => errors.push(error));
  const heard: string[] = [];
  one.subscribe((text) => heard.push(text));
  const reaches = (text: string) =>
    vi.waitFor(
      async () => {
        await second.publish(text);
        expect(heard).toContain(text);
      },
      { timeout: 15_000, interval: 100 },
    );
  await reaches('hello');
  for (const node of cluster.nodes) node.signal('SIGSTOP');
  const begin = performance.now();
  await expect(redis.get('key')).rejects.toThrow();
  expect(performance.now() - begin).toBeLessThan(500);
  for (const node of cluster.nodes) node.signal('SIGCONT');
  await reaches('again');
  one.close();
  second.close();
  other.disconnect();
});

test('a cluster that cannot be reached fails within about two seconds, with the reason', async () => {
  const begin = performance.now();
  await expect(openRedis('redis://127.0.0.1:1,127.0.0.1:2', () => undefined)).rejects.toThrow(
    /^Redis cannot be reached: /,
  );
  expect(performance.now() - begin).toBeLessThan(2_500);
});
