import { and, desc, eq, isNull, ne, sql } from 'drizzle-orm';
import type { Role, Tier } from '../auth/roles.ts';
import type { InstantAndId, Page } from '../graphql/connection.ts';
import type { Db } from '../storage/db.ts';
import { newId } from '../storage/id.ts';
import { users } from './table.ts';

/** A user as the API shows it: nothing of the password. */
export type UserView = {
  id: string;
  email: string;
  roles: Role[];
  tier: Tier;
  disabledAt: Date | null;
  createdAt: Date;
};

/** `email` in its canonical form. */
export type NewUser = { email: string; passwordHash: string; roles: Role[]; tier: Tier };

/** Any number will do that nothing else in the database takes as its advisory lock. */
const adminsLockKey = 7_305_219_842;

const view = {
  id: users.id,
  email: users.email,
  roles: users.roles,
  tier: users.tier,
  disabledAt: users.disabledAt,
  createdAt: users.createdAt,
};
const isEnabledAdmin = and(sql`'ADMIN' = any(${users.roles})`, isNull(users.disabledAt));

/** The user, also a disabled one. */
export async function findById(db: Db, id: string): Promise<UserView | null> {
  const [user] = await db.select(view).from(users).where(eq(users.id, id));
  return user ?? null;
}

/** Users, the newest first; one more than the page holds where more follow. */
export function list(db: Db, page: Page<InstantAndId>): Promise<UserView[]> {
  const after =
    page.after && sql`(${users.createdAt}, ${users.id}) < (${page.after[0]}::timestamptz, ${page.after[1]})`;
  return db
    .select(view)
    .from(users)
    .where(after ?? undefined)
    .orderBy(desc(users.createdAt), desc(users.id))
    .limit(page.size + 1);
}

/** Whether there is any user at all, disabled ones too. */
export async function hasAny(db: Db): Promise<boolean> {
  const found = await db.select({ id: users.id }).from(users).limit(1);
  return found.length > 0;
}

/** Adds a user, or answers null where the address is taken; that leaves a transaction usable. */
export async function create(db: Db, user: NewUser): Promise<UserView | null> {
  const [created] = await db
    .insert(users)
    .values({ id: newId('user'), ...user })
    .onConflictDoNothing({ target: users.email })
    .returning(view);
  return created ?? null;
}

/** Whether the user is an enabled ADMIN; nobody changes the user until the transaction ends. */
export async function holdAdmin(db: Db, id: string): Promise<boolean> {
  // Not in the condition, which would leave a user free who is just being made an ADMIN.
  const [user] = await db
    .select({ isAdmin: sql<boolean>`${isEnabledAdmin}` })
    .from(users)
    .where(eq(users.id, id))
    .for('no key update');
  return user?.isAdmin ?? false;
}

/** Nobody else changes the user until the transaction ends. */
export async function hold(db: Db, id: string): Promise<void> {
  await db.select({ id: users.id }).from(users).where(eq(users.id, id)).for('no key update');
}

/** Replaces the roles; null where there is no such user. */
export async function setRoles(db: Db, id: string, roles: Role[]): Promise<UserView | null> {
  const [user] = await db.update(users).set({ roles }).where(eq(users.id, id)).returning(view);
  return user ?? null;
}

/** Replaces the tier; null where there is no such user. */
export async function setTier(db: Db, id: string, tier: Tier): Promise<UserView | null> {
  const [user] = await db.update(users).set({ tier }).where(eq(users.id, id)).returning(view);
  return user ?? null;
}

/** Disables a user, or answers one that is disabled already as it is; null where there is no such user. */
export async function disable(db: Db, id: string): Promise<UserView | null> {
  const [user] = await db
    .update(users)
    .set({ disabledAt: sql`coalesce(${users.disabledAt}, now())` })
    .where(eq(users.id, id))
    .returning(view);
  return user ?? null;
}

/** The PHC string of an enabled user's password. */
export async function findPasswordHash(db: Db, id: string): Promise<string | null> {
  const [user] = await db
    .select({ passwordHash: users.passwordHash })
    .from(users)
    .where(and(eq(users.id, id), isNull(users.disabledAt)));
  return user?.passwordHash ?? null;
}

/** Replaces the hash of an enabled user's password; null where it is not `from` any more. */
export async function replacePasswordHash(
  db: Db,
  id: string,
  hashes: { from: string; to: string },
): Promise<UserView | null> {
  const [user] = await db
    .update(users)
    .set({ passwordHash: hashes.to })
    .where(and(eq(users.id, id), eq(users.passwordHash, hashes.from), isNull(users.disabledAt)))
    .returning(view);
  return user ?? null;
}

/** Until the end of the transaction nobody else takes the rights of an ADMIN. Needs READ COMMITTED: see hasOtherAdmin. */
export async function lockAdmins(db: Db): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(${adminsLockKey}::bigint)`);
}

/** Whether an enabled ADMIN beside this user exists: a statement of its own, so that it sees what the lock waited for. */
export async function hasOtherAdmin(db: Db, id: string): Promise<boolean> {
  const found = await db
    .select({ id: users.id })
    .from(users)
    .where(and(isEnabledAdmin, ne(users.id, id)))
    .limit(1);
  return found.length > 0;
}
