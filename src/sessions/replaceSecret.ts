import { and, eq, isNull, sql } from 'drizzle-orm';
import { epochOfEverybody, everybody, type Raise, raiseEpochs, tryHoldEpochs } from '../auth/credentialEpochs.ts';
import type { Db } from '../storage/db.ts';
import type { LiveSession } from './repository.ts';
import { formatSessionCookie, hashSecret, newSessionSecret } from './secret.ts';
import { replacedSessionSecrets, sessions } from './table.ts';

/** How long a replaced secret still works: for requests that were under way, or sent beside the one that replaced it. */
const graceSeconds = 30;

/** The new cookie of a session, and what is to be announced of it now that it is committed. */
export type Replacement = { cookie: string; raises: Raise[] };

/** Whether the rights of the session's user have changed since its secret was made. */
export function isSecretOutdated({ epoch, basis }: LiveSession): boolean {
  const [, userEpoch] = basis.epochs;
  return epoch < userEpoch;
}

/** Gives the session a new secret; null, and nothing changed, where the one that was read is not its secret any more. */
export function replaceSecret(db: Db, session: LiveSession): Promise<Replacement | null> {
  const secret = newSessionSecret();
  return db.transaction(async (tx) => {
    if (!(await swap(tx, session, hashSecret(secret)))) return null;
    const raises = await raiseEpochs(tx, [session.id]);
    await renewEpoch(tx, session);
    return { cookie: formatSessionCookie(session.id, secret), raises };
  });
}

/** Whether the session had this secret before its present one, and whether that is so recent that it still works. */
export async function findReplaced(db: Db, sessionId: string, secretHash: string): Promise<{ works: boolean } | null> {
  const [replaced] = await db
    .select({
      works: sql<boolean>`${replacedSessionSecrets.replacedAt} > now() - make_interval(secs => ${graceSeconds})`,
    })
    .from(replacedSessionSecrets)
    .where(and(eq(replacedSessionSecrets.secretHash, secretHash), eq(replacedSessionSecrets.sessionId, sessionId)));
  return replaced ?? null;
}

async function swap(tx: Db, { id, secretHash }: LiveSession, newHash: string): Promise<boolean> {
  const isAsRead = and(eq(sessions.id, id), eq(sessions.secretHash, secretHash), isNull(sessions.revokedAt), isOfNow);
  const swapped = await tx.update(sessions).set({ secretHash: newHash }).where(isAsRead).returning({ id: sessions.id });
  if (swapped.length === 0) return false;
  await tx.insert(replacedSessionSecrets).values({ secretHash, sessionId: id });
  return true;
}

/**
 * Says that the secret is newer than every change of rights so far. Where such a change is under way, it is not: the
 * epoch stays as it is, and the next request replaces the secret again. Waiting here could deadlock with the change.
 */
async function renewEpoch(tx: Db, { id, userId }: LiveSession): Promise<void> {
  if (!(await tryHoldEpochs(tx, [everybody, userId]))) return;
  await tx
    .update(sessions)
    .set({ epoch: sql`nextval('credential_epoch')` })
    .where(and(eq(sessions.id, id), isOfNow));
}

/** A secret from before the epoch of everybody is worth nothing, and is not made good by a new one. */
const isOfNow = sql`${sessions.epoch} > ${epochOfEverybody}`;
