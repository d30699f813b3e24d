import type { Demand } from '../../src/limits/counters.ts';

type Part = { cell: number; units: number };
type Open = Part & { slice: number };
type Layout = { cellMs: number; cells: number };
type Bucket = { layout: Layout; counted: Part[]; open: Open[] };

/** What was counted for good, and when: from the reservation of units that were settled in time, and of final ones. */
export type Used = { bucket: string; at: number; units: number };

/**
 * The rules of slidingWindow.ts, kept as plain lists that are gone through from end to end each time: slow, and simple
 * enough to be seen to be right.
 */
export function createReferenceModel() {
  const buckets = new Map<string, Bucket>();

  function touch({ limit }: Demand, now: number): Bucket {
    const cellMs = Math.ceil(limit.windowMs / 60);
    const layout = { cellMs, cells: Math.ceil(limit.windowMs / cellMs) };
    const name = JSON.stringify([limit.subject, limit.key, limit.windowMs]);
    const bucket = buckets.get(name) ?? { layout, counted: [], open: [] };
    buckets.set(name, bucket);
    const [cell, slice] = [Math.floor(now / cellMs), Math.floor(now / 10_000)];
    for (const part of bucket.counted) part.cell = Math.min(part.cell, cell);
    for (const part of bucket.open) {
      part.cell = Math.min(part.cell, cell);
      part.slice = Math.min(part.slice, slice);
    }
    bucket.counted = bucket.counted.filter((part) => leavesAt(part.cell, layout) > now);
    bucket.open = bucket.open.filter((part) => leavesAt(part.cell, layout) > now);
    for (const dead of bucket.open.filter((part) => (part.slice + 3) * 10_000 <= now))
      bucket.counted.push({ cell: dead.cell, units: -dead.units });
    bucket.open = bucket.open.filter((part) => (part.slice + 3) * 10_000 > now);
    return bucket;
  }

  return {
    reserve(demands: readonly Demand[], now: number) {
      const all = demands.map((demand) => ({ ...demand, bucket: touch(demand, now) }));
      const before = (place: number) =>
        sum(all.slice(0, place + 1).filter(({ bucket }) => bucket === all[place]?.bucket));
      const isOver = ({ limit, bucket, units }: (typeof all)[number], place: number) =>
        units > 0 && sum(bucket.counted) + before(place) > limit.max;
      const exceeded = all.flatMap((demand, place) => (isOver(demand, place) ? [place] : []));
      const allowed = exceeded.every((place) => all[place]?.isShadow);
      for (const { bucket, units, isShadow } of all) {
        if (!allowed && !isShadow) continue;
        const part = { cell: Math.floor(now / bucket.layout.cellMs), units };
        bucket.counted.push(part);
        if (allowed) bucket.open.push({ ...part, slice: Math.floor(now / 10_000) });
      }
      const waits = all.map(({ limit, bucket, units, isShadow }, place) => {
        if (isShadow || units === 0) return 0;
        if (before(place) > limit.max) return limit.windowMs;
        return msUntil(bucket, now, (left) => left + before(place) <= limit.max);
      });
      const states = all.map(({ limit, bucket }) => {
        const used = sum(bucket.counted);
        const remaining = Math.max(0, limit.max - used);
        const grows = (left: number) => left === 0 || Math.max(0, limit.max - left) > remaining;
        return { remaining, resetMs: used === 0 ? 0 : msUntil(bucket, now, grows) };
      });
      return { allowed, states, exceeded, retryAfterMs: allowed ? 0 : Math.max(...waits) };
    },

    /** Of units that were reserved at a moment; answers whether all of them were still in the ledger. */
    settle(demands: readonly Demand[], unused: readonly number[], reservedAt: number, now: number): boolean[] {
      return demands.map((demand, place) => {
        if (demand.units === 0) return true;
        const bucket = touch(demand, now);
        const cell = Math.floor(Math.min(reservedAt, now) / bucket.layout.cellMs);
        const slice = Math.floor(Math.min(reservedAt, now) / 10_000);
        if (leavesAt(cell, bucket.layout) <= now) return true;
        let struck = 0;
        for (const part of bucket.open.filter((other) => other.cell === cell && other.slice === slice)) {
          const taken = Math.min(part.units, demand.units - struck);
          part.units -= taken;
          struck += taken;
        }
        bucket.counted.push({ cell, units: demand.units - (unused[place] ?? 0) - struck });
        return struck === demand.units;
      });
    },
  };
}

/** How long until what is left satisfies; cells leave one after another. */
function msUntil({ counted, layout }: Bucket, now: number, satisfies: (left: number) => boolean): number {
  const moments = [now, ...counted.map(({ cell }) => leavesAt(cell, layout))].sort((one, other) => one - other);
  const leftAt = (moment: number) => sum(counted.filter(({ cell }) => leavesAt(cell, layout) > moment));
  return (moments.find((moment) => satisfies(leftAt(moment))) ?? now) - now;
}

function leavesAt(cell: number, { cellMs, cells }: Layout): number {
  return (cell + 1 + cells) * cellMs;
}

function sum(parts: readonly { units: number }[]): number {
  return parts.reduce((total, { units }) => total + units, 0);
}
