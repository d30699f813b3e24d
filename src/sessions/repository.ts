import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import { type Basis, epochOf, epochOfEverybody, everybody } from '../auth/credentialEpochs.ts';
import type { Role, Tier } from '../auth/roles.ts';
import type { InstantAndId, Page } from '../graphql/connection.ts';
import type { Db } from '../storage/db.ts';
import { newId } from '../storage/id.ts';
import { createStatementCache } from '../storage/statementCache.ts';
import { users } from '../users/table.ts';
import { endOf } from './lifetime.ts';
import { isLiveSession, sessions } from './table.ts';

/** A session as the API shows it: nothing of the cookie's secret. */
export type SessionView = {
  id: string;
  user: { id: string };
  ip: string;
  userAgent: string | null;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
  current: boolean;
};

/** A session that lets its user in, with what the user may do now; instants in milliseconds. */
export type LiveSession = {
  id: string;
  secretHash: string;
  userId: string;
  roles: Role[];
  tier: Tier;
  createdAt: number;
  lastSeenAt: number;
  /** The credential epoch in which its secret was made. */
  epoch: number;
  basis: Basis;
};

export type NewSession = { userId: string; secretHash: string; ip: string; userAgent: string | null };

const maxUserAgentLength = 512;

/** The session that is neither revoked nor at its end, of a user who is not disabled; by the clock of the database. */
export async function findLive(db: Db, id: string): Promise<LiveSession | null> {
  const [row] = await findLiveStatements(db, '', () => prepareFindLive(db)).execute({ id });
  if (!row) return null;
  const { globalEpoch, userEpoch, sessionEpoch, ...session } = row;
  return {
    ...session,
    createdAt: session.createdAt.getTime(),
    lastSeenAt: session.lastSeenAt.getTime(),
    basis: { subjects: [everybody, session.userId, session.id], epochs: [globalEpoch, userEpoch, sessionEpoch] },
  };
}

/** A session of this owner, of anybody where `ownerId` is null; `currentId` is the session of the request. */
export async function findById(
  db: Db,
  id: string,
  ownerId: string | null,
  currentId: string | null,
): Promise<SessionView | null> {
  const [row] = await db.select().from(sessions).where(isOwned(id, ownerId));
  return row ? viewOf(row, currentId) : null;
}

/** A user's sessions, ended ones too, the newest first; one more than the page holds where more follow. */
export async function list(
  db: Db,
  userId: string,
  page: Page<InstantAndId>,
  currentId: string | null,
): Promise<SessionView[]> {
  const { after } = page;
  const rows = await db
    .select()
    .from(sessions)
    .where(
      and(
        eq(sessions.userId, userId),
        after ? sql`(${sessions.createdAt}, ${sessions.id}) < (${after[0]}::timestamptz, ${after[1]})` : undefined,
      ),
    )
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .limit(page.size + 1);
  return rows.map((row) => viewOf(row, currentId));
}

/** Adds a session that begins now; the answer is that of the request which begins it. */
export async function create(db: Db, session: NewSession): Promise<SessionView> {
  const id = newId('sess');
  const userAgent = session.userAgent?.slice(0, maxUserAgentLength) ?? null;
  const [row] = await db
    .insert(sessions)
    .values({ ...session, id, userAgent })
    .returning();
  if (!row) throw new Error('The insert answered no row.');
  return viewOf(row, id);
}

/** Whether there is such a session of this owner, of anybody where `ownerId` is null; held until the transaction ends. */
export async function holdForChange(db: Db, id: string, ownerId: string | null): Promise<boolean> {
  const found = await db.select({ id: sessions.id }).from(sessions).where(isOwned(id, ownerId)).for('no key update');
  return found.length > 0;
}

/** Revokes a session that is there; one that is revoked already stays as it is. */
export async function revoke(db: Db, id: string, currentId: string | null): Promise<SessionView> {
  const [row] = await db
    .update(sessions)
    .set({ revokedAt: sql`coalesce(${sessions.revokedAt}, now())` })
    .where(eq(sessions.id, id))
    .returning();
  if (!row) throw new Error('The session that was there is gone.');
  return viewOf(row, currentId);
}

/** Revokes a session that is not revoked yet; answers whether it did. */
export async function revokeOnce(db: Db, id: string): Promise<boolean> {
  const revoked = await db
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.id, id), isNull(sessions.revokedAt)))
    .returning({ id: sessions.id });
  return revoked.length > 0;
}

/** Notes that a session was used; forward only and once a minute, however many processes note it. */
export async function touch(db: Db, id: string): Promise<void> {
  await db
    .update(sessions)
    .set({ lastSeenAt: sql`now()` })
    .where(and(eq(sessions.id, id), sql`${sessions.lastSeenAt} < now() - interval '1 minute'`));
}

const findLiveStatements = createStatementCache<ReturnType<typeof prepareFindLive>>(1);

function prepareFindLive(db: Db) {
  return db
    .select({
      id: sessions.id,
      secretHash: sessions.secretHash,
      userId: sessions.userId,
      roles: users.roles,
      tier: users.tier,
      createdAt: sessions.createdAt,
      lastSeenAt: sessions.lastSeenAt,
      epoch: sessions.epoch,
      globalEpoch: epochOfEverybody,
      userEpoch: epochOf(users.id),
      sessionEpoch: epochOf(sessions.id),
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(
      and(
        eq(sessions.id, sql.placeholder('id')),
        isLiveSession,
        isNull(users.disabledAt),
        sql`${sessions.epoch} > ${epochOfEverybody}`,
      ),
    )
    .prepare('find_live_session');
}

function isOwned(id: string, ownerId: string | null) {
  return and(eq(sessions.id, id), ownerId === null ? undefined : eq(sessions.userId, ownerId));
}

function viewOf(row: typeof sessions.$inferSelect, currentId: string | null): SessionView {
  const { id, userId, ip, userAgent, createdAt, lastSeenAt, revokedAt } = row;
  const expiresAt = new Date(endOf({ createdAt: createdAt.getTime(), lastSeenAt: lastSeenAt.getTime() }));
  return {
    id,
    user: { id: userId },
    ip,
    userAgent,
    createdAt,
    lastSeenAt,
    expiresAt,
    revokedAt,
    current: id === currentId,
  };
}
