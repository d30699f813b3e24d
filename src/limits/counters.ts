/**
 * At most `max` units within any `windowMs` milliseconds. `subject`, `key` and `windowMs` together name the bucket: two
 * limits that share them share what they count, whatever their `max`. The limits of one subject, a caller or an address
 * say, are together: on a Redis Cluster in one hash slot. All three numbers are whole; `windowMs` is at least 1.
 */
export type Limit = { subject: string; key: string; max: number; windowMs: number };

/** So many units of a limit; 0 only asks what remains. A shadow demand counts and reports, and never refuses. */
export type Demand = { limit: Limit; units: number; isShadow?: boolean };

/**
 * `remaining` is how many units would pass at this moment; `resetMs` is the time until that grows if nobody counts
 * meanwhile, 0 where nothing is counted. `max` is there where it was decided by less than the maximum of the limit.
 */
export type LimitState = { remaining: number; resetMs: number; max?: number };

/** What became of demands that were made together: all of them are counted, or none but the shadow ones. */
export type Reservation = {
  allowed: boolean;
  /** Of each demand, in their order, after what was counted. */
  states: readonly LimitState[];
  /** The places of the demands that do not fit, shadow ones included. */
  exceeded: readonly number[];
  /**
   * Where refused: the time until the same demands pass if nobody counts meanwhile; for more units than a `max`, which
   * never pass, that window.
   */
  retryAfterMs: number;
  /** Whether this process decided alone, since what all processes share does not answer. */
  isLocal: boolean;
  /**
   * Says how many units of each demand, in their order, were not used after all: those are given back, and the rest is
   * counted for good. Call it once, for an allowed reservation. Where it is never called, because the process died, all
   * units are given back within 60 s. Returns at once; a failure is reported, and those 60 s mend it.
   */
  settle(unused: readonly number[]): void;
};

/** Sliding-window counters. Two engines, Redis and memory, keep exactly the same rules; see slidingWindow.ts. */
export type Counters = {
  /**
   * Makes all demands in one atomic step. Refused units are not counted, so an impatient caller does not lock itself out.
   * Rejects with a RangeError for numbers that would switch a limit off, and with the driver's error when the store
   * fails; the units may then have been counted all the same, and nobody gives them back before their time.
   */
  reserve(demands: readonly Demand[]): Promise<Reservation>;
  /** Settles what is left and ends. */
  close(): Promise<void>;
};
