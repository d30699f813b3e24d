import type { ApiKeyRecord } from './apiKeys/repository.ts';
import type { ApiKeyEnvironment } from './apiKeys/secret.ts';
import type { AccessTokens } from './auth/accessToken.ts';
import type { CredentialEpochs, Raise } from './auth/credentialEpochs.ts';
import type { Scope } from './auth/roles.ts';
import type { VerdictCache } from './auth/verdictCache.ts';
import type { IpBlocks } from './ipBlocks/feed.ts';
import type { Counters } from './limits/counters.ts';
import type { SessionCache } from './sessions/cache.ts';

/** What lives as long as the process. */
export type Services = {
  counters: Counters;
  accessTokens: AccessTokens;
  /** By the hash of the secret. */
  apiKeyCache: VerdictCache<ApiKeyRecord>;
  /** Which API keys this deployment makes. */
  apiKeyEnvironment: ApiKeyEnvironment;
  /** The scopes that at least one field asks for. */
  usedScopes: ReadonlySet<Scope>;
  sessionCache: SessionCache;
  ipBlocks: Pick<IpBlocks, 'isProtected' | 'announce'>;
  wasRaisedSince: CredentialEpochs['wasRaisedSince'];
  /** For raises that are committed: what was read before them is not believed any more, here and elsewhere. */
  announceRaises(raises: readonly Raise[]): void;
};
