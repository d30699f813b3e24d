import type { Principal } from '../auth/principal.ts';
import { scopesOfRoles } from '../auth/roles.ts';
import type { Db } from '../storage/db.ts';
import type { SessionCache } from './cache.ts';
import { endOf } from './lifetime.ts';
import type { LiveSession } from './repository.ts';
import * as sessions from './repository.ts';
import { isSecretOf, parseSessionCookie } from './secret.ts';

/**
 * Who a session cookie stands for at `now` (milliseconds); null where the cookie is no good: malformed, unknown, of
 * another secret, ended, revoked, of a disabled user. Rejects only where Postgres fails.
 */
export async function authenticateSession(
  db: Db,
  cache: SessionCache,
  cookieValue: string,
  now: number,
): Promise<Principal | null> {
  const cookie = parseSessionCookie(cookieValue);
  if (!cookie) return null;
  const session = await findUsable(db, cache, cookie.id, now);
  if (!session || !isSecretOf(cookie.secret, session.secretHash)) return null;
  cache.touch(db, session, now);
  return principalOf(session);
}

/**
 * Who a living session stands for, without a cookie: for a signed access token, whose use is a use of its session. The
 * caller narrows kind, roles and scopes to those of the token.
 */
export async function findSessionPrincipal(
  db: Db,
  cache: SessionCache,
  sessionId: string,
  now = Date.now(),
): Promise<Principal | null> {
  const session = await findUsable(db, cache, sessionId, now);
  if (!session) return null;
  cache.touch(db, session, now);
  return principalOf(session);
}

const principals = new WeakMap<LiveSession, Principal>();

/** One principal for each copy that the cache holds: what is decided of a principal is decided once. */
function principalOf(session: LiveSession): Principal {
  const known = principals.get(session);
  if (known) return known;
  const principal = createPrincipal(session);
  principals.set(session, principal);
  return principal;
}

/** With every scope that its user's roles allow. */
function createPrincipal({ id, userId, roles, tier, createdAt, basis }: LiveSession): Principal {
  return {
    kind: 'SESSION',
    userId,
    roles,
    scopes: scopesOfRoles(roles),
    tier,
    agentId: null,
    apiKeyId: null,
    keyHash: null,
    sessionId: id,
    authenticatedAt: createdAt,
    basis,
  };
}

async function findUsable(db: Db, cache: SessionCache, id: string, now: number): Promise<LiveSession | null> {
  const session = await cache.find(db, id);
  if (!session || now < endOf(session)) return session;
  // The copy may be older than the last use: before the session counts as unused for too long, the truth is asked.
  const latest = await sessions.findLive(db, id);
  return latest && now < endOf(latest) ? latest : null;
}
