import type { RedisConnection } from '../storage/redis.ts';

const key = 'nexus:processes';
const announceEveryMs = 5_000;
const forgottenAfterMs = 15_000;
/** Right after an outage all but the first ones are still missing, so that a single count says too little. */
const rememberedCounts = 3;

const announceScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`;

/** How many processes share a Redis, this one included. */
export type ProcessCensus = {
  /** As seen last, while Redis does not answer too: the most of the last three counts, and at least 1. */
  seen(): number;
  /** Says now that this process is here, and counts; a failure is reported. */
  announce(): Promise<void>;
  close(): Promise<void>;
};

/** A census in which the process `id` announces itself every 5 s; whoever does not is forgotten after 15 s. */
export function createProcessCensus(
  redis: RedisConnection,
  id: string,
  onError: (error: unknown) => void,
): ProcessCensus {
  redis.defineCommand('nexusAnnounce', { numberOfKeys: 1, lua: announceScript });
  const scripted = redis as unknown as { nexusAnnounce(key: string, id: string, ms: number): Promise<number> };
  let counts: number[] = [];

  async function announce(): Promise<void> {
    try {
      counts = [...counts, await scripted.nexusAnnounce(key, id, forgottenAfterMs)].slice(-rememberedCounts);
    } catch (error) {
      onError(error);
    }
  }

  const timer = setInterval(() => void announce(), announceEveryMs).unref();
  return {
    seen: () => Math.max(1, ...counts),
    announce,
    async close() {
      clearInterval(timer);
      await redis.zrem(key, id).catch(onError);
    },
  };
}
