import { isNull, sql } from 'drizzle-orm';
import { apiKeys } from '../apiKeys/table.ts';
import { sessions } from '../sessions/table.ts';
import type { Db } from '../storage/db.ts';
import { everybody, raiseEpochs } from './credentialEpochs.ts';

/** How many of each kind were revoked. */
export type Revoked = { sessions: number; apiKeys: number };

/**
 * Revokes every session, with its access tokens, and every API key: none of them changes anything after the commit, and
 * every running process refuses them within a second.
 */
export async function revokeAll(tx: Db): Promise<Revoked> {
  // The rows first, as everybody takes the two: who changes one of them is waited for, and waits for nobody here.
  await tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(isNull(sessions.revokedAt))
    .orderBy(sessions.id)
    .for('update');
  await raiseEpochs(tx, [everybody]);
  const now = { revokedAt: sql`now()` };
  const endedSessions = await tx
    .update(sessions)
    .set(now)
    .where(isNull(sessions.revokedAt))
    .returning({ id: sessions.id });
  const endedKeys = await tx.update(apiKeys).set(now).where(isNull(apiKeys.revokedAt)).returning({ id: apiKeys.id });
  return { sessions: endedSessions.length, apiKeys: endedKeys.length };
}
