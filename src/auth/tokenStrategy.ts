import type { SessionCache } from '../sessions/cache.ts';
import { findSessionPrincipal } from '../sessions/strategy.ts';
import type { Db } from '../storage/db.ts';
import type { AccessTokenClaims, AccessTokens } from './accessToken.ts';
import type { Principal } from './principal.ts';
import { restrictRole } from './restrictRole.ts';

/** What the strategy works with. */
export type TokenStrategy = { db: Db; sessionCache: SessionCache; accessTokens: AccessTokens };

/**
 * Who the token stands for: what it was given, and never more than its user has now. Null where it is not one of ours,
 * has expired, or its session is over. Rejects only where a store fails.
 */
export async function authenticateAccessToken(
  { db, sessionCache, accessTokens }: TokenStrategy,
  token: string,
): Promise<Principal | null> {
  const claims = await accessTokens.verify(token);
  const session = claims && (await findSessionPrincipal(db, sessionCache, claims.sessionId));
  if (!claims || !session || session.userId !== claims.userId) return null;
  return principalOf(claims, session);
}

const principals = new WeakMap<AccessTokenClaims, { session: Principal; principal: Principal }>();

/** One principal for a token as long as its session's copy is the same: what is decided of it is decided once. */
function principalOf(claims: AccessTokenClaims, session: Principal): Principal {
  const known = principals.get(claims);
  if (known?.session === session) return known.principal;
  const principal = createPrincipal(claims, session);
  principals.set(claims, { session, principal });
  return principal;
}

function createPrincipal(claims: AccessTokenClaims, session: Principal): Principal {
  const roles = claims.roles.map((role) => restrictRole(role, session.roles)).filter((role) => role !== null);
  return {
    ...session,
    kind: 'ACCESS_TOKEN',
    roles: [...new Set(roles)],
    scopes: new Set(claims.scopes.filter((scope) => session.scopes.has(scope))),
  };
}
