import { setTimeout } from 'node:timers/promises';
import { RateLimitedError } from '../errors.ts';
import type { LimitState } from '../limits/counters.ts';

const stepMs = 100;
const maxWaitMs = 2_000;
const maxWaiting = 200;

/** How long a call waits that has used more than half of a limit: 100 ms for each unit over it, 2 s at most. */
export function waitMsOf(max: number, { remaining }: LimitState): number {
  const over = max - remaining - Math.floor(max / 2);
  return Math.min(Math.max(0, over) * stepMs, maxWaitMs);
}

/** Makes calls wait, at most 200 of them at once; whoever comes then is RATE_LIMITED. */
export function createSlowDown() {
  let waiting = 0;
  return async (ms: number): Promise<void> => {
    if (ms === 0) return;
    if (waiting >= maxWaiting) throw new RateLimitedError(maxWaitMs);
    waiting += 1;
    try {
      await setTimeout(ms);
    } finally {
      waiting -= 1;
    }
  };
}
