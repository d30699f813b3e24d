import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const secretBytes = 32;
/** A TypeID `sess_…` (TypeID spec 0.3), a dot, and 32 bytes in base64url (RFC 4648). */
const cookieShape = /^(sess_[0-7][0-9a-hjkmnp-tv-z]{25})\.([A-Za-z0-9_-]{43})$/;

/** 32 random bytes in base64url: 43 characters. */
export function newSessionSecret(): string {
  return randomBytes(secretBytes).toString('base64url');
}

/** SHA-256 in hex: a secret of 256 random bits needs no slow hash. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether the hash is that of the secret, compared in constant time. */
export function isSecretOf(secret: string, secretHash: string): boolean {
  const expected = Buffer.from(secretHash);
  const actual = Buffer.from(hashSecret(secret));
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** The value of the session cookie. */
export function formatSessionCookie(id: string, secret: string): string {
  return `${id}.${secret}`;
}

/** What a cookie's value says; null where it does not have exactly the shape of one. */
export function parseSessionCookie(value: string): { id: string; secret: string } | null {
  const [, id, secret] = cookieShape.exec(value) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}
