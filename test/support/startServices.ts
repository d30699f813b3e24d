import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type GuardedServer, startGuardedServer } from './guardedServer.ts';
import { requireBinaries, type Service, thisMachine } from './serviceBinaries.ts';

// fsync only guards against a crash of the machine: commits survive a killed Postgres without it.
const postgresScript = (settings: readonly string[]) => `
printf %s "$PASSWORD" >password
"$BINARIES/initdb" -D data -U nexus --auth=scram-sha-256 --pwfile=password --encoding=UTF8 --no-locale --no-sync
exec "$BINARIES/postgres" -D data -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$DIRECTORY" \\
  -c max_connections=200 -c fsync=off -c full_page_writes=off ${settings.map((setting) => `-c ${setting}`).join(' ')}
`;

const redisScript = `
printf 'requirepass %s' "$PASSWORD" >redis.conf
exec "$BINARIES/redis-server" redis.conf --port "$PORT" --bind 127.0.0.1 --save '' --appendonly no --databases 4096
`;

/** A Redis of our own, for tests that stop or kill it. */
export interface PrivateRedis {
  url: string;
  /** To the server itself. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  stop(): Promise<void>;
}

/** Starts a Redis; in the place of another one, which has ended, where its URL is given. */
export async function startRedis(formerUrl?: string): Promise<PrivateRedis> {
  const binaries = (await requireBinaries(['redis'], thisMachine())).get('redis') ?? '';
  const former = formerUrl === undefined ? null : new URL(formerUrl);
  const port = former ? Number(former.port) : undefined;
  const server = await startGuardedServer({ name: 'redis', binaries, script: redisScript, ...(port && { port }) });
  const client = new Redis(toRedisUrl(server));
  try {
    if (former) await client.config('SET', 'requirepass', former.password);
    return { url: former?.href ?? toRedisUrl(server), signal: await signalTo(client), stop: server.stop };
  } finally {
    client.disconnect();
  }
}

async function signalTo(client: Redis): Promise<PrivateRedis['signal']> {
  const [, pid] = /process_id:(\d+)/.exec(await client.info('server')) ?? [];
  return (name) => void process.kill(Number(pid), name);
}

// A node speaks to the others at a second port, 10,000 off, which must be one too.
const clusterNodeScript = `
printf 'requirepass %s' "$PASSWORD" >redis.conf
exec "$BINARIES/redis-server" redis.conf --port "$PORT" --bind 127.0.0.1 --save '' --appendonly no \\
  --cluster-enabled yes --cluster-port $((PORT > 50000 ? PORT - 10000 : PORT + 10000)) --cluster-node-timeout 2000
`;
const clusterSlots = 16_384;
const clusterNodes = 3;
const clusterDeadlineMs = 20_000;

/** A Redis Cluster for tests; `nodes` are its servers, each with a third of the slots. */
export interface RedisCluster {
  url: string;
  nodes: readonly Pick<PrivateRedis, 'signal'>[];
  stop(): Promise<void>;
}

/** A Redis Cluster of three nodes on loopback, ended with this process at the latest. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const binaries = (await requireBinaries(['redis'], thisMachine())).get('redis') ?? '';
  const nodes = await Promise.all(
    Array.from({ length: clusterNodes }, () =>
      startGuardedServer({ name: 'redis-cluster', binaries, script: clusterNodeScript }),
    ),
  );
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const clients = nodes.map((node) => new Redis(toRedisUrl(node)));
  try {
    await joinNodes(clients, nodes);
    const password = await shareOnePassword(clients);
    const signals = await Promise.all(clients.map(signalTo));
    const url = nodes.map(({ port }) => toRedisUrl({ port, password })).join(',');
    return { url, nodes: signals.map((signal) => ({ signal })), stop };
  } catch (err) {
    await stop();
    throw err;
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function joinNodes(clients: readonly Redis[], nodes: readonly GuardedServer[]): Promise<void> {
  const firstSlot = (place: number) => Math.floor((place * clusterSlots) / clients.length);
  for (const [place, client] of clients.entries()) {
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', place + 1);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', firstSlot(place), firstSlot(place + 1) - 1);
  }
  for (const { port } of nodes.slice(1))
    await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', port, port > 50_000 ? port - 10_000 : port + 10_000);
  const deadline = AbortSignal.timeout(clusterDeadlineMs);
  for (const client of clients)
    while (!(await isJoined(client, clients.length))) await setTimeout(50, undefined, { signal: deadline });
}

async function shareOnePassword(clients: readonly Redis[]): Promise<string> {
  const password = randomBytes(16).toString('hex');
  for (const client of clients) await client.config('SET', 'requirepass', password);
  return password;
}

async function isJoined(client: Redis, nodes: number): Promise<boolean> {
  const info = String(await client.call('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes}`);
}

/** A real Postgres and a real Redis, for tests, benchmarks and drills. */
export interface Services {
  databaseUrl: string;
  redisUrl: string;
  /** Ends what was started here; servers that were given by a variable stay untouched. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /** Servers of our own, whatever the variables name: for whoever kills them. */
  arePrivate?: boolean;
  /** For a Postgres of our own: further settings, as its -c takes them. */
  postgresSettings?: readonly string[];
}

/**
 * The servers that TEST_DATABASE_URL and TEST_REDIS_URL name, and where one is unset a server of our own on a free
 * loopback port, ended with this process at the latest.
 */
export async function startServices({
  arePrivate = false,
  postgresSettings = [],
}: ServiceOptions = {}): Promise<Services> {
  const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = arePrivate ? {} : process.env;
  const needed: Service[] = [...(databaseUrl ? [] : ['postgres' as const]), ...(redisUrl ? [] : ['redis' as const])];
  const binaries = await requireBinaries(needed, thisMachine());
  const started: GuardedServer[] = [];
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
  };
  const start = async (service: Service, script: string) => {
    const server = await startGuardedServer({ name: service, binaries: binaries.get(service) ?? '', script });
    started.push(server);
    return server;
  };
  try {
    return {
      databaseUrl: databaseUrl || toDatabaseUrl(await start('postgres', postgresScript(postgresSettings))),
      redisUrl: redisUrl || toRedisUrl(await start('redis', redisScript)),
      stop,
    };
  } catch (err) {
    await stop();
    throw err;
  }
}

function toDatabaseUrl({ port, password }: GuardedServer): string {
  return `postgres://nexus:${password}@127.0.0.1:${port}/postgres`;
}

function toRedisUrl({ port, password }: Pick<GuardedServer, 'port' | 'password'>): string {
  return `redis://:${password}@127.0.0.1:${port}`;
}
