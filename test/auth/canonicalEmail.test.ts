import { expect, test, vi } from 'vitest';
import { canonicalEmail, maxSpellingLength } from '../../src/auth/canonicalEmail.ts';

test('spellings of one address have one form', () => {
  const spellings = [
    'ada@example.com',
    ' Ada@Example.COM\n',
    'ada@example.com.',
    'ADA@example.com..',
    'ａda@example．com',
  ];
  expect(new Set(spellings.map(canonicalEmail))).toEqual(new Set(['ada@example.com']));
});

test('dots inside an address stay', () => {
  expect(canonicalEmail('a.d.a@mail.example.com')).toBe('a.d.a@mail.example.com');
});

test('the canonical form of a canonical form is itself', () => {
  for (const email of ['İa@example.com', 'ﬀ@example.com', '\u00a0ada@example.com.\u00a0', 'ẞ@x.org', 'ǅ@x.org'])
    expect(canonicalEmail(canonicalEmail(email))).toBe(canonicalEmail(email));
});

test('a long run of dots costs no more than reading it', () => {
  const started = performance.now();
  canonicalEmail(`${'.'.repeat(200_000)}@example.com`);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('what is too long for an address is never normalised: its marks would be sorted in the square of their number', () => {
  const normalize = vi.spyOn(String.prototype, 'normalize');
  try {
    const marks = `a${'\u0315'.repeat(maxSpellingLength)}${'\u0316'.repeat(maxSpellingLength)}@example.com`;
    expect(canonicalEmail(marks)).toBe(marks);
    expect(normalize).not.toHaveBeenCalled();
  } finally {
    normalize.mockRestore();
  }
});
