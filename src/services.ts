import type { ApiKeyCache } from './apiKeys/cache.ts';
import type { ApiKeyEnvironment } from './apiKeys/secret.ts';
import type { AccessTokens } from './auth/accessToken.ts';
import type { Counters } from './limits/counters.ts';
import type { SessionCache } from './sessions/cache.ts';

/** What lives as long as the process. */
export type Services = {
  counters: Counters;
  accessTokens: AccessTokens;
  apiKeyCache: ApiKeyCache;
  /** Which API keys this deployment makes. */
  apiKeyEnvironment: ApiKeyEnvironment;
  sessionCache: SessionCache;
};
