import type { Redis } from 'ioredis';
import type { Counters, Limit } from './counters.ts';
import { assertCountable, bucketName, layoutOf } from './slidingWindow.ts';

type ConsumeReply = [allowed: 1, remaining: number, cell: number] | [allowed: 0, retryAfterMs: number];

type Scripts = {
  nexusConsume(
    bucket: string,
    max: number,
    units: number,
    windowMs: number,
    cellMs: number,
    span: number,
  ): Promise<ConsumeReply>;
  nexusGiveBack(bucket: string, cell: number, units: number): Promise<null>;
};

// The rules of slidingWindow.ts, with the ages of cells in place of their numbers. The clock is that of Redis, so the
// clocks of our processes do not matter. Numbers go back into commands as '%.0f': Lua's tostring keeps 14 digits only.
const consumeScript = `
local max, units = tonumber(ARGV[1]), tonumber(ARGV[2])
local windowMs, cellMs, span = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local current = math.floor(now / cellMs)

local function msUntilLeft(age)
  return (current - age + 1 + span) * cellMs - now
end

local used, counts, added = 0, {}, 0
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local age, count = current - stored[i], tonumber(stored[i + 1])
  if age < 0 or age > span then
    redis.call('HDEL', KEYS[1], stored[i])
  end
  if age < 0 then
    age = 0
    added = added + count
  end
  if age <= span then
    counts[age] = (counts[age] or 0) + count
    used = used + count
  end
end

local excess = used + units - max
if excess <= 0 then
  added = added + units
end
if added > 0 then
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', current), string.format('%.0f', added))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', msUntilLeft(0)))
end
if units > max then
  return {0, windowMs}
end
if excess <= 0 then
  return {1, -excess, current}
end
local left = 0
for age = span, 0, -1 do
  left = left + (counts[age] or 0)
  if left >= excess then
    return {0, msUntilLeft(age)}
  end
end
return redis.error_reply('Fewer units are counted than have to leave.')
`;

// Needs no clock: a cell that has left the window is of no consequence, whether its sum is still stored or not.
const giveBackScript = `
local count = redis.call('HGET', KEYS[1], ARGV[1])
if not count then
  return
end
local rest = count - ARGV[2]
if rest > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', rest))
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
`;

/**
 * Counters which every process on this Redis shares. A call is one script on one key, so it is atomic, on a cluster too;
 * a key expires when its last unit leaves the window. Deadlines are the client's: where Redis fails or does not answer
 * in time the call rejects with the error of ioredis, and what that means is for the caller to decide.
 */
export function createRedisCounters(redis: Redis): Counters {
  redis.defineCommand('nexusConsume', { numberOfKeys: 1, lua: consumeScript });
  redis.defineCommand('nexusGiveBack', { numberOfKeys: 1, lua: giveBackScript });
  const scripted = redis as Redis & Scripts;

  return {
    async consume(limit, units = 1) {
      assertCountable(limit, units);
      const { max, windowMs } = limit;
      const { cellMs, span } = layoutOf(windowMs);
      const reply = await scripted.nexusConsume(keyOf(limit), max, units, windowMs, cellMs, span);
      if (reply[0] === 0) return { allowed: false, retryAfterMs: reply[1] };
      return { allowed: true, remaining: reply[1], cell: reply[2] };
    },

    async giveBack(limit, cell, units = 1) {
      assertCountable(limit, units);
      await scripted.nexusGiveBack(keyOf(limit), cell, units);
    },
  };
}

function keyOf(limit: Limit): string {
  return `nexus:limit:${bucketName(limit)}`;
}
