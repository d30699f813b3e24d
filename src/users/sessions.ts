import { and, eq, ne, sql } from 'drizzle-orm';
import { isLiveSession, sessions } from '../sessions/table.ts';
import type { Db } from '../storage/db.ts';

// Call these after the row of the user has been changed in the same transaction: a log-in holds that row until its
// session is committed, so that its session is seen here, or it sees the change.

/** Holds the user's living sessions until the transaction ends: who changes one of them is waited for before it. */
export async function holdLive(db: Db, userId: string): Promise<void> {
  await db
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), isLiveSession))
    .orderBy(sessions.id)
    .for('no key update');
}

/** Revokes the user's living sessions, all but the one that is spared; answers their ids. */
export async function revokeLive(db: Db, userId: string, sparedId: string | null): Promise<string[]> {
  const revoked = await db
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.userId, userId), isLiveSession, sparedId === null ? undefined : ne(sessions.id, sparedId)))
    .returning({ id: sessions.id });
  return revoked.map(({ id }) => id);
}
