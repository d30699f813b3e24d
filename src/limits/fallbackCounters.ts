import type { Counters, Demand, Limit, Reservation } from './counters.ts';

const probeAfterMs = 300;

export type FallbackOptions = {
  /** What all processes share. */
  shared: Counters;
  /** This process's own. */
  local: Counters;
  /** How many processes shared it when that was last seen. */
  countProcesses: () => number;
  /** Hears why the shared counters are left, once each time. */
  onError: (error: unknown) => void;
};

export type FallbackCounters = Counters & {
  /** Whether this process decides alone, since the shared counters do not answer. */
  isDegraded(): boolean;
};

/**
 * Counters that go on where the shared ones fail: then this process decides alone, with its share of each maximum, at
 * least 1; what it counts alone is its own, and begins from idle. After the first failure nobody waits for the shared ones
 * again: a probe asks them every 300 ms, for the limit that failed, and the calls go back to them when it succeeds.
 */
export function createFallbackCounters({ shared, local, countProcesses, onError }: FallbackOptions): FallbackCounters {
  let isDegraded = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  function leaveShared(failed: readonly Demand[], error: unknown): void {
    if (isDegraded || isClosed) return;
    isDegraded = true;
    onError(error);
    probeLater(failed.map(({ limit }) => ({ limit, units: 0 })));
  }

  function probeLater(demands: readonly Demand[]): void {
    timer = setTimeout(() => {
      shared.reserve(demands).then(
        () => {
          isDegraded = false;
        },
        () => isClosed || probeLater(demands),
      );
    }, probeAfterMs).unref();
  }

  async function reserveLocally(demands: readonly Demand[]): Promise<Reservation> {
    const processes = Math.max(1, countProcesses());
    const shares = demands.map((demand) => ({ ...demand, limit: shareOf(demand.limit, processes) }));
    const reservation = await local.reserve(shares);
    const states = reservation.states.map((state, place) => ({ ...state, max: shares[place]?.limit.max }));
    return { ...reservation, states, isLocal: true };
  }

  return {
    async reserve(demands) {
      if (isDegraded) return reserveLocally(demands);
      try {
        return await shared.reserve(demands);
      } catch (error) {
        if (error instanceof RangeError) throw error; // It is the caller who is wrong.
        leaveShared(demands, error);
        return reserveLocally(demands);
      }
    },
    isDegraded: () => isDegraded,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await Promise.all([shared.close(), local.close()]);
    },
  };
}

function shareOf(limit: Limit, processes: number): Limit {
  return limit.max === 0 ? limit : { ...limit, max: Math.max(1, Math.floor(limit.max / processes)) };
}
