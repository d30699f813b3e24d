import type { LastUsed } from '../apiKeys/lastUsed.ts';
import type { ApiKeyRecord } from '../apiKeys/repository.ts';
import { authenticateApiKey } from '../apiKeys/strategy.ts';
import { DependencyUnavailableError, type NexusError, UnauthenticatedError } from '../errors.ts';
import type { SessionCache } from '../sessions/cache.ts';
import { authenticateSession } from '../sessions/strategy.ts';
import type { Db } from '../storage/db.ts';
import { isDependencyFailure } from '../storage/failures.ts';
import type { AccessTokens } from './accessToken.ts';
import type { Credentials } from './credentials.ts';
import type { Caller, Principal } from './principal.ts';
import { authenticateAccessToken } from './tokenStrategy.ts';
import type { VerdictCache } from './verdictCache.ts';

/** What credentials are checked against. */
export type Authentication = {
  db: Db;
  apiKeyCache: VerdictCache<ApiKeyRecord>;
  sessionCache: SessionCache;
  accessTokens: AccessTokens;
  lastUsed: LastUsed;
};

/** Who calls, or why nobody may with these credentials. */
export type Authenticated = { caller: Caller; refusal: NexusError | null };

/**
 * Who the credentials stand for: nobody where there are none, and a refusal where they are bad, never a fall-back to
 * anonymous. A database that does not answer is a refusal too; nothing that a client sends makes this reject.
 */
export async function authenticate(credentials: Credentials, ip: string, deps: Authentication): Promise<Authenticated> {
  if (credentials.kind === 'NONE') return { caller: null, refusal: null };
  if (credentials.kind === 'REFUSED') return { caller: null, refusal: credentials.refusal };
  try {
    const caller = await check(credentials, ip, deps);
    return { caller, refusal: caller ? null : new UnauthenticatedError() };
  } catch (error) {
    if (!isDependencyFailure(error)) throw error;
    return { caller: null, refusal: new DependencyUnavailableError('database', { cause: error }) };
  }
}

function check(
  credential: Exclude<Credentials, { kind: 'NONE' | 'REFUSED' }>,
  ip: string,
  { db, apiKeyCache, sessionCache, accessTokens, lastUsed }: Authentication,
): Promise<Principal | null> {
  switch (credential.kind) {
    case 'API_KEY':
      return authenticateApiKey({ db, cache: apiKeyCache, lastUsed }, credential.secret, ip);
    case 'ACCESS_TOKEN':
      return authenticateAccessToken({ db, sessionCache, accessTokens }, credential.secret);
    case 'SESSION':
      return authenticateSession(db, sessionCache, credential.secret, Date.now());
  }
}
