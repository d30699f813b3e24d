import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { hashApiKey, isWellFormedApiKey, newApiKeySecret, startOf } from '../../src/apiKeys/secret.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const bodyOf = (secret: string) => secret.slice('nxk_live_'.length, -6);

function decode(digits: string): bigint {
  return [...digits].reduce((value, digit) => value * 62n + BigInt(alphabet.indexOf(digit)), 0n);
}

describe('a new key', () => {
  test('has the form of the contract, 10,000 times, and never the same', () => {
    const secrets = Array.from({ length: 10_000 }, (_, index) => newApiKeySecret(index % 2 ? 'live' : 'test'));
    for (const secret of secrets) {
      expect(secret).toMatch(/^nxk_(live|test)_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$/);
      expect(isWellFormedApiKey(secret)).toBe(true);
    }
    expect(new Set(secrets).size).toBe(secrets.length);
  });

  test('names its environment', () => {
    expect(newApiKeySecret('live')).toMatch(/^nxk_live_/);
    expect(newApiKeySecret('test')).toMatch(/^nxk_test_/);
  });

  test('ends in the CRC32 of everything before, as six base62 characters', () => {
    const secret = newApiKeySecret('live');
    expect(decode(secret.slice(-6))).toBe(BigInt(crc32(secret.slice(0, -6))));
  });

  test('carries 256 random bits: each of them is set about half the time, the highest too', () => {
    const bodies = Array.from({ length: 2_000 }, () => decode(bodyOf(newApiKeySecret('test'))));
    for (let bit = 0n; bit < 256n; bit++) {
      const share = bodies.filter((body) => (body >> bit) & 1n).length / bodies.length;
      expect(share).toBeGreaterThan(0.4);
      expect(share).toBeLessThan(0.6);
    }
    expect(bodies.every((body) => body < 1n << 256n)).toBe(true);
  });
});

describe('a text that is no key', () => {
  const secret = newApiKeySecret('live');

  test('every key with one other character is told apart', () => {
    for (let at = 0; at < secret.length; at++) {
      for (const character of `${alphabet}_-. `) {
        if (character === secret[at]) continue;
        expect(isWellFormedApiKey(secret.slice(0, at) + character + secret.slice(at + 1))).toBe(false);
      }
    }
  });

  test('two neighbours that changed places are told apart', () => {
    for (let at = 0; at + 1 < secret.length; at++) {
      const swapped = secret.slice(0, at) + secret.charAt(at + 1) + secret.charAt(at) + secret.slice(at + 2);
      if (swapped !== secret) expect(isWellFormedApiKey(swapped)).toBe(false);
    }
  });

  test.each([
    '',
    'nxk_live_',
    `${secret}\n`,
    ` ${secret}`,
    `${secret}0`,
    secret.slice(0, -1),
    secret.replace('live', 'test'),
    secret.toUpperCase(),
  ])('%j is refused', (text) => {
    expect(isWellFormedApiKey(text)).toBe(false);
  });
});

test('what is stored is the SHA-256 in hex, and what is shown is the prefix and 4 characters', () => {
  const secret = newApiKeySecret('test');
  expect(hashApiKey(secret)).toBe(createHash('sha256').update(secret).digest('hex'));
  expect(startOf(secret)).toBe(secret.slice(0, 13));
});
