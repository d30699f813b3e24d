import { Bucket } from './bucket.ts';
import type { Counters, Demand, LimitState } from './counters.ts';
import { assertCountable, assertSettleable, bucketName, cellAt, layoutOf, sliceAt } from './slidingWindow.ts';

const sweptPerDemand = 2;

/** A demand with its bucket, and what the call demands of that up to and including it. */
type Asked = Demand & { bucket: Bucket; asked: number };

/**
 * Counters of this process alone; a call is atomic because nothing in it waits. `now` gives milliseconds; the default is
 * the monotonic clock, which nobody sets back.
 *
 * Idle buckets are dropped without a timer: every call looks at two buckets in turn for each of its demands. A round over
 * n buckets thus takes at most n demands, and they add at most n; so at its worst the map holds about twice the buckets
 * that still count. There is no cap: to evict a bucket that counts would let its caller past the maximum.
 */
export function createMemoryCounters(now: () => number = () => performance.now()): Counters {
  const buckets = new Map<string, Bucket>();
  let sweeper = buckets.entries();

  function sweep(nowMs: number, demands: number): void {
    for (let looked = 0; looked < demands * sweptPerDemand; looked++) {
      const next = sweeper.next();
      if (next.done) {
        sweeper = buckets.entries();
        return;
      }
      const [name, bucket] = next.value;
      if (bucket.emptyAt <= nowMs) buckets.delete(name);
    }
  }

  function bucketAt(nowMs: number, { limit }: Demand): Bucket {
    const layout = layoutOf(limit.windowMs);
    const name = bucketName(limit);
    const bucket = buckets.get(name) ?? new Bucket(layout);
    buckets.set(name, bucket);
    bucket.moveTo(cellAt(nowMs, layout), sliceAt(nowMs));
    return bucket;
  }

  function ask(demands: readonly Demand[], nowMs: number): Asked[] {
    const askedOf = new Map<Bucket, number>();
    return demands.map((demand) => {
      const bucket = bucketAt(nowMs, demand);
      const asked = (askedOf.get(bucket) ?? 0) + demand.units;
      askedOf.set(bucket, asked);
      return { ...demand, bucket, asked };
    });
  }

  return {
    async reserve(demands) {
      assertCountable(demands);
      const reservedAt = Math.floor(now());
      sweep(reservedAt, demands.length);
      const all = ask(demands, reservedAt);
      const exceeded = all.flatMap((demand, place) => (isExceeded(demand) ? [place] : []));
      const allowed = exceeded.every((place) => all[place]?.isShadow);
      for (const { bucket, units, isShadow } of all) if (allowed || isShadow) bucket.count(units, !allowed);
      return {
        allowed,
        states: all.map((demand) => stateOf(demand, reservedAt)),
        exceeded,
        retryAfterMs: allowed ? 0 : Math.max(...all.map((demand) => retryAfterMs(demand, reservedAt))),
        isLocal: false,
        settle(unused) {
          assertSettleable(demands, unused);
          const nowMs = Math.floor(now());
          sweep(nowMs, demands.length);
          for (const [place, { limit, units }] of demands.entries()) {
            if (units === 0) continue;
            const reservedIn = { slice: sliceAt(reservedAt), cell: cellAt(reservedAt, layoutOf(limit.windowMs)) };
            bucketAt(nowMs, { limit, units }).settle(reservedIn, units, units - (unused[place] ?? 0));
          }
        },
      };
    },

    async close() {
      buckets.clear();
    },
  };
}

function isExceeded({ limit, bucket, units, asked }: Asked): boolean {
  return units > 0 && bucket.used + asked > limit.max;
}

function stateOf({ limit, bucket }: Asked, nowMs: number): LimitState {
  const remaining = Math.max(0, limit.max - bucket.used);
  const resetMs = bucket.used === 0 ? 0 : bucket.leavesAt(Math.max(1, bucket.used - limit.max + 1)) - nowMs;
  return { remaining, resetMs };
}

function retryAfterMs({ limit, bucket, units, asked, isShadow }: Asked, nowMs: number): number {
  if (isShadow || units === 0) return 0;
  if (asked > limit.max) return limit.windowMs;
  const excess = bucket.used + asked - limit.max;
  return excess > 0 ? bucket.leavesAt(excess) - nowMs : 0;
}
