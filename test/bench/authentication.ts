import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { createLastUsed } from '../../src/apiKeys/lastUsed.ts';
import { hashApiKey, newApiKeySecret, startOf } from '../../src/apiKeys/secret.ts';
import { createAccessTokens } from '../../src/auth/accessToken.ts';
import { type Authentication, authenticate } from '../../src/auth/authenticate.ts';
import type { Credentials } from '../../src/auth/credentials.ts';
import { createEpochFeed } from '../../src/auth/epochFeed.ts';
import { createKeySet } from '../../src/auth/keySet.ts';
import { scopes } from '../../src/auth/roles.ts';
import { createVerdictCache } from '../../src/auth/verdictCache.ts';
import { createSessionCache } from '../../src/sessions/cache.ts';
import { formatSessionCookie, hashSecret, newSessionSecret } from '../../src/sessions/secret.ts';
import { newId } from '../../src/storage/id.ts';
import { createMemoryKeyValue } from '../../src/storage/keyValue.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import { testKeys } from '../support/signingKeys.ts';

const rounds = 3;
const calls = 200_000;
const warmUpCalls = 100_000;
const ip = '127.0.0.1';
const origin = { ip, userAgent: null, requestId: 'bench' };
const folder = fileURLToPath(new URL('../../drizzle', import.meta.url));

type Credential = Extract<Credentials, { secret: string }>;
type Subject = { name: string; target: number; credential: Credential; microseconds: number[] };

/** The table of what it costs to know a caller who was known a moment ago: CPU of this process for each call. */
export async function measureAuthentication(databaseUrl: string): Promise<string> {
  const database = await openPostgres({ url: databaseUrl });
  const fail = (error: unknown) => {
    throw error;
  };
  await migrate(database, { folder });
  const { db } = database;
  const feed = await createEpochFeed({ database, channel: null, onError: fail, onRaise: () => undefined });
  const deps = {
    db,
    apiKeyCache: createVerdictCache(feed.epochs),
    sessionCache: createSessionCache(createMemoryKeyValue(), feed.epochs, fail),
    accessTokens: createAccessTokens({
      keys: createKeySet(async () => testKeys()),
      issuer: 'bench',
      audience: 'bench',
    }),
    lastUsed: createLastUsed(db, fail),
    announceRaises: feed.announce,
    foreignCallers: null,
    revokeStolen: fail,
  } satisfies Authentication;
  try {
    const subjects = await createSubjects(databaseUrl, deps);
    for (const { credential } of subjects) await repeat(credential, deps, warmUpCalls);
    for (let round = 0; round < rounds; round += 1)
      for (const subject of subjects) subject.microseconds.push(await measure(subject, deps));
    return tableOf(subjects);
  } finally {
    await deps.lastUsed.close();
    await feed.close();
    await database.close();
  }
}

async function createSubjects(databaseUrl: string, { accessTokens }: Authentication): Promise<Subject[]> {
  const [userId, sessionId, agentKey] = [newId('user'), newId('sess'), newApiKeySecret('test')];
  const secret = newSessionSecret();
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  await sql`insert into users (id, email, password_hash, roles, tier)
    values (${userId}, ${`${userId}@example.com`}, '', '{ADMIN}', 'FREE')`;
  await sql`insert into sessions (id, user_id, secret_hash, ip)
    values (${sessionId}, ${userId}, ${hashSecret(secret)}, ${ip})`;
  await sql`insert into api_keys (id, name, start, secret_hash, tier, role, scopes, allowed_ips, owner_id)
    values (${newId('key')}, 'bench', ${startOf(agentKey)}, ${hashApiKey(agentKey)}, 'FREE', 'OPERATOR',
      '{tasks:read,tasks:write}', '{}', ${userId})`;
  await sql.end();
  const { token } = await accessTokens.issue({
    ...{ userId, sessionId, roles: ['ADMIN'], scopes },
    authenticatedAt: new Date(),
  });
  return [
    { name: 'API key', target: 25, credential: { kind: 'API_KEY', secret: agentKey }, microseconds: [] },
    { name: 'access token', target: 40, credential: { kind: 'ACCESS_TOKEN', secret: token }, microseconds: [] },
    {
      ...{ name: 'session', target: 40, microseconds: [] },
      credential: { kind: 'SESSION', secret: formatSessionCookie(sessionId, secret) },
    },
  ];
}

async function measure({ credential }: Subject, deps: Authentication): Promise<number> {
  const before = process.cpuUsage();
  await repeat(credential, deps, calls);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function repeat(credential: Credential, deps: Authentication, count: number): Promise<void> {
  for (let call = 0; call < count; call += 1) {
    const { caller } = await authenticate(credential, origin, deps);
    if (!caller) throw new Error(`${credential.kind} is refused.`);
    // The poll of the epochs and the socket have their turn, as between requests.
    if (call % 1_000 === 0) await new Promise(setImmediate);
  }
}

function tableOf(subjects: readonly Subject[]): string {
  const lines = subjects.map(({ name, target, microseconds }) => {
    const median = microseconds.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
    return `| ${name} | ${median.toFixed(1)} | ≤ ${target} |`;
  });
  return ['| authentication | CPU µs/call | to reach |', '| --- | ---: | ---: |', ...lines].join('\n');
}
