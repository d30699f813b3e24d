import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createOverload, type Overload } from '../../src/http/overload.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { codesOf } from '../support/operations.ts';

const patienceMs = 2_000;

let overload: Overload | undefined;

afterEach(() => overload?.close());

/** Keeps the event loop busy in turns of so many milliseconds. */
async function beBusy(turnMs: number, forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    const turnEnd = performance.now() + turnMs;
    while (performance.now() < turnEnd);
    await sleep(0);
  }
}

const shareOf = (rank: Parameters<Overload['sheds']>[0], of = 100) =>
  Array.from({ length: of }, () => overload?.sheds(rank)).filter(Boolean).length / of;

describe('an event loop', () => {
  test('that is late sheds anonymous callers, then callers, and recovers', async () => {
    overload = createOverload({ poolWaitMs: () => 0, afterMs: 0, patienceMs });
    await beBusy(250, 1_500);
    expect(shareOf('ANONYMOUS')).toBe(0);
    await beBusy(250, 2_100);
    expect(overload.pressure().loopDelayMs).toBeGreaterThan(100);
    expect(shareOf('ANONYMOUS')).toBe(1);
    expect(shareOf('CALLER')).toBeLessThan(1);
    await beBusy(250, 4_000);
    expect(shareOf('CALLER')).toBe(1);
    await expect.poll(() => shareOf('ANONYMOUS'), { timeout: 15_000 }).toBe(0);
  });

  test('that is busy and not late sheds nobody', async () => {
    overload = createOverload({ poolWaitMs: () => 0, afterMs: 0, patienceMs });
    await beBusy(20, 3_000);
    expect(overload.pressure().shed).toEqual({ ANONYMOUS: 0, CALLER: 0, ANYBODY: 0 });
  });

  test('that pauses once, however long, sheds hardly anybody', async () => {
    overload = createOverload({ poolWaitMs: () => 0, afterMs: 0, patienceMs });
    await sleep(300);
    await beBusy(3_000, 1);
    await sleep(300);
    expect(shareOf('ANONYMOUS')).toBeLessThan(0.2);
    expect(shareOf('CALLER')).toBe(0);
  });

  test('that is late right after the start sheds nobody', async () => {
    overload = createOverload({ poolWaitMs: () => 0 });
    await beBusy(200, 3_000);
    expect(overload.pressure().loopDelayMs).toBeGreaterThan(100);
    expect(shareOf('ANONYMOUS')).toBe(0);
  });
});

test('of requests that are shed in part each second or third is, and never a run of them', () => {
  let waitMs = 0;
  overload = createOverload({ poolWaitMs: () => waitMs, afterMs: 0, patienceMs });
  waitMs = 10_000;
  return expect
    .poll(() => overload?.pressure().shed.ANONYMOUS, { interval: 20, timeout: 10_000 })
    .toBeGreaterThan(0.3)
    .then(() => {
      const shed = Array.from({ length: 100 }, () => (overload?.sheds('ANONYMOUS') ? 'x' : '.')).join('');
      if (overload && overload.pressure().shed.ANONYMOUS < 0.5) expect(shed).not.toContain('xx');
      expect(shed).toContain('x');
      expect(shed).toContain('.');
    });
});

describe('a pool that is exhausted', () => {
  let app: TestApp;

  afterEach(() => app.stop());

  test('sheds anonymous callers first, then others with 503 and Retry-After, ADMIN and health never', async () => {
    app = await startApp({ shedAfterMs: 0 });
    const viewer = await app.createPerson('VIEWER');
    const bearer = { bearer: viewer.accessToken };
    const me = (credential: Parameters<TestApp['request']>[2]) => app.request('{ me { kind } }', {}, credential);
    /** How many of ten were shed; the database may be why others are 503. */
    const countShed = async (credential: Parameters<TestApp['request']>[2]) => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => me(credential)));
      return answers.filter(({ status, text }) => status === 503 && text.includes('Too many calls')).length;
    };
    const reserved = await app.sql.reserve();
    let isOver = false;
    // Ten connections wait for the lock, and whoever comes after them for one of the ten.
    const readers = Array.from({ length: 25 }, async () => {
      while (!isOver) await app.request('{ tasks { edges { cursor } } }', {}, { bearer: app.admin.accessToken });
    });
    try {
      await reserved`begin`;
      await reserved`lock table tasks in access exclusive mode`;
      await expect.poll(() => countShed(null), { timeout: 10_000 }).toBeGreaterThan(0);
      await expect.poll(() => countShed(bearer), { timeout: 15_000, interval: 20 }).toBeGreaterThan(0);
      expect(await countShed(null)).toBe(10);
      const shed = await shedAnswer(() => me(bearer));
      expect(codesOf(shed)).toEqual(['DEPENDENCY_UNAVAILABLE']);
      expect(shed.errors?.[0]?.message).toMatch(/Try again later/);
      expect(shed.headers.get('retry-after')).toBe('1');
      expect(await countShed({ bearer: app.admin.accessToken })).toBe(0);
      expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
    } finally {
      isOver = true;
      await reserved`rollback`;
      reserved.release();
    }
    await Promise.all(readers);
    await expect.poll(() => countShed(null), { timeout: 15_000 }).toBe(0);
    expect((await me(bearer)).status).toBe(200);
  });

  async function shedAnswer(ask: () => ReturnType<TestApp['request']>) {
    for (let turn = 0; turn < 100; turn++) {
      const answer = await ask();
      if (answer.status === 503 && answer.text.includes('Too many calls')) return answer;
    }
    throw new Error('None of 100 requests was shed.');
  }
});
