import { afterEach, expect, test, vi } from 'vitest';
import { createReadiness, type Dependency, type HealthCheck } from '../../src/http/health.ts';

const needed = (check: HealthCheck): Dependency => ({ check, isNeeded: true });
const spared = (check: HealthCheck): Dependency => ({ check, isNeeded: false });

afterEach(() => {
  vi.useRealTimers();
});

test('ready is where every part answers', async () => {
  const readiness = createReadiness({ database: needed(async () => 1), redis: spared(async () => 'PONG') });
  expect(await readiness()).toEqual({
    status: 'ok',
    dependencies: { database: { status: 'ok' }, redis: { status: 'ok' } },
  });
});

test('a part that fails makes all of it unavailable, and nothing of its error is told', async () => {
  const readiness = createReadiness({
    database: needed(async () => {
      throw new Error('postgres://nexus:hunter2@db:5432');
    }),
    redis: spared(async () => 'PONG'),
  });
  expect(await readiness()).toEqual({
    status: 'unavailable',
    dependencies: { database: { status: 'unavailable' }, redis: { status: 'ok' } },
  });
});

test('a part that is not needed makes all of it degraded when it fails, so that nobody takes it out of service', async () => {
  const fails = async () => {
    throw new Error('redis://:hunter2@cache:6379');
  };
  const dependencies = { database: { status: 'ok' }, redis: { status: 'unavailable' } };
  const readiness = createReadiness({ database: needed(async () => 1), redis: spared(fails) });
  expect(await readiness()).toEqual({ status: 'degraded', dependencies });
  const gone = createReadiness({ database: needed(fails), redis: spared(fails) });
  expect((await gone()).status).toBe('unavailable');
});

test('a part that throws at once is unavailable too', async () => {
  const readiness = createReadiness({
    database: needed(() => {
      throw new Error('closed');
    }),
  });
  expect((await readiness()).status).toBe('unavailable');
});

test('a part that does not answer is given up after a second', async () => {
  vi.useFakeTimers();
  const answer = createReadiness({ database: needed(() => new Promise(() => undefined)) })();
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answer).status).toBe('unavailable');
});

test('callers at the same time share one check, later ones have their own', async () => {
  const check = vi.fn(async () => 1);
  const readiness = createReadiness({ database: needed(check) });
  await Promise.all([readiness(), readiness(), readiness()]);
  expect(check).toHaveBeenCalledTimes(1);
  await readiness();
  expect(check).toHaveBeenCalledTimes(2);
});
