import type { Raise } from '../auth/credentialEpochs.ts';
import type { Principal } from '../auth/principal.ts';
import { scopesOfRoles } from '../auth/roles.ts';
import type { Db } from '../storage/db.ts';
import type { SessionCache } from './cache.ts';
import { endOf } from './lifetime.ts';
import { findReplaced, isSecretOutdated, replaceSecret } from './replaceSecret.ts';
import type { LiveSession } from './repository.ts';
import * as sessions from './repository.ts';
import { hashSecret, isSecretOf, parseSessionCookie } from './secret.ts';

/** What session cookies are checked with. */
export type SessionStrategy = {
  db: Db;
  sessionCache: SessionCache;
  /** For raises that are committed. */
  announceRaises(raises: readonly Raise[]): void;
  /** Ends a session whose cookie somebody else has too; resolves when that is committed. */
  revokeStolen(session: StolenSession): Promise<void>;
};

export type StolenSession = Pick<LiveSession, 'id' | 'userId'>;

/** Who a cookie stands for, and the cookie to go on with where it is another. */
export type SessionVerdict = { principal: Principal; newCookie?: string };

type Cookie = { id: string; secret: string };

/**
 * Who a session cookie stands for at `now` (milliseconds); null where the cookie is no good: malformed, unknown, of
 * another secret, ended, revoked, of a disabled user. After a change of the user's rights the answer has a new cookie,
 * the old one works for 30 s more, and then ends its session: whoever comes with it has stolen it, or was robbed. Rejects
 * only where Postgres fails.
 */
export async function authenticateSession(
  strategy: SessionStrategy,
  cookieValue: string,
  now: number,
): Promise<SessionVerdict | null> {
  const { db, sessionCache } = strategy;
  const cookie = parseSessionCookie(cookieValue);
  const session = cookie && (await findUsable(db, sessionCache, cookie.id, now));
  if (!cookie || !session) return null;
  const verdict = (await admitPresent(strategy, cookie, session)) ?? (await admitLatest(strategy, cookie));
  if (verdict) sessionCache.touch(db, session, now);
  return verdict;
}

/** Null where the cookie's secret is not the session's, or not any more when it is to be replaced. */
async function admitPresent(
  { db, announceRaises }: SessionStrategy,
  { secret }: Cookie,
  session: LiveSession,
): Promise<SessionVerdict | null> {
  if (!isSecretOf(secret, session.secretHash)) return null;
  if (!isSecretOutdated(session)) return { principal: principalOf(session) };
  const replacement = await replaceSecret(db, session);
  if (!replacement) return null;
  announceRaises(replacement.raises);
  return { principal: principalOf(session), newCookie: replacement.cookie };
}

/** By Postgres: a copy may be older than the secret, and the secret may be one that was replaced. */
async function admitLatest(strategy: SessionStrategy, cookie: Cookie): Promise<SessionVerdict | null> {
  const { db, revokeStolen } = strategy;
  const session = await sessions.findLive(db, cookie.id);
  if (!session) return null;
  const verdict = await admitPresent(strategy, cookie, session);
  if (verdict) return verdict;
  // A secret that the session never had ends nothing: whoever knows the id alone cannot log its user out.
  const replaced = await findReplaced(db, session.id, hashSecret(cookie.secret));
  if (replaced?.works) return { principal: principalOf(session) };
  if (replaced) await revokeStolen(session);
  return null;
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
