import { expect, test } from 'vitest';
import { redactText } from '../../src/log/redactText.ts';

const key = `nxk_live_${'a1B2'.repeat(13)}`.slice(0, 58);
const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2lnbmF0dXJlLW9mLXRoaXM';
const session = `sess_01h455vb4pex5vsknk084sn02q.${'Ab_-'.repeat(10)}xyz`;

test.each([
  ['an API key', key, key],
  ['an API key in a sentence', `The key "${key}" is bad.`, key],
  ['a mistyped API key', `${key.slice(0, 30)}!`, key.slice(13, 30)],
  ['a JWT', `Bearer ${jwt}`, jwt],
  ['a JWT without its signature', jwt.slice(0, jwt.lastIndexOf('.')), 'eyJzdWIi'],
  ['a session', session, session.slice(32)],
  ['a session cookie', `nexus.sid=${session}; other=1`, session.slice(32)],
  ['a cookie of any form', '__Host-nexus.sid=opaque-value-of-a-session; x=1', 'opaque-value'],
  ['a bearer token of any form', 'Authorization: bearer 0123456789abcdef0123', '0123456789abcdef'],
  ['a Basic header', 'Basic dXNlcjpwYXNzd29yZDEyMw==', 'dXNlcjpwYXNz'],
  ['the password of a URL', 'connect postgres://nexus:hunter2@db:5432/nexus failed', 'hunter2'],
  ['a password of a URL without a user', 'redis://:hunter2@cache:6379', 'hunter2'],
  ['a private key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----', 'MC4CAQAwBQYDK2Vw'],
  ['a private key that is cut off', 'x -----BEGIN EC PRIVATE KEY-----\nMC4CAQAwBQ', 'MC4CAQAwBQ'],
])('%s does not get through', (_what, text, secret) => {
  const result = redactText(text);
  expect(result).not.toContain(secret);
  expect(result).toContain('[REDACTED]');
});

test('several secrets in one text all go', () => {
  const result = redactText(`${key} and ${key} and ${jwt}`);
  expect(result).toBe('[REDACTED] and [REDACTED] and [REDACTED]');
});

test.each([
  'Mozilla/5.0 (compatible; Bot/2.1; +http://www.example.com/bot.html)',
  'sess_01h455vb4pex5vsknk084sn02q',
  'key_01h455vb4pex5vsknk084sn02q',
  'nxk_live_a1B2',
  'a basic mistake',
  'https://example.com:8443/path',
])('%s stays as it is', (text) => {
  expect(redactText(text)).toBe(text);
});

test('a long text is cut', () => {
  expect(redactText('x'.repeat(100_000))).toHaveLength(8_193);
});

test('a hostile text of 8,192 characters takes less than 50 ms of CPU', () => {
  for (const piece of ['eyJ', 'eyJ.', '://a:', 'bearer ', 'nxk_', '-----BEGIN PRIVATE KEY-----', 'sess_', '://:']) {
    const text = piece.repeat(8_192).slice(0, 8_192);
    // Of this process alone, and the least of some: what else runs on the machine has no part in it.
    const times = Array.from({ length: 20 }, () => {
      const before = process.cpuUsage();
      redactText(text);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    expect(Math.min(...times)).toBeLessThan(50);
  }
});
