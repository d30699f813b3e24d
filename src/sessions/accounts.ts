import { and, eq, isNull } from 'drizzle-orm';
import type { Db } from '../storage/db.ts';
import { users } from '../users/table.ts';

/** What a password is checked against. */
export type Account = { id: string; passwordHash: string; disabledAt: Date | null };

/** The account of a canonical address, of a disabled user too, so that it takes the same time. */
export async function findByEmail(db: Db, email: string): Promise<Account | null> {
  const [account] = await db
    .select({ id: users.id, passwordHash: users.passwordHash, disabledAt: users.disabledAt })
    .from(users)
    .where(eq(users.email, email));
  return account ?? null;
}

/**
 * The user as the API shows it, unless disabled or given another password since the account was read. The row is held
 * until the transaction ends: who changes the password or the roles, or disables the user, either is seen here, or waits
 * and then sees the session that this transaction adds.
 */
export async function holdUser(db: Db, { id, passwordHash }: Pick<Account, 'id' | 'passwordHash'>) {
  const [user] = await db
    .select({
      id: users.id,
      email: users.email,
      roles: users.roles,
      tier: users.tier,
      disabledAt: users.disabledAt,
      createdAt: users.createdAt,
    })
    .from(users)
    .where(and(eq(users.id, id), eq(users.passwordHash, passwordHash), isNull(users.disabledAt)))
    .for('share');
  return user ?? null;
}

/** Whether there is such a user, disabled ones too. */
export async function exists(db: Db, id: string): Promise<boolean> {
  const found = await db.select({ id: users.id }).from(users).where(eq(users.id, id));
  return found.length > 0;
}

/** Until the transaction ends nobody logs in as this user; waits for log-ins that are under way. */
export async function holdForChange(db: Db, id: string): Promise<void> {
  await db.select({ id: users.id }).from(users).where(eq(users.id, id)).for('no key update');
}
