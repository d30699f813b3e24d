import { sql } from 'drizzle-orm';
import { apiKeys } from '../apiKeys/table.ts';
import { UnauthenticatedError } from '../errors.ts';
import { sessions } from '../sessions/table.ts';
import { type Db, rows } from '../storage/db.ts';
import { users } from '../users/table.ts';
import type { Caller } from './principal.ts';
import { mayGrantRole, type Role } from './roles.ts';

/**
 * Rejects with UNAUTHENTICATED where the caller's user, session or key has since lost what the request came in with:
 * by another request, or by an earlier field of the same one.
 */
export async function recheckCaller(db: Db, caller: Caller): Promise<void> {
  if (!caller) return;
  const { userId, sessionId, apiKeyId } = caller;
  const result = await db.execute(sql`
    select roles from ${users}
    where id = ${userId} and disabled_at is null
      and (${sessionId}::text is null or exists (select from ${sessions} where id = ${sessionId} and revoked_at is null))
      and (${apiKeyId}::text is null or exists (select from ${apiKeys} where id = ${apiKeyId} and revoked_at is null))`);
  const [user] = rows<{ roles: Role[] }>(result);
  if (!user || !caller.roles.every((role) => mayGrantRole(user.roles, role))) throw new UnauthenticatedError();
}
