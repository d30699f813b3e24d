import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomByteCount = 32;
/** The fewest base62 characters that hold 32 bytes. */
const bodyLength = 43;
/** The fewest base62 characters that hold a CRC32. */
const checksumLength = 6;
const shape = /^nxk_(?:live|test)_[0-9A-Za-z]{49}$/;
const startLength = 'nxk_live_'.length + 4;

/** How many characters every API key has. */
export const apiKeyLength = 'nxk_live_'.length + bodyLength + checksumLength;

/** What every API key begins with. */
export const apiKeyPrefix = 'nxk_';

/** Which keys a deployment makes: `live` in production. */
export type ApiKeyEnvironment = 'live' | 'test';

/** A new key: `nxk_live_` or `nxk_test_`, 32 random bytes as 43 base62 characters, and 6 of CRC32 over all before them. */
export function newApiKeySecret(environment: ApiKeyEnvironment): string {
  const random = BigInt(`0x${randomBytes(randomByteCount).toString('hex')}`);
  const unchecked = `${apiKeyPrefix}${environment}_${base62(random, bodyLength)}`;
  return unchecked + checksumOf(unchecked);
}

/** Whether the text has the shape and the checksum of a key, so that a mistyped one costs no query. */
export function isWellFormedApiKey(text: string): boolean {
  return shape.test(text) && checksumOf(text.slice(0, -checksumLength)) === text.slice(-checksumLength);
}

/** What is stored of a key: its SHA-256 in hex, fit for 256 random bits, which nobody can guess. */
export function hashApiKey(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** What people recognise a key by: the prefix and 4 characters. */
export function startOf(secret: string): string {
  return secret.slice(0, startLength);
}

function checksumOf(text: string): string {
  return base62(BigInt(crc32(text)), checksumLength);
}

function base62(value: bigint, width: number): string {
  let digits = '';
  for (let rest = value; digits.length < width; rest /= 62n) {
    digits = alphabet.charAt(Number(rest % 62n)) + digits;
  }
  return digits;
}
