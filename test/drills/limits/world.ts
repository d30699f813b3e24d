import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { hashApiKey, newApiKeySecret, startOf } from '../../../src/apiKeys/secret.ts';
import { formatSessionCookie, hashSecret, newSessionSecret } from '../../../src/sessions/secret.ts';
import { newId } from '../../../src/storage/id.ts';
import { type NexusProcess, startNexus } from '../../support/nexusProcess.ts';
import type { Credential } from '../../support/send.ts';
import { startServices } from '../../support/startServices.ts';
import { hangUp } from '../post.ts';

/** The limits of the drill: one tier for each part of it. */
export const limits = { FREE: 500, STANDARD: 100, PREMIUM: 1_000 };

const tiers = {
  FREE: { perHour: null, perMinute: limits.FREE },
  STANDARD: { perHour: null, perMinute: limits.STANDARD },
  PREMIUM: { perHour: limits.PREMIUM, perMinute: null },
  ENTERPRISE: { perHour: null, perMinute: null },
};

/** A person, and an agent's key of that person. */
export type Client = { userId: string; person: Credential; key: Credential; agentId: string };

/** Two processes on one Postgres and one Redis. */
export type World = {
  sql: postgres.Sql;
  redisUrl: string;
  urls: readonly [string, string];
  /** A further process. */
  start(): Promise<NexusProcess>;
  createClient(tier: keyof typeof tiers): Promise<Client>;
  stop(): Promise<void>;
};

export async function startWorld(): Promise<World> {
  const services = await startServices({ arePrivate: true });
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-limits-'));
  const sql = postgres(services.databaseUrl, { max: 3, onnotice: () => undefined });
  const processes: NexusProcess[] = [];
  const stop = async () => {
    hangUp();
    await Promise.all(processes.map((nexus) => nexus.end('SIGTERM')));
    await sql.end();
    await services.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const start = async () => {
    const nexus = await startNexus(directory, {
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      BOOTSTRAP_ADMIN_EMAIL: 'admin@example.com',
      BOOTSTRAP_ADMIN_PASSWORD: 'the first admin of a drill',
      TIERS: JSON.stringify(tiers),
      TRUST_PROXY: '127.0.0.1/32',
      LOG_LEVEL: 'error',
    });
    processes.push(nexus);
    return nexus;
  };
  try {
    const [first, second] = [await start(), await start()];
    return {
      ...{ sql, start, stop, redisUrl: services.redisUrl, urls: [first.url, second.url] },
      createClient: (tier) => createClient(sql, tier),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** By SQL: a log-in costs a slow hash, and its limits are not what is measured. */
async function createClient(sql: postgres.Sql, tier: keyof typeof tiers): Promise<Client> {
  const [userId, sessionId] = [newId('user'), newId('sess')];
  const [secret, keySecret] = [newSessionSecret(), newApiKeySecret('test')];
  const agentId = `agent-${userId.slice('user_'.length)}`;
  await sql`insert into users ${sql({
    ...{ id: userId, email: `${userId}@example.com`, password_hash: '', roles: ['ADMIN'], tier },
  })}`;
  await sql`insert into sessions ${sql({
    ...{ id: sessionId, user_id: userId, secret_hash: hashSecret(secret), ip: '127.0.0.1' },
  })}`;
  await sql`insert into agents ${sql({ id: agentId })}`;
  await sql`insert into api_keys ${sql({
    ...{ id: newId('key'), name: 'drill', start: startOf(keySecret), secret_hash: hashApiKey(keySecret), tier },
    ...{ role: 'AGENT', scopes: ['telemetry:write', 'tasks:read'], agent_id: agentId, owner_id: userId },
    allowed_ips: [],
  })}`;
  return {
    userId,
    person: { cookie: `nexus.sid=${formatSessionCookie(sessionId, secret)}` },
    key: { bearer: keySecret },
    agentId,
  };
}
