import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openRedis } from '../../src/storage/redis.ts';
import { freshRedisUrl } from '../support/databases.ts';

test.each([400, 1_500])('a reply that comes while the event loop is busy for %i ms is no time-out', async (busyMs) => {
  const errors: Error[] = [];
  const redis = await openRedis(await freshRedisUrl(), (error) => errors.push(error));
  try {
    const replies = Promise.all([redis.set('key', 'value'), redis.incr('count'), redis.get('key')]);
    await nextTurn();
    const end = performance.now() + busyMs;
    while (performance.now() < end);
    expect(await replies).toEqual(['OK', 1, 'value']);
    expect(await redis.incr('count')).toBe(2);
    expect(errors).toEqual([]);
  } finally {
    redis.disconnect();
  }
});
