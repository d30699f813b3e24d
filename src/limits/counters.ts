/**
 * At most `max` units within any `windowMs` milliseconds. `key` and `windowMs` together name the bucket: two limits that
 * share both share what they count, whatever their `max`. All three numbers are whole; `windowMs` is at least 1.
 */
export type Limit = { key: string; max: number; windowMs: number };

/**
 * `remaining` is how many more units would pass at this moment; `cell` is what `giveBack` wants to see again.
 * `retryAfterMs` is the exact time until the same call passes, if nobody else counts meanwhile; for more units than
 * `max`, which never pass, it is `windowMs`.
 */
export type Decision = { allowed: true; remaining: number; cell: number } | { allowed: false; retryAfterMs: number };

/** Sliding-window counters. Two engines, Redis and memory, keep exactly the same rules; see slidingWindow.ts. */
export type Counters = {
  /**
   * Counts `units` (1 unless told), all of them or none, in one atomic step. Refused units are not counted, so an
   * impatient caller does not lock itself out. 0 units count nothing and only tell what remains. Rejects with a
   * RangeError for numbers that would switch the limit off, and with the driver's error when the store fails; the
   * units may then have been counted all the same.
   */
  consume(limit: Limit, units?: number): Promise<Decision>;
  /**
   * Takes `units` (1 unless told) out of the cell they were counted in, never below 0. Does nothing once that cell has
   * left the window. Does not know who counted what: give back once, and no more than was consumed.
   */
  giveBack(limit: Limit, cell: number, units?: number): Promise<void>;
};
