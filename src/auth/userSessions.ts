import { and, eq, ne, sql } from 'drizzle-orm';
import { isLiveSession, sessions } from '../sessions/table.ts';
import type { Db } from '../storage/db.ts';

// Call these holding the row of the user, as a log-in does until its session is committed: so that its session is seen
// here, or it sees what has changed.

/** Holds the user's living sessions until the transaction ends: who changes one of them is waited for. */
export async function holdLiveSessions(tx: Db, userId: string): Promise<void> {
  await tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), isLiveSession))
    .orderBy(sessions.id)
    .for('no key update');
}

/** Revokes the user's living sessions, all but the one that is spared; answers their ids. */
export async function revokeLiveSessions(tx: Db, userId: string, sparedId: string | null): Promise<string[]> {
  const revoked = await tx
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.userId, userId), isLiveSession, sparedId === null ? undefined : ne(sessions.id, sparedId)))
    .returning({ id: sessions.id });
  return revoked.map(({ id }) => id);
}
