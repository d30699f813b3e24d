import { eq } from 'drizzle-orm';
import type { Db } from '../storage/db.ts';
import { users } from '../users/table.ts';
import type { Caller, Principal } from './principal.ts';

/** An address never changes, and a principal lives for seconds. */
const emails = new WeakMap<Principal, string>();

/** Whether the caller comes with a working session, or an access token of one, of the account with this canonical address. */
export async function isOwnAccount(db: Db, caller: Caller, email: unknown): Promise<boolean> {
  if (!caller?.sessionId) return false;
  return email === (emails.get(caller) ?? (await readEmail(db, caller)));
}

async function readEmail(db: Db, principal: Principal): Promise<string | undefined> {
  const [user] = await db.select({ email: users.email }).from(users).where(eq(users.id, principal.userId));
  if (user) emails.set(principal, user.email);
  return user?.email;
}
