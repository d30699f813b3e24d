import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { and, isNotNull, isNull, or, sql } from 'drizzle-orm';
import type { Db } from '../storage/db.ts';
import { accessTokenLifetimeSeconds } from './accessToken.ts';
import { raiseEpochs } from './credentialEpochs.ts';
import type { MasterKey } from './masterKey.ts';
import { signingKeys } from './table.ts';

/** Whose epoch is raised when the keys change. */
export const signingKeysSubject = 'signing-keys';

/** How much later than the database a process may hear that its key is retired, by its own clock. */
const lateSeconds = 60;
const verifiesSeconds = accessTokenLifetimeSeconds + lateSeconds;

/** A key that verifies. */
export type PublishedKey = {
  kid: string;
  publicKey: KeyObject;
  /** `x` of its JWK (RFC 8037). */
  x: string;
  /** For how long, where it is retired. */
  remainingMs: number | null;
};

/** The keys of one moment: one signs, and all verify. */
export type SigningKeys = { current: { kid: string; privateKey: KeyObject }; published: readonly PublishedKey[] };

const isCurrent = and(isNotNull(signingKeys.activatedAt), isNull(signingKeys.retiredAt));
const isNext = isNull(signingKeys.activatedAt);
const endOfRetired = sql`(${signingKeys.retiredAt} + make_interval(secs => ${sql.raw(String(verifiesSeconds))}))`;

/**
 * The keys that verify now, by the clock of the database. Rejects where one of them was not encrypted under our master
 * key, for whoever can write the table must not be able to sign.
 */
export async function load(db: Db, masterKey: MasterKey): Promise<SigningKeys> {
  const rows = await db
    .select({
      kid: signingKeys.kid,
      encryptedPrivateKey: signingKeys.encryptedPrivateKey,
      isCurrent: sql<boolean>`${isCurrent}`,
      remainingMs: sql<number | null>`(extract(epoch from ${endOfRetired} - now()) * 1000)::float8`,
    })
    .from(signingKeys)
    .where(or(isNull(signingKeys.retiredAt), sql`${endOfRetired} > now()`))
    .orderBy(signingKeys.activatedAt); // The next one last.
  const keys = rows.map((row) => ({ ...row, ...decryptKey(row, masterKey) }));
  const current = keys.find((key) => key.isCurrent);
  if (!current) throw new Error('No key signs access tokens: start Nexus once more, which makes one.');
  return {
    current: { kid: current.kid, privateKey: current.privateKey },
    published: keys.map(({ kid, publicKey, x, remainingMs }) => ({ kid, publicKey, x, remainingMs })),
  };
}

/** Makes a current and a next key where there are none; of transactions at the same time one does. */
export async function ensure(tx: Db, masterKey: MasterKey): Promise<void> {
  if (await hasBoth(tx)) return;
  await lock(tx);
  await addMissing(tx, masterKey);
}

/**
 * The next key signs from now on, and a new next one is made: one rotation after another, each whole. The key that
 * signed before verifies its tokens until their end; where `isRevoking`, every key that has ever signed is deleted, and
 * with it all tokens that were issued before.
 */
export async function rotate(
  db: Db,
  masterKey: MasterKey,
  { isRevoking = false } = {},
): Promise<{ current: string; next: string }> {
  return db.transaction(async (tx) => {
    await lock(tx);
    await addMissing(tx, masterKey);
    if (isRevoking) await tx.delete(signingKeys).where(isNotNull(signingKeys.activatedAt));
    else await tx.update(signingKeys).set({ retiredAt: sql`clock_timestamp()` }).where(isCurrent);
    const [current] = await tx
      .update(signingKeys)
      .set({ activatedAt: sql`clock_timestamp()` })
      .where(isNext)
      .returning({ kid: signingKeys.kid, encryptedPrivateKey: signingKeys.encryptedPrivateKey });
    if (!current) throw new Error('The update answered no row.');
    decryptKey(current, masterKey); // With another master key than the servers have, they could not sign any more.
    return { current: current.kid, next: await add(tx, masterKey, { isActive: false }) };
  });
}

/** RFC 7638: SHA-256 over the required members in the order of their names. */
export function thumbprintOf(x: string): string {
  return hash('sha256', JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }), 'base64url');
}

/**
 * Held until the transaction ends, by way of the epoch, whose raise makes running processes read the keys anew. First of
 * all in it, so that its other statements see what others have committed.
 */
async function lock(tx: Db): Promise<void> {
  await raiseEpochs(tx, [signingKeysSubject]);
}

async function hasBoth(tx: Db): Promise<boolean> {
  const found = await tx.select({ kid: signingKeys.kid }).from(signingKeys).where(or(isNext, isCurrent));
  return found.length >= 2;
}

async function addMissing(tx: Db, masterKey: MasterKey): Promise<void> {
  const [counts] = await tx
    .select({
      current: sql<number>`count(*) filter (where ${isCurrent})::int`,
      next: sql<number>`count(*) filter (where ${isNext})::int`,
    })
    .from(signingKeys);
  if (!counts?.current) await add(tx, masterKey, { isActive: true });
  if (!counts?.next) await add(tx, masterKey, { isActive: false });
}

async function add(tx: Db, masterKey: MasterKey, { isActive }: { isActive: boolean }): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const kid = thumbprintOf(x);
  await tx.insert(signingKeys).values({
    kid,
    publicKey: x,
    encryptedPrivateKey: masterKey.encrypt(privateKey.export({ type: 'pkcs8', format: 'der' }), kid),
    ...(isActive && { activatedAt: sql`clock_timestamp()` }),
  });
  return kid;
}

/** The public half comes of the private one: what the table says of it is for people. */
function decryptKey({ kid, encryptedPrivateKey }: { kid: string; encryptedPrivateKey: string }, masterKey: MasterKey) {
  const privateKey = createPrivateKey({ key: decrypt(), type: 'pkcs8', format: 'der' });
  const publicKey = createPublicKey(privateKey);
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, publicKey, x };

  function decrypt(): Buffer {
    try {
      return masterKey.decrypt(encryptedPrivateKey, kid);
    } catch (error) {
      const reason = error instanceof Error ? error.message : '';
      throw new Error(`The signing key ${kid} cannot be read. ${reason}`, { cause: error });
    }
  }
}
