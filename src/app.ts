import { randomBytes, randomUUID } from 'node:crypto';
import type { GraphQLSchema } from 'graphql';
import { createLastUsed } from './apiKeys/lastUsed.ts';
import { AuditDraft } from './audit/draft.ts';
import * as auditEvents from './audit/repository.ts';
import { createAccessTokens } from './auth/accessToken.ts';
import { authenticate } from './auth/authenticate.ts';
import { createEpochFeed, type EpochFeedOptions, epochChannel } from './auth/epochFeed.ts';
import { createForeignCallers, type ForeignCallers, type Origin } from './auth/foreignCallers.ts';
import type { ForeignUserChange } from './auth/foreignIdentities.ts';
import { createKeySet } from './auth/keySet.ts';
import { loadMasterKey } from './auth/masterKeyFile.ts';
import { createForeignTokens } from './auth/oidc.ts';
import { recheckCaller } from './auth/recheckCaller.ts';
import { revokeStolenSession } from './auth/revokeStolenSession.ts';
import * as signingKeys from './auth/signingKeys.ts';
import { createVerdictCache } from './auth/verdictCache.ts';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import { DependencyUnavailableError } from './errors.ts';
import type { DocumentRules } from './graphql/documentCheck.ts';
import { createApolloServer } from './graphql/server.ts';
import { readTrustedDocuments } from './graphql/trustedDocuments.ts';
import { createMetrics } from './http/metrics.ts';
import { createOverload, type Pressure } from './http/overload.ts';
import { createHttpServer, type HttpServer, type IncomingRequest } from './http/server.ts';
import { type AutomaticBlocksOptions, createAutomaticBlocks, type LastStrike } from './ipBlocks/automatic.ts';
import { ipBlockChannel, openIpBlocks } from './ipBlocks/feed.ts';
import type { IpBlockView } from './ipBlocks/repository.ts';
import type { Counters } from './limits/counters.ts';
import { createFallbackCounters } from './limits/fallbackCounters.ts';
import { createMemoryCounters } from './limits/memoryCounters.ts';
import { createProcessCensus } from './limits/processCensus.ts';
import { createRedisCounters } from './limits/redisCounters.ts';
import { Loaders } from './loaders.ts';
import { closeLog, createLog, describeError } from './log.ts';
import { OperationLimits } from './policy/operationLimits.ts';
import { Refusals } from './policy/refusals.ts';
import { scopesOf } from './policy/table.ts';
import { createSchema } from './schema.ts';
import type { Services } from './services.ts';
import { createSessionCache } from './sessions/cache.ts';
import { cleanUp, runHourly } from './sessions/cleanUp.ts';
import { createRedisChannel } from './storage/channel.ts';
import type { Database, Db } from './storage/db.ts';
import { createMemoryKeyValue, createRedisKeyValue } from './storage/keyValue.ts';
import { migrate, migrationsFolder } from './storage/migrate.ts';
import { openDatabase } from './storage/openDatabase.ts';
import { openRedis, type RedisConnection } from './storage/redis.ts';
import { bootstrapAdmin } from './users/bootstrap.ts';
import * as users from './users/repository.ts';

const maxUserAgentLength = 512;
const developmentAdminEmail = 'admin@nexus.local';

/** The first admin's credentials, known only to the process that made them up. */
export type Credentials = { email: string; password: string };

/** Everything that serves, not yet listening. `close` ends it: requests in progress are answered first. */
export type App = {
  http: HttpServer;
  /** How much there is to do now. */
  pressure(): Pressure;
  /** Made up at this start, where there was no user and none was given; to be shown once. */
  madeUpAdmin: Credentials | null;
  close(): Promise<void>;
};

export type AppOptions = {
  /** Called with the text of every SQL statement of a request. */
  onStatement?: (sql: string) => void;
  /** Requests may be refused for overload so long after the start; 10 s where it is left out. */
  shedAfterMs?: number;
  /** False: no prices, quotas and rate limits. For the benchmark that says what they cost, and nothing else. */
  isCounted?: boolean;
};

/** Builds the app of the settings; rejects, having closed what was opened, where a part cannot start. */
export async function createApp(
  config: Config,
  { onStatement, shedAfterMs, isCounted }: AppOptions = {},
): Promise<App> {
  const { schema, policy, guards } = createSchema({ isCounted }); // A policy that cannot be enforced stops everything, before anything opens.
  const documentRules = await documentRulesOf(config, schema);
  const log = createLog(config);
  const closers: (() => Promise<void>)[] = [async () => closeLog(log)];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const report = (what: string) => (error: unknown) => log.warn(what, { error: describeError(error) });
  try {
    const database = await openDatabase({ ...config, onStatement });
    closers.push(() => database.close());
    const redis = config.redisUrl === undefined ? null : await openRedis(config.redisUrl, report('Redis failed.'));
    if (redis) closers.push(async () => redis.disconnect());
    const masterKey = await loadMasterKey({
      masterKeys: config.masterKeys,
      directory: config.dataDirectory,
      allowGenerate: !config.isProduction,
    });
    await migrate(database, {
      folder: migrationsFolder,
      afterMigrate: (tx) => signingKeys.ensure(tx, masterKey),
    });

    const { db } = database;
    const accessTokens = createAccessTokens({
      keys: createKeySet((tx = database.control) => signingKeys.load(tx, masterKey)),
      issuer: config.jwtIssuer,
      audience: config.jwtAudience,
    });
    await accessTokens.reload();
    const lastUsed = createLastUsed(db, report('The last use of API keys could not be written.'));
    closers.push(() => lastUsed.close());
    const hourly = runHourly((signal) => cleanUp(db, signal), report('Ended sessions could not be cleaned up.'));
    closers.push(() => hourly.close());
    const feed = await openEpochFeed(redis, {
      database,
      onError: report('Revocations could not be exchanged.'),
      onRaise: (raises) => {
        if (raises.some(({ subject }) => subject === signingKeys.signingKeysSubject))
          accessTokens.reload().catch(report('The signing keys could not be read.'));
      },
    });
    closers.push(() => feed.close());
    const reportBlocks = report('Blocks of addresses could not be exchanged.');
    const ipBlocks = await openIpBlocks({
      database,
      channel: redis && createRedisChannel(redis, ipBlockChannel, reportBlocks),
      trustProxy: config.trustProxy,
      onError: reportBlocks,
    });
    closers.push(() => ipBlocks.close());
    const { counters, areLimitsDegraded } = await openCounters(redis, report);
    closers.push(() => counters.close());
    const automaticBlocks = createAutomaticBlocks({
      ...{ db, ipBlocks, settings: config.automaticBlocks, record: recordAutomaticBlock },
      count: strikeCounter(counters, config.automaticBlocks),
      onError: report('An address could not be counted or blocked.'),
    });
    closers.push(() => automaticBlocks.close());
    const keyValue = redis ? createRedisKeyValue(redis) : createMemoryKeyValue();
    const services: Services = {
      counters,
      ipBlocks,
      accessTokens,
      apiKeyCache: createVerdictCache(feed.epochs),
      apiKeyEnvironment: config.isProduction ? 'live' : 'test',
      usedScopes: scopesOf(policy),
      sessionCache: createSessionCache(keyValue, feed.epochs, report('The session cache failed.')),
      wasRaisedSince: feed.epochs.wasRaisedSince,
      announceRaises: feed.announce,
    };

    const foreignCallers = config.oidc
      ? createForeignCallers({
          db,
          tokens: createForeignTokens({ ...config.oidc, onError: report('The issuer of OIDC_ISSUER failed.') }),
          cache: createVerdictCache(feed.epochs),
          record: recordForeignUserChange,
          announce: feed.announce,
        })
      : null;

    const apollo = createApolloServer({ schema, guards, documentRules }, { ...config, isCounted });
    await apollo.start();
    closers.push(() => apollo.stop());
    const metrics = createMetrics();
    closers.push(async () => metrics.close());
    metrics.gauge(
      'nexus_limits_degraded',
      '1 where this process counts alone, since Redis does not answer, else 0.',
      () => Number(areLimitsDegraded()),
    );
    const overload = createOverload({ poolWaitMs: () => database.waitMs(), afterMs: shedAfterMs });
    closers.push(async () => overload.close());
    metrics.gauge(
      'nexus_database_pool_wait_seconds',
      'How long the oldest of the statements and transactions has waited that have no connection.',
      () => overload.pressure().poolWaitMs / 1000,
    );
    const http = await createHttpServer({
      overload,
      config,
      log,
      apollo,
      createContext: (request) => createContext(request, { db, services, lastUsed, foreignCallers, log }),
      blockedMs: ipBlocks.remainingMs,
      onRequestEnd: (event, notes) => automaticBlocks.note({ ...event, ...notes }),
      jwks: () => services.accessTokens.jwks(),
      dependencies: {
        database: { check: () => database.ping(), isNeeded: true },
        ...(redis && { redis: { check: () => redis.ping(), isNeeded: false } }),
      },
      metrics,
    });
    closers.push(() => http.close());
    // Last, because what it makes up is shown once: nothing that can fail may come between.
    return { http, pressure: overload.pressure, madeUpAdmin: await makeFirstAdmin(database, config), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function documentRulesOf({ trustedDocuments }: Config, schema: GraphQLSchema): Promise<DocumentRules | null> {
  if (!trustedDocuments) return null;
  const { file, mode } = trustedDocuments;
  return { trusted: await readTrustedDocuments(file, schema), mode };
}

/**
 * Makes the first ADMIN where there is no user; answers the credentials where it made them up. Of several processes that
 * start together one does it.
 */
function makeFirstAdmin(database: Database, config: Config): Promise<Credentials | null> {
  const madeUp = { email: developmentAdminEmail, password: randomBytes(18).toString('base64url') };
  return database.exclusively(async (db) => {
    if (config.bootstrapAdmin) await bootstrapAdmin(db, config.bootstrapAdmin);
    else if (!config.isProduction) return (await bootstrapAdmin(db, madeUp)) ? madeUp : null;
    else if (!(await users.hasAny(db)))
      throw new Error('There is no user yet: set BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD.');
    return null;
  });
}

/** What all processes share where there is a Redis, and while it does not answer this process alone. */
async function openCounters(
  redis: RedisConnection | null,
  report: (what: string) => (error: unknown) => void,
): Promise<{ counters: Counters; areLimitsDegraded: () => boolean }> {
  const local = createMemoryCounters();
  if (!redis) return { counters: local, areLimitsDegraded: () => false };
  const census = createProcessCensus(redis, randomUUID(), report('Processes could not be counted.'));
  await census.announce();
  const counters = createFallbackCounters({
    shared: createRedisCounters(redis, report('Limits could not be settled.')),
    local,
    countProcesses: census.seen,
    onError: report('Limits are counted by this process alone.'),
  });
  const close = async () => {
    await counters.close();
    await census.close();
  };
  return { counters: { ...counters, close }, areLimitsDegraded: counters.isDegraded };
}

/** Rejects where the epochs cannot be read; a Redis that is away is reported, since the poll is enough. */
async function openEpochFeed(redis: RedisConnection | null, options: Omit<EpochFeedOptions, 'channel'>) {
  return createEpochFeed({
    ...options,
    channel: redis && createRedisChannel(redis, epochChannel, options.onError),
  });
}

/** Counts strikes over all processes that share the counters. */
function strikeCounter(
  counters: Counters,
  { strikes, windowSeconds }: Config['automaticBlocks'],
): AutomaticBlocksOptions['count'] {
  return async (address, { kind, times }) => {
    const limit = { subject: address, key: `strikes|${kind}`, max: strikes[kind], windowMs: windowSeconds * 1000 };
    const { allowed, states, settle } = await counters.reserve([{ limit, units: Math.min(times, limit.max) }]);
    if (allowed) settle([0]);
    return !allowed || states[0]?.remaining === 0;
  };
}

function recordAutomaticBlock(
  tx: Db,
  { id, cidr, reason, expiresAt }: IpBlockView,
  { ip, userAgent, requestId }: LastStrike,
): Promise<void> {
  return auditEvents.append(tx, [
    {
      ...{ action: 'ipBlock.create', outcome: 'SUCCEEDED', severity: 'WARNING', actorKind: 'SYSTEM' },
      targets: [{ type: 'ipBlock', id }],
      ...{ ip, userAgent, requestId, detail: { cidr, reason, expiresAt: expiresAt.toISOString() } },
    },
  ]);
}

/** Nobody asked for the change but the issuer, by way of a token: Nexus itself is who acts. */
async function recordForeignUserChange(
  tx: Db,
  { action, userId, detail }: ForeignUserChange,
  origin: Origin,
): Promise<void> {
  const event: auditEvents.NewAuditEvent = {
    ...{ action, outcome: 'SUCCEEDED', severity: 'WARNING', targets: [{ type: 'user', id: userId }], detail },
    ...{ actorKind: 'SYSTEM', actorId: null, credentialId: null, ...origin },
  };
  try {
    await auditEvents.append(tx, [event]);
  } catch (cause) {
    throw new DependencyUnavailableError('audit log', { cause });
  }
}

type ContextParts = Pick<Context, 'db' | 'services' | 'log'> & {
  lastUsed: ReturnType<typeof createLastUsed>;
  foreignCallers: ForeignCallers | null;
};

async function createContext(
  request: IncomingRequest,
  { db, services, lastUsed, foreignCallers, log }: ContextParts,
): Promise<Context> {
  const { requestId, ip, bodyBytes, receivedAt, isCostDebugged, notes } = request;
  const userAgent = request.userAgent?.slice(0, maxUserAgentLength) ?? null;
  const origin = { ip, userAgent, requestId };
  const { caller, refusal, newCookie } = await authenticate(request.credentials, origin, {
    ...{ db, lastUsed, foreignCallers, ...services },
    revokeStolen: (session) => revokeStolenSession({ db, services, log }, session, origin),
  });
  notes.caller = caller;
  if (refusal?.code === 'UNAUTHENTICATED') notes.failedAuthentications += 1;
  if (newCookie !== undefined) request.setSessionCookie(newCookie);
  return {
    requestId,
    ip,
    userAgent,
    bodyBytes,
    receivedAt,
    isCostDebugged,
    notes,
    caller,
    refusal,
    db,
    loaders: new Loaders(db),
    services,
    log,
    audit: new AuditDraft(),
    limits: new OperationLimits(),
    refusals: new Refusals(),
    recheckCaller: (tx) => recheckCaller(tx, caller),
    afterCommit: (effect) => {
      throw new Error(`Nothing is committed outside an audited mutation: ${effect.name}`);
    },
    setSessionCookie: request.setSessionCookie,
  };
}
