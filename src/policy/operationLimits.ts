import type { Counters, Demand, Limit, Reservation } from '../limits/counters.ts';
import type { Price } from './price.ts';

/** A demand of an operation, with the name that clients know its limit by. */
export type NamedDemand = Demand & {
  name: string;
  /** Of the caller's quota: in units of the price. Others are in calls. */
  isQuota: boolean;
  /** Whether whoever has used half of it waits, as strangers do. */
  isOfStranger?: boolean;
};

/** Where a limit stands for whoever has just been counted. Times are of this process's clock. */
export type LimitReport = {
  name: string;
  limit: number;
  remaining: number;
  /** When `remaining` grows, if nobody is counted meanwhile. */
  resetAt: Date;
  windowSeconds: number;
};

type Place = { index: number; free: number };

/** What one operation has reserved of its limits before it runs, and what it has used of that. */
export class OperationLimits {
  /** What the operation costs; null until it is known. */
  price: Price | null = null;
  #demands: readonly NamedDemand[] = [];
  #reservation: Reservation | null = null;
  #isSettled = false;
  #reservedAt = 0;
  readonly #places = new Map<string, Place>();
  #unused: number[] = [];

  /** Makes all demands at once, in one call. Once for an operation. */
  async reserve(counters: Counters, demands: readonly NamedDemand[]): Promise<Reservation> {
    const reservation = await counters.reserve(demands);
    this.#reservedAt = Date.now();
    this.#demands = demands;
    this.#reservation = reservation;
    this.#unused = demands.map(({ isQuota, units }) => (isQuota ? 0 : units));
    if (reservation.allowed)
      for (const [index, { limit, units, isQuota }] of demands.entries())
        if (!isQuota) this.#places.set(bucketOf(limit), { index, free: units });
    return reservation;
  }

  /** Takes one of the reserved places of the limit; false where none was reserved, or all are taken. */
  claim(limit: Limit): boolean {
    const place = this.#places.get(bucketOf(limit));
    if (!place || place.free === 0) return false;
    place.free -= 1;
    this.#unused[place.index] = (this.#unused[place.index] ?? 0) - 1;
    return true;
  }

  /** Whether the demand is one of those that did not fit. */
  isExceeded(demand: NamedDemand): boolean {
    return this.#reservation?.exceeded.includes(this.#demands.indexOf(demand)) ?? false;
  }

  /** Says that a claimed place is not counted after all. */
  release(limit: Limit): void {
    const place = this.#places.get(bucketOf(limit));
    if (place) this.#unused[place.index] = (this.#unused[place.index] ?? 0) + 1;
  }

  /** Counts what was used for good: the claimed places, and so many units of the quota; the rest is given back. */
  settle(quotaUnits: number): void {
    if (!this.#reservation || this.#isSettled) return;
    this.#isSettled = true;
    this.#places.clear(); // Whatever still runs, of an operation that was answered already, counts for itself.
    for (const [index, { isQuota, units }] of this.#demands.entries())
      if (isQuota) this.#unused[index] = Math.max(0, units - quotaUnits);
    if (this.#reservation.allowed) this.#reservation.settle(this.#unused);
  }

  /** The limits in the order of their demands, without those in shadow; what `settle` gave back is there again. */
  report(): LimitReport[] {
    const { states = [], allowed = false } = this.#reservation ?? {};
    return this.#demands.flatMap(({ name, limit, isShadow }, index) => {
      const state = states[index];
      if (isShadow || !state) return [];
      const givenBack = this.#isSettled && allowed ? (this.#unused[index] ?? 0) : 0;
      return {
        name,
        limit: state.max ?? limit.max,
        remaining: state.remaining + givenBack,
        resetAt: new Date(this.#reservedAt + state.resetMs),
        windowSeconds: limit.windowMs / 1000,
      };
    });
  }
}

function bucketOf({ subject, key, windowMs }: Limit): string {
  return `${windowMs} ${key} ${subject}`;
}
