import { LRUCache } from 'lru-cache';
import type { RedisConnection } from './redis.ts';

const maxMemoryEntries = 10_000;

/** Short-lived texts by key. Entries may vanish at any time; `ttlMs` is a whole number of at least 1. */
export type KeyValue = {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
};

/** Shared by every process on this Redis; rejects with the errors of ioredis while Redis is away. */
export function createRedisKeyValue(redis: RedisConnection): KeyValue {
  return {
    get: (key) => redis.get(key),
    async set(key, value, ttlMs) {
      await redis.set(key, value, 'PX', ttlMs);
    },
  };
}

/** This process's own; the least recently used of 10,000 entries makes room. `now` is in milliseconds. */
export function createMemoryKeyValue(now: () => number = Date.now): KeyValue {
  const entries = new LRUCache<string, string>({ max: maxMemoryEntries, ttlResolution: 0, perf: { now } });
  return {
    async get(key) {
      return entries.get(key) ?? null;
    },
    async set(key, value, ttlMs) {
      entries.set(key, value, { ttl: ttlMs });
    },
  };
}
