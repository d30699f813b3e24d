import type { Decision, Limit } from '../../src/limits/counters.ts';

type Counted = { at: number; units: number; cell: number; leavesAt: number };

/** One bucket, kept as the plain list of everything that was counted: slow, and simple enough to be seen to be right. */
export function createReferenceModel({ max, windowMs }: Limit) {
  const cellMs = Math.ceil(windowMs / 60);
  const cells = Math.ceil(windowMs / cellMs);
  const counted: Counted[] = [];

  /** What was counted and not given back in the milliseconds after `from`, up to and including `to`. */
  function unitsBetween(from: number, to: number): number {
    return counted.reduce((sum, { at, units }) => (at > from && at <= to ? sum + units : sum), 0);
  }

  function stillCountedAt(now: number): number {
    return counted.reduce((sum, { leavesAt, units }) => (leavesAt > now ? sum + units : sum), 0);
  }

  return {
    cellMs,
    unitsBetween,
    nextLeaving: (now: number) => counted.map(({ leavesAt }) => leavesAt).find((leavesAt) => leavesAt > now),

    consume(units: number, now: number): Decision {
      if (units > max) return { allowed: false, retryAfterMs: windowMs };
      const used = stillCountedAt(now);
      if (used + units > max) {
        const moments = counted.map(({ leavesAt }) => leavesAt).filter((leavesAt) => leavesAt > now);
        const retryAt = Math.min(...moments.filter((moment) => stillCountedAt(moment) + units <= max));
        return { allowed: false, retryAfterMs: retryAt - now };
      }
      const cell = Math.floor(now / cellMs);
      counted.push({ at: now, units, cell, leavesAt: (cell + 1) * cellMs + cells * cellMs });
      return { allowed: true, remaining: max - used - units, cell };
    },

    /** Takes units from what the cell has counted, oldest first, while that cell is in the window. */
    giveBack(cell: number, units: number, now: number): void {
      let rest = units;
      for (const entry of counted) {
        if (entry.cell !== cell || entry.leavesAt <= now) continue;
        const taken = Math.min(entry.units, rest);
        entry.units -= taken;
        rest -= taken;
      }
    },

    /** Every moment at which something was counted: the fullest windows end there. */
    moments: () => counted.map(({ at }) => at),
  };
}
