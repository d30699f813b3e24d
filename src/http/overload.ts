const tickMs = 50;
/** A single pause, however long, is in none of their medians. */
const ticksInWindow = 5;
/** A burst of requests that is answered in this time is no overload. */
const defaultPatienceMs = 5_000;
/** A process that has just started compiles its code, and is slow for no other reason. */
const startUpMs = 10_000;
/** From here on work is refused, so that the rest is answered in time. */
const maxLoopDelayMs = 100;
/** From here on it costs too much to find out who calls. */
const hopelessLoopDelayMs = 500;
const maxPoolWaitMs = 250;
/** Of the level in a second: so fast that shedding helps within a second, so slow that it neither overshoots nor flaps. */
const maxRisePerSecond = 1.5;
const fallPerSecond = 0.4;
/** What a tick that is late may count for. */
const maxElapsedMs = 500;
/** Even hopeless overload lets some through, or it would never be seen to end. */
const mostOfAll = 0.9;

/** Anonymous callers are refused first, then those with credentials, but ADMINs; then whoever comes. */
export type Rank = 'ANONYMOUS' | 'CALLER' | 'ANYBODY';
const rankOrder: Record<Rank, number> = { ANONYMOUS: 0, CALLER: 1, ANYBODY: 2 };

/** How much there is to do, for a metric. */
export type Pressure = {
  /** By how much the event loop comes late, in the middle of its turns. */
  loopDelayMs: number;
  /** How long the oldest of the calls has waited that have no connection to the database. */
  poolWaitMs: number;
  /** Which part of the requests of each rank is refused, 0 to 1. */
  shed: Record<Rank, number>;
};

export type Overload = {
  /** Whether this request is one that has to go, so that others are answered in time. */
  sheds(rank: Rank): boolean;
  pressure(): Pressure;
  close(): void;
};

export type OverloadOptions = {
  poolWaitMs: () => number;
  /** Nothing is refused before. */
  afterMs?: number;
  /** So long the process may be late before anything is refused. */
  patienceMs?: number;
};

/**
 * Measures twenty times a second how late the process is, and where it is late for five seconds, refuses a part of the
 * requests that grows while it is too late and shrinks while it is not. A part, not all: whoever refuses everything is idle a moment later, and flaps.
 */
export function createOverload({
  poolWaitMs,
  afterMs = startUpMs,
  patienceMs = defaultPatienceMs,
}: OverloadOptions): Overload {
  const startedAt = performance.now();
  const lateness: number[] = Array(ticksInWindow).fill(0);
  let lastTick = startedAt;
  const owed: Record<Rank, number> = { ANONYMOUS: 0, CALLER: 0, ANYBODY: 0 };
  let last = { loopDelayMs: 0, poolWaitMs: 0 };
  /** 0 to 3: one for each rank that is refused wholly. */
  let level = 0;
  let lateSince: number | null = null;

  const shareOf = (rank: Rank) => {
    const share = Math.min(1, Math.max(0, level - rankOrder[rank]));
    return rank === 'ANYBODY' ? Math.min(share, mostOfAll) : share;
  };

  const measure = () => {
    const now = performance.now();
    const elapsedMs = now - lastTick;
    lastTick = now;
    lateness.shift();
    lateness.push(Math.max(0, elapsedMs - tickMs));
    last = { loopDelayMs: median(lateness), poolWaitMs: poolWaitMs() };
    if (now - startedAt < afterMs) return;
    const excess = Math.max(last.loopDelayMs / maxLoopDelayMs, last.poolWaitMs / maxPoolWaitMs) - 1;
    const seconds = Math.min(elapsedMs, maxElapsedMs) / 1000;
    const highest = last.loopDelayMs > hopelessLoopDelayMs ? 3 : 2;
    lateSince = excess > 0 ? (lateSince ?? now) : null;
    if (level === 0 && lateSince !== null && now - lateSince < patienceMs) return;
    if (excess <= 0 || level > highest) level = Math.max(0, level - fallPerSecond * seconds);
    else level = Math.min(highest, level + maxRisePerSecond * Math.min(1, excess) * seconds);
  };
  const timer = setInterval(measure, tickMs).unref();

  return {
    sheds: (rank) => {
      // Evenly spread, where chance would refuse some clients five times in a row.
      owed[rank] += shareOf(rank);
      if (owed[rank] < 1) return false;
      owed[rank] -= 1;
      return true;
    },
    pressure: () => ({
      ...last,
      shed: { ANONYMOUS: shareOf('ANONYMOUS'), CALLER: shareOf('CALLER'), ANYBODY: shareOf('ANYBODY') },
    }),
    close: () => clearInterval(timer),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
