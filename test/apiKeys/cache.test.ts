import { setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createApiKeyCache } from '../../src/apiKeys/cache.ts';
import type { ApiKeyRecord, findBySecretHash } from '../../src/apiKeys/repository.ts';
import type { Db } from '../../src/storage/db.ts';

const db = {} as Db;

function record(id: string, ownerId = 'user_1'): ApiKeyRecord {
  return {
    id,
    ownerId,
    role: 'VIEWER',
    scopes: [],
    tier: 'FREE',
    agentId: null,
    allowedIps: [],
    isPrevious: false,
    endsAt: null,
    ownerRoles: ['VIEWER'],
  };
}

/** A cache whose queries are answered by the test, one by one. */
function cacheWithQueries() {
  const queries: PromiseWithResolvers<ApiKeyRecord | null>[] = [];
  const read = vi.fn<typeof findBySecretHash>(() => {
    const query = Promise.withResolvers<ApiKeyRecord | null>();
    queries.push(query);
    return query.promise;
  });
  const answer = (index: number, found: ApiKeyRecord | null) => queries[index]?.resolve(found);
  return {
    cache: createApiKeyCache(read),
    read,
    answer,
    fail: (index: number) => queries[index]?.reject(new Error('down')),
  };
}

test('a hundred misses of one hash at the same time are one query', async () => {
  const { cache, read, answer } = cacheWithQueries();
  const found = Promise.all(Array.from({ length: 100 }, () => cache.find(db, 'a')));
  answer(0, record('key_1'));
  expect(new Set(await found).size).toBe(1);
  await cache.find(db, 'a');
  expect(read).toHaveBeenCalledTimes(1);
});

test('what was not found is asked for again', async () => {
  const { cache, read, answer } = cacheWithQueries();
  const first = cache.find(db, 'a');
  answer(0, null);
  expect(await first).toBeNull();
  const second = cache.find(db, 'a');
  answer(1, record('key_1'));
  expect((await second)?.id).toBe('key_1');
  expect(read).toHaveBeenCalledTimes(2);
});

test('a failed query fails those who shared it and nobody later', async () => {
  const { cache, answer, fail } = cacheWithQueries();
  const shared = [cache.find(db, 'a'), cache.find(db, 'a')];
  fail(0);
  expect((await Promise.allSettled(shared)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const later = cache.find(db, 'a');
  answer(1, record('key_1'));
  expect((await later)?.id).toBe('key_1');
});

test.each<[string, (cache: ReturnType<typeof createApiKeyCache>) => void]>([
  ['its key', (cache) => cache.forget('key_1')],
  ['its owner', (cache) => cache.forgetOwner('user_1')],
])('a query that was under way when %s was forgotten serves nobody who asks afterwards', async (_, forget) => {
  const { cache, read, answer } = cacheWithQueries();
  const before = cache.find(db, 'a');
  forget(cache);
  const after = cache.find(db, 'a');
  answer(0, record('key_1'));
  await before;
  const afterwards = cache.find(db, 'a');
  answer(1, null);
  expect(await after).toBeNull();
  expect(await afterwards).toBeNull();
  expect(read).toHaveBeenCalledTimes(2);
});

test('the late answer of a forgotten query does not push aside the query that replaced it', async () => {
  const { cache, read, answer } = cacheWithQueries();
  const before = cache.find(db, 'a');
  cache.forget('key_1');
  const after = cache.find(db, 'a');
  answer(0, null);
  await before;
  const shared = cache.find(db, 'a');
  answer(1, record('key_1'));
  expect(await shared).toBe(await after);
  expect(read).toHaveBeenCalledTimes(2);
});

test('forgetting a key or an owner forgets all its secrets and no other', async () => {
  const { cache, read, answer } = cacheWithQueries();
  const records = [record('key_1'), record('key_1'), record('key_2'), record('key_3', 'user_2')];
  const loaded = records.map((_, index) => cache.find(db, `hash ${index}`));
  records.forEach((each, index) => {
    answer(index, each);
  });
  await Promise.all(loaded);
  const queriesAfter = (act: () => void) => {
    act();
    read.mockClear();
    records.forEach((_, index) => void cache.find(db, `hash ${index}`));
    return read.mock.calls.map(([, hash]) => hash);
  };
  expect(queriesAfter(() => cache.forget('key_1'))).toEqual(['hash 0', 'hash 1']);
  expect(queriesAfter(() => cache.forgetOwner('user_2'))).toEqual(['hash 0', 'hash 1', 'hash 3']);
});

test('a record is at most 5 s old, counted from its query', async () => {
  let nowMs = 1_000_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  // The cache looks at the clock once a millisecond.
  const pass = async (ms: number) => {
    nowMs += ms;
    await setTimeout(5);
  };
  try {
    const { cache, read, answer } = cacheWithQueries();
    const first = cache.find(db, 'a');
    await pass(3_000);
    answer(0, record('key_1'));
    await first;
    await pass(1_900);
    await cache.find(db, 'a');
    expect(read).toHaveBeenCalledTimes(1);
    await pass(200);
    void cache.find(db, 'a');
    expect(read).toHaveBeenCalledTimes(2);
  } finally {
    clock.mockRestore();
  }
});
