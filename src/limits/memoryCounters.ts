import type { Counters, Decision, Limit } from './counters.ts';
import {
  assertCountable,
  bucketName,
  type Cells,
  cellAt,
  layoutOf,
  leavesAt,
  liveCells,
  msUntilLeft,
} from './slidingWindow.ts';

const sweptPerCall = 2;

type Bucket = { cells: Cells; expiresAt: number };

/**
 * Counters of this process alone; a call is atomic because nothing in it waits. `now` gives milliseconds; the default is
 * the monotonic clock, which nobody sets back.
 *
 * Idle buckets are dropped without a timer: every call looks at two buckets in turn. A round over n buckets thus takes
 * at most n calls, and they add at most n; so at its worst the map holds about twice the buckets that still count. Those
 * are the distinct keys of the last window, as in Redis, at some 340 bytes each while fresh. There is no cap: to evict a
 * bucket that counts would let its caller past the maximum.
 */
export function createMemoryCounters(now: () => number = () => performance.now()): Counters {
  const buckets = new Map<string, Bucket>();
  let sweeper = buckets.entries();

  function sweep(nowMs: number): void {
    for (let looked = 0; looked < sweptPerCall; looked++) {
      const next = sweeper.next();
      if (next.done) {
        sweeper = buckets.entries();
        return;
      }
      const [name, bucket] = next.value;
      if (bucket.expiresAt <= nowMs) buckets.delete(name);
    }
  }

  function store(name: string, cells: Cells, limit: Limit): void {
    const newest = [...cells.keys()].at(-1);
    if (newest === undefined) buckets.delete(name);
    else buckets.set(name, { cells, expiresAt: leavesAt(newest, layoutOf(limit.windowMs)) });
  }

  return {
    async consume(limit, units = 1) {
      assertCountable(limit, units);
      const nowMs = Math.floor(now());
      sweep(nowMs);
      const name = bucketName(limit);
      const cells = liveCells(buckets.get(name)?.cells ?? new Map(), nowMs, layoutOf(limit.windowMs));
      const decision = consumeFrom(cells, limit, units, nowMs);
      store(name, cells, limit);
      return decision;
    },

    async giveBack(limit, cell, units = 1) {
      assertCountable(limit, units);
      const name = bucketName(limit);
      const cells = buckets.get(name)?.cells;
      const counted = cells?.get(cell);
      if (cells === undefined || counted === undefined) return;
      if (counted > units) cells.set(cell, counted - units);
      else cells.delete(cell);
      store(name, cells, limit);
    },
  };
}

function consumeFrom(cells: Cells, { max, windowMs }: Limit, units: number, nowMs: number): Decision {
  const layout = layoutOf(windowMs);
  const used = [...cells.values()].reduce((sum, counted) => sum + counted, 0);
  if (units > max) return { allowed: false, retryAfterMs: windowMs };
  const excess = used + units - max;
  if (excess > 0) return { allowed: false, retryAfterMs: msUntilLeft(cells, excess, nowMs, layout) };
  const cell = cellAt(nowMs, layout);
  if (units > 0) cells.set(cell, (cells.get(cell) ?? 0) + units);
  return { allowed: true, remaining: max - used - units, cell };
}
