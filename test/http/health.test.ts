import { afterEach, expect, test, vi } from 'vitest';
import { createReadiness } from '../../src/http/health.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('ready is where every part answers', async () => {
  const readiness = createReadiness({ database: async () => 1, redis: async () => 'PONG' });
  expect(await readiness()).toEqual({
    status: 'ok',
    dependencies: { database: { status: 'ok' }, redis: { status: 'ok' } },
  });
});

test('a part that fails makes all of it unavailable, and nothing of its error is told', async () => {
  const readiness = createReadiness({
    database: async () => 1,
    redis: async () => {
      throw new Error('redis://:hunter2@cache:6379');
    },
  });
  expect(await readiness()).toEqual({
    status: 'unavailable',
    dependencies: { database: { status: 'ok' }, redis: { status: 'unavailable' } },
  });
});

test('a part that throws at once is unavailable too', async () => {
  const readiness = createReadiness({
    database: () => {
      throw new Error('closed');
    },
  });
  expect((await readiness()).status).toBe('unavailable');
});

test('a part that does not answer is given up after a second', async () => {
  vi.useFakeTimers();
  const answer = createReadiness({ database: () => new Promise(() => undefined) })();
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answer).status).toBe('unavailable');
});

test('callers at the same time share one check, later ones have their own', async () => {
  const check = vi.fn(async () => 1);
  const readiness = createReadiness({ database: check });
  await Promise.all([readiness(), readiness(), readiness()]);
  expect(check).toHaveBeenCalledTimes(1);
  await readiness();
  expect(check).toHaveBeenCalledTimes(2);
});
