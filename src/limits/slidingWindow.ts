import type { Demand, Limit } from './counters.ts';

// Time is cut into cells, numbered from the epoch of the clock; a bucket holds one sum per cell, not one entry per call,
// so its size does not grow with `max`. What happened in cell c happened before (c + 1) * cellMs, and is kept until a
// whole window after that instant, i.e. until cell c + 1 + span begins, where span * cellMs >= windowMs. Counted units
// are therefore never forgotten before they are windowMs old (nowhere more than max in windowMs), and never kept longer
// than windowMs plus two cells. The current cell and the `span` cells before it count: at most 61.
//
// Units are counted in their cell when they are reserved, and noted in a ledger by cell and by the slice of ten seconds.
// To settle them strikes them from it and takes the unused ones out of their cell. Where nobody does, because the process
// died, the first call three slices later, after 20 to 30 seconds, takes all of them out. Whoever settles later than that
// finds nothing to strike: then the used units are counted anew in their cell while that counts, even beyond `max`, since
// they were used; a caller does not get work for nothing by making it slow.
//
// Cells and slices of the future mean that the clock was set back. The first call that sees them moves them to the current
// ones, so they are not forgotten too early and do not lock the bucket until the clock has caught up. Reservations that
// are under way then are found no more by those who settle them: their units count twice until the ledger gives them back.

const maxSpan = 60;
const sliceMs = 10_000;

/** So many slices after its own an entry of the ledger is given back. */
export const ledgerSlices = 3;

/** How a window is cut: `span` cells of `cellMs` milliseconds cover it, and none of them is spare. */
export type Layout = { cellMs: number; span: number };

/** Cuts a window into 60 cells of whole milliseconds, fewer where rounding the width up makes fewer enough. */
export function layoutOf(windowMs: number): Layout {
  const cellMs = Math.ceil(windowMs / maxSpan);
  return { cellMs, span: Math.ceil(windowMs / cellMs) };
}

/** The number of the cell which `nowMs` falls into. */
export function cellAt(nowMs: number, { cellMs }: Layout): number {
  return Math.floor(nowMs / cellMs);
}

/** The number of the slice which `nowMs` falls into. */
export function sliceAt(nowMs: number): number {
  return Math.floor(nowMs / sliceMs);
}

/** The first millisecond at which a cell no longer counts. */
export function leavesAt(cell: number, { cellMs, span }: Layout): number {
  return (cell + 1 + span) * cellMs;
}

/**
 * The name of a limit's bucket: no two buckets share one. The window is part of it, since cells of two widths in one
 * bucket would mean nothing; the subject is its hash tag, so that the limits of a subject are in one slot of a cluster.
 */
export function bucketName({ subject, key, windowMs }: Limit): string {
  return `${windowMs}:${subject.length}:{.${subject}}${key}`;
}

/** Throws a RangeError for numbers that cannot be counted: comparing with NaN, say, would let everybody pass. */
export function assertCountable(demands: readonly Demand[]): void {
  for (const { limit, units } of demands) {
    if (!isCount(limit.max)) throw new RangeError('The maximum of a limit must be a whole number, 0 or more.');
    if (!isCount(limit.windowMs) || limit.windowMs === 0)
      throw new RangeError('The window of a limit must be whole milliseconds.');
    if (!isCount(units)) throw new RangeError('The units to count must be a whole number, 0 or more.');
  }
}

/** Throws a RangeError where not every demand has its unused units, or one has more of them than it reserved. */
export function assertSettleable(demands: readonly Demand[], unused: readonly number[]): void {
  const isRight = ({ units }: Demand, place: number) =>
    isCount(unused[place] ?? Number.NaN) && Number(unused[place]) <= units;
  if (unused.length !== demands.length || !demands.every(isRight))
    throw new RangeError('The unused units must be whole numbers, one for each demand, and at most what it reserved.');
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
