import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { inject } from 'vitest';

const allotmentKey = 'nexus:test:databases';
const defaultRedisDatabases = 16;

/** An empty database, this caller's alone. `drop` ends the connections that are still open to it. */
export async function createDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `nexus_test_${randomBytes(8).toString('hex')}`;
  await onServer((sql) => sql`create database ${sql(name)}`);
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer((sql) => sql`drop database if exists ${sql(name)} with (force)`) };
}

async function onServer(statement: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(inject('databaseUrl'), { max: 1, connect_timeout: 10 });
  try {
    await statement(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * The URL of an empty Redis database that is this caller's alone, in whichever worker process it runs. Numbers go round:
 * our own Redis has enough for a whole run, a given one must have more than are in use at any one time. Number 0 keeps
 * the count.
 */
export async function freshRedisUrl(): Promise<string> {
  const url = new URL(inject('redisUrl'));
  const redis = new Redis(url.href, { maxRetriesPerRequest: 1, connectTimeout: 5_000, commandTimeout: 10_000 });
  try {
    const turn = await redis.incr(allotmentKey);
    const number = 1 + (turn % ((await countDatabases(redis)) - 1));
    await redis.select(number);
    await redis.flushdb();
    url.pathname = `/${number}`;
    return url.href;
  } finally {
    redis.disconnect();
  }
}

async function countDatabases(redis: Redis): Promise<number> {
  try {
    const [, count] = (await redis.config('GET', 'databases')) as string[];
    return Number(count ?? defaultRedisDatabases);
  } catch {
    // A hosted Redis may forbid CONFIG.
    return defaultRedisDatabases;
  }
}
