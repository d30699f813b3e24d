import type { LastUsed } from '../apiKeys/lastUsed.ts';
import type { ApiKeyRecord } from '../apiKeys/repository.ts';
import { authenticateApiKey } from '../apiKeys/strategy.ts';
import { DependencyUnavailableError, type NexusError, UnauthenticatedError } from '../errors.ts';
import { authenticateSession, type SessionStrategy, type SessionVerdict } from '../sessions/strategy.ts';
import { isDependencyFailure } from '../storage/failures.ts';
import type { AccessTokens } from './accessToken.ts';
import type { Credentials } from './credentials.ts';
import type { Caller, Principal } from './principal.ts';
import { authenticateAccessToken } from './tokenStrategy.ts';
import type { VerdictCache } from './verdictCache.ts';

/** What credentials are checked against. */
export type Authentication = SessionStrategy & {
  apiKeyCache: VerdictCache<ApiKeyRecord>;
  accessTokens: AccessTokens;
  lastUsed: LastUsed;
};

/** Who calls, or why nobody may with these credentials; and the session cookie that the answer has to set. */
export type Authenticated = { caller: Caller; refusal: NexusError | null; newCookie?: string };

/**
 * Who the credentials stand for: nobody where there are none, and a refusal where they are bad, never a fall-back to
 * anonymous. A database that does not answer is a refusal too; nothing that a client sends makes this reject.
 */
export async function authenticate(credentials: Credentials, ip: string, deps: Authentication): Promise<Authenticated> {
  if (credentials.kind === 'NONE') return { caller: null, refusal: null };
  if (credentials.kind === 'REFUSED') return { caller: null, refusal: credentials.refusal };
  try {
    const verdict = await check(credentials, ip, deps);
    if (!verdict) return { caller: null, refusal: new UnauthenticatedError() };
    return { caller: verdict.principal, refusal: null, newCookie: verdict.newCookie };
  } catch (error) {
    if (!isDependencyFailure(error)) throw error;
    return { caller: null, refusal: new DependencyUnavailableError('database', { cause: error }) };
  }
}

async function check(
  credential: Exclude<Credentials, { kind: 'NONE' | 'REFUSED' }>,
  ip: string,
  deps: Authentication,
): Promise<SessionVerdict | null> {
  if (credential.kind === 'SESSION') return authenticateSession(deps, credential.secret, Date.now());
  const principal = await checkBearer(credential.kind, credential.secret, ip, deps);
  return principal && { principal };
}

function checkBearer(
  kind: 'API_KEY' | 'ACCESS_TOKEN',
  secret: string,
  ip: string,
  { db, apiKeyCache, sessionCache, accessTokens, lastUsed }: Authentication,
): Promise<Principal | null> {
  switch (kind) {
    case 'API_KEY':
      return authenticateApiKey({ db, cache: apiKeyCache, lastUsed }, secret, ip);
    case 'ACCESS_TOKEN':
      return authenticateAccessToken({ db, sessionCache, accessTokens }, secret);
  }
}
