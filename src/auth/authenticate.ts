import type { LastUsed } from '../apiKeys/lastUsed.ts';
import type { ApiKeyRecord } from '../apiKeys/repository.ts';
import { authenticateApiKey } from '../apiKeys/strategy.ts';
import { DependencyUnavailableError, NexusError, UnauthenticatedError } from '../errors.ts';
import { authenticateSession, type SessionStrategy, type SessionVerdict } from '../sessions/strategy.ts';
import { isDependencyFailure } from '../storage/failures.ts';
import type { AccessTokens } from './accessToken.ts';
import type { Credentials } from './credentials.ts';
import type { ForeignCallers, Origin } from './foreignCallers.ts';
import { unverifiedIssuerOf } from './oidc.ts';
import type { Caller, Principal } from './principal.ts';
import { authenticateAccessToken } from './tokenStrategy.ts';
import type { VerdictCache } from './verdictCache.ts';

/** What credentials are checked against. */
export type Authentication = SessionStrategy & {
  apiKeyCache: VerdictCache<ApiKeyRecord>;
  accessTokens: AccessTokens;
  /** Of another issuer; null: our own tokens alone are accepted. */
  foreignCallers: ForeignCallers | null;
  lastUsed: LastUsed;
};

/** Who calls, or why nobody may with these credentials; and the session cookie that the answer has to set. */
export type Authenticated = { caller: Caller; refusal: NexusError | null; newCookie?: string };

/**
 * Who the credentials stand for: nobody where there are none, and a refusal where they are bad, never a fall-back to
 * anonymous. A database or an issuer that does not answer is a refusal too; nothing that a client sends makes this reject.
 */
export async function authenticate(
  credentials: Credentials,
  origin: Origin,
  deps: Authentication,
): Promise<Authenticated> {
  if (credentials.kind === 'NONE') return { caller: null, refusal: null };
  if (credentials.kind === 'REFUSED') return { caller: null, refusal: credentials.refusal };
  try {
    const verdict = await check(credentials, origin, deps);
    if (!verdict) return { caller: null, refusal: new UnauthenticatedError() };
    return { caller: verdict.principal, refusal: null, newCookie: verdict.newCookie };
  } catch (error) {
    if (error instanceof NexusError) return { caller: null, refusal: error };
    if (!isDependencyFailure(error)) throw error;
    return { caller: null, refusal: new DependencyUnavailableError('database', { cause: error }) };
  }
}

async function check(
  credential: Exclude<Credentials, { kind: 'NONE' | 'REFUSED' }>,
  origin: Origin,
  deps: Authentication,
): Promise<SessionVerdict | null> {
  if (credential.kind === 'SESSION') return authenticateSession(deps, credential.secret, Date.now());
  const principal = await checkBearer(credential.kind, credential.secret, origin, deps);
  return principal && { principal };
}

function checkBearer(
  kind: 'API_KEY' | 'ACCESS_TOKEN',
  secret: string,
  origin: Origin,
  { db, apiKeyCache, sessionCache, accessTokens, foreignCallers, lastUsed }: Authentication,
): Promise<Principal | null> {
  switch (kind) {
    case 'API_KEY':
      return authenticateApiKey({ db, cache: apiKeyCache, lastUsed }, secret, origin.ip);
    case 'ACCESS_TOKEN':
      if (foreignCallers && foreignCallers.issuer === unverifiedIssuerOf(secret))
        return foreignCallers.authenticate(secret, origin);
      return authenticateAccessToken({ db, sessionCache, accessTokens }, secret);
  }
}
