import { setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { type Basis, createCredentialEpochs } from '../../src/auth/credentialEpochs.ts';
import { createVerdictCache } from '../../src/auth/verdictCache.ts';

type Verdict = { id: string; basis: Basis };

const verdict = (id: string, userId = 'user_1', epoch = 0): Verdict => ({
  id,
  basis: { subjects: ['global', userId, id], epochs: [0, 0, epoch] },
});

/** A cache whose reads are answered by the test, one by one. */
function cacheWithReads() {
  let isTrusted = true;
  const epochs = createCredentialEpochs(() => isTrusted);
  const cache = createVerdictCache<Verdict>(epochs);
  const reads: PromiseWithResolvers<Verdict | null>[] = [];
  const read = vi.fn(() => {
    const pending = Promise.withResolvers<Verdict | null>();
    reads.push(pending);
    return pending.promise;
  });
  return {
    epochs,
    read,
    find: (key = 'a') => cache.find(key, read),
    answer: (index: number, found: Verdict | null) => reads[index]?.resolve(found),
    fail: (index: number) => reads[index]?.reject(new Error('down')),
    distrust: () => {
      isTrusted = false;
    },
  };
}

test('a hundred misses of one key at the same time are one read', async () => {
  const { find, read, answer } = cacheWithReads();
  const found = Promise.all(Array.from({ length: 100 }, () => find()));
  answer(0, verdict('key_1'));
  expect(new Set(await found).size).toBe(1);
  await find();
  expect(read).toHaveBeenCalledTimes(1);
});

test('what was not found is asked for again', async () => {
  const { find, read, answer } = cacheWithReads();
  const first = find();
  answer(0, null);
  expect(await first).toBeNull();
  const second = find();
  answer(1, verdict('key_1'));
  expect((await second)?.id).toBe('key_1');
  expect(read).toHaveBeenCalledTimes(2);
});

test('a failed read fails those who shared it and nobody later', async () => {
  const { find, answer, fail } = cacheWithReads();
  const shared = [find(), find()];
  fail(0);
  expect((await Promise.allSettled(shared)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const later = find();
  answer(1, verdict('key_1'));
  expect((await later)?.id).toBe('key_1');
});

test.each(['global', 'user_1', 'key_1'])('nothing that was read before a raise of %s is believed', async (subject) => {
  const { epochs, find, read, answer } = cacheWithReads();
  const first = find();
  answer(0, verdict('key_1'));
  await first;
  epochs.note([{ subject, epoch: 7 }]);
  const second = find();
  expect(read).toHaveBeenCalledTimes(2);
  answer(1, null);
  expect(await second).toBeNull();
});

test('a raise of something else changes nothing', async () => {
  const { epochs, find, read, answer } = cacheWithReads();
  const first = find();
  answer(0, verdict('key_1'));
  await first;
  epochs.note([
    { subject: 'user_2', epoch: 7 },
    { subject: 'key_2', epoch: 8 },
  ]);
  expect((await find())?.id).toBe('key_1');
  expect(read).toHaveBeenCalledTimes(1);
});

test('what was read with the raised epoch is believed, whenever the raise is heard of', async () => {
  const { epochs, find, read, answer } = cacheWithReads();
  const first = find();
  answer(0, verdict('key_1', 'user_1', 7));
  await first;
  epochs.note([{ subject: 'key_1', epoch: 7 }]);
  epochs.note([{ subject: 'key_1', epoch: 6 }]);
  await find();
  expect(read).toHaveBeenCalledTimes(1);
});

test('whoever asks after a raise is not served by a read that began before it', async () => {
  const { epochs, find, read, answer } = cacheWithReads();
  const before = find();
  epochs.note([{ subject: 'key_1', epoch: 7 }]);
  const after = find();
  answer(0, verdict('key_1'));
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(3));
  answer(1, null);
  answer(2, null);
  expect(await before).toBeNull();
  expect(await after).toBeNull();
});

test('while the epochs are not to be trusted every call reads, and shares with nobody', async () => {
  const { find, read, answer, distrust } = cacheWithReads();
  const first = find();
  answer(0, verdict('key_1'));
  await first;
  distrust();
  const asked = [find(), find()];
  answer(1, null);
  answer(2, verdict('key_1'));
  expect(await Promise.all(asked)).toEqual([null, verdict('key_1')]);
  expect(read).toHaveBeenCalledTimes(3);
});

test('a verdict is at most 5 s old, counted from its reading', async () => {
  let nowMs = 1_000_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  // The cache looks at the clock once a millisecond.
  const pass = async (ms: number) => {
    nowMs += ms;
    await setTimeout(5);
  };
  try {
    const { find, read, answer } = cacheWithReads();
    const first = find();
    await pass(3_000);
    answer(0, verdict('key_1'));
    await first;
    await pass(1_900);
    await find();
    expect(read).toHaveBeenCalledTimes(1);
    await pass(200);
    void find();
    expect(read).toHaveBeenCalledTimes(2);
  } finally {
    clock.mockRestore();
  }
});
