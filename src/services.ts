import type { AgentLoader } from './agents/loader.ts';
import type { ApiKeyCache } from './apiKeys/cache.ts';
import type { ApiKeyEnvironment } from './apiKeys/secret.ts';
import type { AccessTokens } from './auth/accessToken.ts';
import type { Counters } from './limits/counters.ts';
import type { SessionCache } from './sessions/cache.ts';
import type { Db } from './storage/db.ts';
import type { AgentTasksLoader } from './tasks/loader.ts';
import type { TelemetryLoader } from './telemetry/loader.ts';

/** What lives as long as the process. */
export type Services = {
  counters: Counters;
  accessTokens: AccessTokens;
  apiKeyCache: ApiKeyCache;
  /** Which API keys this deployment makes. */
  apiKeyEnvironment: ApiKeyEnvironment;
  sessionCache: SessionCache;
  /** Loaders for one request, or for one transaction. */
  createLoaders(db: Db): Loaders;
};

/** What lives as long as one request, and batches its reads. */
export type Loaders = {
  agents: AgentLoader;
  agentTasks: AgentTasksLoader;
  latestTelemetry: TelemetryLoader;
};
