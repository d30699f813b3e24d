import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { hashApiKey, newApiKeySecret, startOf } from '../../../src/apiKeys/secret.ts';
import { formatSessionCookie, hashSecret, newSessionSecret } from '../../../src/sessions/secret.ts';
import { newId } from '../../../src/storage/id.ts';
import { type NexusProcess, startNexus } from '../../support/nexusProcess.ts';
import type { Credential } from '../../support/send.ts';
import { startServices } from '../../support/startServices.ts';
import { hangUp, succeed } from '../post.ts';

const adminCount = 20;

export type Key = { id: string; secret: string };

/** A user with one of everything that can be taken away. */
export type Victim = {
  userId: string;
  sessionId: string;
  cookie: string;
  accessToken: string;
  /** A session that nobody uses, to be revoked as a write that needs no Redis. */
  spareSessionId: string;
  key: Key;
  agentKey: Key & { agentId: string };
};

/** Two processes on one Postgres and one Redis, with people in them. */
export type World = {
  sql: postgres.Sql;
  urls: readonly [string, string];
  /** One of several ADMINs, since each may do only so much in an hour. */
  admin(turn: number): Credential;
  createVictims(count: number, role: 'ADMIN' | 'OPERATOR'): Promise<Victim[]>;
  killRedis(): Promise<void>;
  stop(): Promise<void>;
};

/** Postgres notes when each transaction was committed. */
export async function startWorld(): Promise<World> {
  const services = await startServices({ arePrivate: true, postgresSettings: ['track_commit_timestamp=on'] });
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-revocation-'));
  const sql = postgres(services.databaseUrl, { max: 2, onnotice: () => undefined });
  const processes: NexusProcess[] = [];
  const stop = async () => {
    hangUp();
    await Promise.all(processes.map((nexus) => nexus.end('SIGTERM')));
    await sql.end();
    await services.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const settings = {
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      BOOTSTRAP_ADMIN_EMAIL: 'admin@example.com',
      BOOTSTRAP_ADMIN_PASSWORD: 'the first admin of a drill',
      LOG_LEVEL: 'error',
    };
    for (let count = 0; count < 2; count += 1) processes.push(await startNexus(directory, settings));
    const [first = '', second = ''] = processes.map(({ url }) => url);
    const admins = await insertPeople(sql, adminCount, 'ADMIN');
    return {
      sql,
      urls: [first, second],
      admin: (turn) => ({ cookie: admins[turn % adminCount]?.cookie ?? '' }),
      createVictims: async (count, role) => {
        const people = await insertPeople(sql, count, role);
        return Promise.all(people.map((person) => giveAccessToken(person, first)));
      },
      killRedis: () => kill(services.redisUrl),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Person = Omit<Victim, 'accessToken'>;

/** By SQL: a log-in costs a slow hash, and its limits are not what is measured. */
async function insertPeople(sql: postgres.Sql, count: number, role: 'ADMIN' | 'OPERATOR'): Promise<Person[]> {
  const made = Array.from({ length: count }, () => {
    const userId = newId('user');
    const [sessionId, spareSessionId] = [newId('sess'), newId('sess')];
    const secret = newSessionSecret();
    const agentId = `agent-${userId.slice('user_'.length)}`;
    const person: Person = {
      userId,
      sessionId,
      spareSessionId,
      cookie: `nexus.sid=${formatSessionCookie(sessionId, secret)}`,
      key: { id: newId('key'), secret: newApiKeySecret('test') },
      agentKey: { id: newId('key'), secret: newApiKeySecret('test'), agentId },
    };
    return { person, secret };
  });
  const people = made.map(({ person }) => person);
  const scopes = ['tasks:write', 'apiKeys:write', 'sessions:write'];
  await sql.begin(async (tx) => {
    await tx`insert into users ${tx(
      people.map(({ userId }) => ({
        ...{ id: userId, email: `${userId}@example.com`, password_hash: '', roles: [role], tier: 'STANDARD' },
      })),
    )}`;
    await tx`insert into sessions ${tx(
      made.flatMap(({ person: { userId, sessionId, spareSessionId }, secret }) => [
        { id: sessionId, user_id: userId, secret_hash: hashSecret(secret), ip: '127.0.0.1' },
        { id: spareSessionId, user_id: userId, secret_hash: '', ip: '127.0.0.1' },
      ]),
    )}`;
    await tx`insert into agents ${tx(people.map(({ agentKey }) => ({ id: agentKey.agentId })))}`;
    await tx`insert into api_keys ${tx(
      people.flatMap(({ userId, key, agentKey }) => [
        { ...rowOf(key, userId), role, scopes, agent_id: null },
        { ...rowOf(agentKey, userId), role: 'AGENT', scopes: ['telemetry:write'], agent_id: agentKey.agentId },
      ]),
    )}`;
  });
  return people;
}

function rowOf({ id, secret }: Key, ownerId: string) {
  return {
    id,
    name: 'drill',
    start: startOf(secret),
    secret_hash: hashApiKey(secret),
    tier: 'FREE',
    allowed_ips: [] as string[],
    owner_id: ownerId,
  };
}

async function giveAccessToken(person: Person, url: string): Promise<Victim> {
  const { refreshAccessToken } = await succeed(
    url,
    { cookie: person.cookie },
    'mutation { refreshAccessToken { accessToken } }',
  );
  return { ...person, accessToken: refreshAccessToken.accessToken };
}

async function kill(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl, { retryStrategy: null });
  redis.on('error', () => undefined);
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
  const closed = new Promise((resolve) => redis.once('end', resolve));
  process.kill(Number(pid), 'SIGKILL');
  await closed;
}
