import { Cluster, Redis } from 'ioredis';
import type { Counters } from '../../src/limits/counters.ts';
import { createMemoryCounters } from '../../src/limits/memoryCounters.ts';
import { createRedisCounters } from '../../src/limits/redisCounters.ts';
import { redisClock } from '../../src/limits/redisScripts.ts';
import { parseRedisNodes } from '../../src/storage/redisNodes.ts';

const hour = 3_600_000;

/** Counters on a clock that the test sets. */
export type Engine = {
  counters: Counters;
  setTime(now: number): void;
  /** Answers when what is settled has come to pass. */
  flush(): Promise<void>;
  close(): Promise<void>;
};

/** The engine of one process, on a virtual clock. */
export function memoryEngine(): Engine {
  let time = 0;
  const counters = createMemoryCounters(() => time);
  return {
    counters,
    setTime: (now) => {
      time = now;
    },
    flush: async () => undefined,
    close: () => counters.close(),
  };
}

/** The engine of Redis, or of a cluster where there are several nodes, on a virtual clock. */
export function redisEngine(text: string): Engine {
  let time = 0;
  const redis = withClock(connectTo(text), () => time);
  const errors: unknown[] = [];
  const counters = createRedisCounters(redis, (error) => errors.push(error));
  const flush = async () => {
    await counters.flush();
    if (errors.length > 0) throw errors[0];
  };
  return {
    counters,
    setTime: (now) => {
      time = now;
    },
    flush,
    async close() {
      await counters.close();
      redis.disconnect();
    },
  };
}

/** A plain connection to what REDIS_URL may say. */
export function connectTo(text: string): Redis | Cluster {
  const nodes = parseRedisNodes(text);
  if (!nodes?.isCluster) return new Redis(text);
  return new Cluster(
    nodes.urls.map(({ hostname, port }) => ({ host: hostname, port: Number(port) })),
    { redisOptions: { password: nodes.urls[0]?.password ?? '' } },
  );
}

/**
 * Only the clock of the scripts is fake: they find it behind their arguments. Keys end by the clock of Redis, which nobody
 * moves, so they are kept for longer.
 */
function withClock<Connection extends Redis | Cluster>(redis: Connection, now: () => number): Connection {
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, { lua, ...options }) => {
    if (!lua.includes(redisClock)) throw new Error('The script has no clock.');
    const virtual = lua
      .replace(redisClock, 'local now = tonumber(ARGV[#ARGV])\n')
      .replaceAll(/'PEXPIRE', (b\[\d+\]), /g, `'PEXPIRE', $1, ${hour} + `);
    define(name, { ...options, lua: virtual });
    const commands = redis as unknown as Record<string, (...args: unknown[]) => unknown>;
    const command = commands[name]?.bind(redis);
    commands[name] = (...args) => command?.(...args, now());
  };
  return redis;
}
