import { expect, test } from 'vitest';
import {
  formatSessionCookie,
  hashSecret,
  isSecretOf,
  newSessionSecret,
  parseSessionCookie,
} from '../../src/sessions/secret.ts';
import { newId } from '../../src/storage/id.ts';

const id = newId('sess');
const secret = newSessionSecret();

test('a cookie says its session and its secret of 256 bits', () => {
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(parseSessionCookie(formatSessionCookie(id, secret))).toEqual({ id, secret });
});

test.each([
  '',
  id,
  secret,
  `${id}.`,
  `${id}.${secret.slice(1)}`,
  `${id}.${secret}=`,
  `${id}.${secret}\n`,
  ` ${id}.${secret}`,
  `${id}.${secret}.`,
  `${id}.${secret.slice(1)}+`,
  `${newId('user')}.${secret}`,
  `${id.toUpperCase()}.${secret}`,
  `sess_8${id.slice(6)}.${secret}`,
  `${id}0.${secret}`,
])('%j is not a cookie', (value) => {
  expect(parseSessionCookie(value)).toBeNull();
});

test('a hash is that of its secret alone', () => {
  expect(hashSecret(secret)).toMatch(/^[0-9a-f]{64}$/);
  expect(isSecretOf(secret, hashSecret(secret))).toBe(true);
  expect(isSecretOf(newSessionSecret(), hashSecret(secret))).toBe(false);
  expect(isSecretOf(secret, '')).toBe(false);
  expect(isSecretOf(secret, hashSecret(secret).slice(1))).toBe(false);
});
