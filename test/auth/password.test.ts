import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { hashPassword, verifyPassword } from '../../src/auth/password.ts';

const password = 'correct horse battery staple';

test('a password is right for its hash, another is not', async () => {
  const hash = await hashPassword(password);
  expect(await verifyPassword(hash, password)).toBe(true);
  expect(await verifyPassword(hash, `${password}!`)).toBe(false);
  expect(await verifyPassword(hash, '')).toBe(false);
});

test('a hash is argon2id of 19 MiB, two passes, one lane and 32 bytes, with a salt of its own', async () => {
  const [one, two] = await Promise.all([hashPassword(password), hashPassword(password)]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22}\$[^$]{43}$/);
  expect(one).not.toBe(two);
});

test('a password is right however its characters are composed', async () => {
  const hash = await hashPassword('caf\u00e9 caf\u00e9 caf\u00e9');
  expect(await verifyPassword(hash, 'cafe\u0301 cafe\u0301 cafe\u0301')).toBe(true);
});

test('more than 200 characters are never hashed and never right', async () => {
  const longest = '\u{1f511}'.repeat(200);
  expect(await verifyPassword(await hashPassword(longest), longest)).toBe(true);
  await expect(hashPassword('a'.repeat(201))).rejects.toThrow(RangeError);
  expect(await verifyPassword(await hashPassword(''), 'a'.repeat(201))).toBe(false);
});

test('no user has no password', async () => {
  expect(await verifyPassword(null, '')).toBe(false);
  expect(await verifyPassword(null, password)).toBe(false);
});

test('no user takes the time of a wrong password', async () => {
  const hash = await hashPassword(password);
  const unknown: number[] = [];
  const wrong: number[] = [];
  for (let round = 0; round < 15; round++) {
    unknown.push(await timeOf(() => verifyPassword(null, 'something else')));
    wrong.push(await timeOf(() => verifyPassword(hash, 'something else')));
  }
  expect(median(unknown) / median(wrong)).toBeGreaterThan(0.7);
  expect(median(unknown) / median(wrong)).toBeLessThan(1.4);
});

test('the event loop goes on while passwords are hashed', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await Promise.all(Array.from({ length: 8 }, () => hashPassword(password)));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
});

test('at most two are hashed at once and 64 wait: what comes beyond that is refused at once, and the rest is served', async () => {
  const hash = await hashPassword(password);
  const checks = Array.from({ length: 70 }, () => verifyPassword(hash, password));
  const outcomes = await Promise.allSettled(checks);
  expect(outcomes.slice(0, 66)).toEqual(Array(66).fill({ status: 'fulfilled', value: true }));
  for (const outcome of outcomes.slice(66))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'DEPENDENCY_UNAVAILABLE' } });
  expect(await verifyPassword(hash, password)).toBe(true);
});

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
