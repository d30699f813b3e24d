import { sql } from 'drizzle-orm';
import { apiKeys } from '../apiKeys/table.ts';
import { UnauthenticatedError } from '../errors.ts';
import { sessions } from '../sessions/table.ts';
import { type Db, rows } from '../storage/db.ts';
import { users } from '../users/table.ts';
import { epochOfEverybody, haveEpochsMoved } from './credentialEpochs.ts';
import type { Caller, Principal } from './principal.ts';
import { mayGrantRole, type Role } from './roles.ts';

/**
 * Rejects with UNAUTHENTICATED where the caller's user, session or key has since lost what the request came in with:
 * by another request, or by an earlier field of the same one. Where it resolves, nothing of it is taken away before this
 * transaction has ended, so this is the last thing to do before its commit. What the transaction itself takes away does
 * not count.
 */
export async function recheckCaller(tx: Db, caller: Caller): Promise<void> {
  if (!caller || !(await haveEpochsMoved(tx, caller.basis))) return;
  // Something has changed; a statement of its own, so that it sees what the first one may have waited for.
  if (!(await hasStillItsRights(tx, caller))) throw new UnauthenticatedError();
}

async function hasStillItsRights(tx: Db, { userId, sessionId, apiKeyId, keyHash, roles, basis }: Principal) {
  const isForeign = sessionId === null && apiKeyId === null;
  const result = await tx.execute(sql`
    select roles from ${users}
    where id = ${userId} and disabled_at is null
      and (not ${isForeign}::boolean or ${epochOfEverybody} <= ${basis.epochs[0]})
      and (${sessionId}::text is null or exists (
        select from ${sessions} where id = ${sessionId} and revoked_at is null and epoch > ${epochOfEverybody}
      ))
      and (${apiKeyId}::text is null or exists (
        select from ${apiKeys} where id = ${apiKeyId} and revoked_at is null and epoch > ${epochOfEverybody}
          and (secret_hash = ${keyHash} or (previous_secret_hash = ${keyHash} and previous_expires_at > now()))
      ))`);
  const [user] = rows<{ roles: Role[] }>(result);
  return user !== undefined && roles.every((role) => mayGrantRole(user.roles, role));
}
