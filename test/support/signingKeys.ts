import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createMasterKey, parseMasterKeys } from '../../src/auth/masterKey.ts';
import { type SigningKeys, thumbprintOf } from '../../src/auth/signingKeys.ts';
import type { TestApp } from './app.ts';

/** One of the keys that are made for a test. */
export type TestKey = ReturnType<typeof newTestKey>;

/** An Ed25519 key and its name. */
export function newTestKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { kid: thumbprintOf(x), privateKey, publicKey, x };
}

const oneKey = newTestKey();

/** As the database would answer them: the first key signs, and all verify. */
export function testKeys(current: TestKey = oneKey, ...others: (TestKey & { remainingMs?: number })[]): SigningKeys {
  const { kid, privateKey } = current;
  const published = [current, ...others].map((key) => ({ remainingMs: null, ...key }));
  return { current: { kid, privateKey }, published };
}

/** The key that signs in a running app, opened with the app's own master key. */
export async function currentKeyOf(
  app: TestApp,
  masterKeySetting: string,
): Promise<{ kid: string; privateKey: KeyObject; publicKey: KeyObject }> {
  const [row] = await app.sql`
    select kid, encrypted_private_key from signing_keys where activated_at is not null and retired_at is null`;
  const masterKey = createMasterKey(parseMasterKeys(masterKeySetting).keys);
  const key = masterKey.decrypt(row?.encrypted_private_key, row?.kid);
  const privateKey = createPrivateKey({ key, type: 'pkcs8', format: 'der' });
  return { kid: row?.kid, privateKey, publicKey: createPublicKey(privateKey) };
}

/** A part of a JWT: text as it is, anything else as JSON. */
export function encodePart(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** A JWT with a good Ed25519 signature of this key, whatever it says. */
export function forgeToken(header: unknown, claims: unknown, key: KeyObject): string {
  const signed = `${encodePart(header)}.${encodePart(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}
