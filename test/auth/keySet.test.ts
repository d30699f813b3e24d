import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createKeySet } from '../../src/auth/keySet.ts';
import type { SigningKeys } from '../../src/auth/signingKeys.ts';
import { newTestKey, testKeys } from '../support/signingKeys.ts';

const [one, two] = [newTestKey(), newTestKey()];

/** A set whose keys, failures and clock the test decides. */
function setOf(keys: SigningKeys) {
  const state = { keys, reads: 0, failure: null as Error | null, uptime: 50_000 };
  const set = createKeySet(
    async () => {
      state.reads += 1;
      if (state.failure) throw state.failure;
      return state.keys;
    },
    () => state.uptime,
  );
  return { state, set };
}

test('an unknown key makes the set look for it, once a second however many ask', async () => {
  const { state, set } = setOf(testKeys(one));
  await set.reload();
  state.keys = testKeys(one, two);
  state.uptime += 999;
  expect(await set.find(two.kid)).toBeNull();
  expect(state.reads).toBe(1);

  state.uptime += 1;
  const found = await Promise.all(Array.from({ length: 100 }, () => set.find(two.kid)));
  expect(found.every((key) => key === two.publicKey)).toBe(true);
  for (let count = 0; count < 100; count++) await set.find(`unknown-${count}`);
  expect(state.reads).toBe(2);
});

test('known keys cost no read', async () => {
  const { state, set } = setOf(testKeys(one));
  await set.reload();
  state.uptime += 3_600_000;
  expect(await set.find(one.kid)).toBe(one.publicKey);
  expect((await set.current()).kid).toBe(one.kid);
  expect(state.reads).toBe(1);
});

test('a retired key leaves the set at its end, without a read', async () => {
  const { state, set } = setOf(testKeys(one, { ...two, remainingMs: 5_000 }));
  await set.reload();
  state.uptime += 4_999;
  expect(await set.find(two.kid)).toBe(two.publicKey);
  expect(set.published().map(({ kid }) => kid)).toEqual([one.kid, two.kid]);
  state.uptime += 1;
  expect(await set.find(two.kid)).toBeNull();
  expect(set.published().map(({ kid }) => kid)).toEqual([one.kid]);
  expect(state.reads).toBe(1);
});

test('keys that could not be read anew are not believed, and are again once they could', async () => {
  const { state, set } = setOf(testKeys(one));
  await set.reload();
  state.failure = new Error('down');
  await expect(set.reload()).rejects.toThrow('down');
  await expect(set.find(one.kid)).rejects.toThrow('down');
  await expect(set.current()).rejects.toThrow('down');
  expect(state.reads).toBe(2);

  state.failure = null;
  state.uptime += 1_000;
  expect(await set.find(one.kid)).toBe(one.publicKey);
  expect(state.reads).toBe(3);
});

test('reads that are asked for one after the other end in that order', async () => {
  const answers = [Promise.withResolvers<SigningKeys>(), Promise.withResolvers<SigningKeys>()];
  let reads = 0;
  const set = createKeySet(async () => {
    reads += 1;
    return answers[reads - 1]?.promise ?? testKeys(one);
  });
  const both = [set.reload(), set.reload()];
  answers[1]?.resolve(testKeys(two));
  await setImmediate();
  answers[0]?.resolve(testKeys(one));
  await Promise.all(both);
  expect((await set.current()).kid).toBe(two.kid);
});

test('nothing is published before the first read, which whoever needs a key waits for', async () => {
  const { set } = setOf(testKeys(one));
  expect(set.published()).toEqual([]);
  expect((await set.current()).kid).toBe(one.kid);
});
