import { expect, test } from 'vitest';
import { isCommonPassword } from '../../src/users/commonPassword.ts';

test.each([
  'qwerty123456',
  '123456789012',
  'Administrator',
  'Password1234',
  'password1234!',
  '!!monkey!!2024',
  'passwordpassword',
  'Dragon1Dragon1',
  'aaaaaaaaaaaa',
  'abcabcabcabcabc',
  '121212121212',
])('%s is common', (password) => {
  expect(isCommonPassword(password)).toBe(true);
});

test.each([
  'correct horse battery staple',
  'an unusual password',
  'kX3-vP9_qL2mZ7',
  '730194862057',
  'monkeys eat 12 bananas',
  'password of the aunt',
  '',
])('%j is not common', (password) => {
  expect(isCommonPassword(password)).toBe(false);
});

test('the longest password takes no time worth mentioning', () => {
  const started = performance.now();
  for (const password of ['a1'.repeat(100), `${'-'.repeat(199)}a`, `${'ab'.repeat(99)}cd`, '-'.repeat(1_000_000)])
    isCommonPassword(password);
  expect(performance.now() - started).toBeLessThan(500);
});
