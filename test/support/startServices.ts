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

function toRedisUrl({ port, password }: GuardedServer): string {
  return `redis://:${password}@127.0.0.1:${port}`;
}
