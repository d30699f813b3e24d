import type { Limit } from './counters.ts';

// Time is cut into cells, numbered from the epoch of the clock; a bucket holds one sum per cell, not one entry per call,
// so its size does not grow with `max`. What happened in cell c happened before (c + 1) * cellMs, and is kept until a
// whole window after that instant, i.e. until cell c + 1 + span begins, where span * cellMs >= windowMs. Counted units
// are therefore never forgotten before they are windowMs old (nowhere more than max in windowMs), and never kept longer
// than windowMs plus two cells. The current cell and the `span` cells before it count: at most 61.

const maxSpan = 60;

/** How a window is cut: `span` cells of `cellMs` milliseconds cover it, and none of them is spare. */
export type Layout = { cellMs: number; span: number };

/** Units by cell number, oldest cell first. */
export type Cells = Map<number, number>;

/** Cuts a window into 60 cells of whole milliseconds, fewer where rounding the width up makes fewer enough. */
export function layoutOf(windowMs: number): Layout {
  const cellMs = Math.ceil(windowMs / maxSpan);
  return { cellMs, span: Math.ceil(windowMs / cellMs) };
}

/** The number of the cell which `nowMs` falls into. */
export function cellAt(nowMs: number, { cellMs }: Layout): number {
  return Math.floor(nowMs / cellMs);
}

/** The first millisecond at which a cell no longer counts. */
export function leavesAt(cell: number, { cellMs, span }: Layout): number {
  return (cell + 1 + span) * cellMs;
}

/**
 * The cells that count at `nowMs`. Cells of the future mean that the clock was set back: they are moved into the current
 * cell, so they are not forgotten too early and do not lock the bucket until the clock has caught up.
 */
export function liveCells(cells: Cells, nowMs: number, layout: Layout): Cells {
  const current = cellAt(nowMs, layout);
  const live: Cells = new Map();
  for (const [stored, units] of cells) {
    const cell = Math.min(stored, current);
    if (leavesAt(cell, layout) > nowMs) live.set(cell, (live.get(cell) ?? 0) + units);
  }
  return live;
}

/** Milliseconds until `excess` units have left the window; at least that many must be counted in the live cells. */
export function msUntilLeft(cells: Cells, excess: number, nowMs: number, layout: Layout): number {
  let left = 0;
  for (const [cell, units] of cells) {
    left += units;
    if (left >= excess) return leavesAt(cell, layout) - nowMs;
  }
  throw new Error('Fewer units are counted than have to leave.');
}

/** The name of a limit's bucket. The window is part of it: cells of two widths in one bucket would mean nothing. */
export function bucketName({ key, windowMs }: Limit): string {
  return `${windowMs}:${key}`;
}

/** Throws a RangeError for numbers that cannot be counted: comparing with NaN, say, would let everybody pass. */
export function assertCountable({ max, windowMs }: Limit, units: number): void {
  if (!isCount(max)) throw new RangeError('The maximum of a limit must be a whole number, 0 or more.');
  if (!isCount(windowMs) || windowMs === 0) throw new RangeError('The window of a limit must be whole milliseconds.');
  if (!isCount(units)) throw new RangeError('The units to count must be a whole number, 0 or more.');
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
