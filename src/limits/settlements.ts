/** What became of units that were reserved in one bucket, slice and cell. */
export type Settlement = {
  subject: string;
  bucket: string;
  windowMs: number;
  slice: number;
  cell: number;
  reserved: number;
  used: number;
};

export type SettlementsOptions = {
  /** Settles all of them in one step. */
  send: (batch: readonly Settlement[]) => Promise<unknown>;
  /** Whether those of one subject alone may be in one step. */
  isBySubject: boolean;
  /** Hears of each batch that could not be sent. */
  onError: (error: unknown) => void;
};

/** Settlements that wait for a moment, so that those of many calls are sent together. */
export type Settlements = {
  add(settlement: Settlement): void;
  /** Sends what waits; answers when that is done, or has failed and is reported. */
  flush(): Promise<void>;
};

const gatherMs = 10;
/** So many settlements at most are one step, for which everybody else on that Redis waits. */
const maxBatch = 128;

/**
 * Gathers settlements for 10 ms; those of the same units are one. Units that are given back are not waited with: whoever
 * hears that they are there again may come for them at once. Nothing is sent twice: it would settle twice.
 */
export function createSettlements({ send, isBySubject, onError }: SettlementsOptions): Settlements {
  let waiting = new Map<string, Settlement[]>();
  let timer: NodeJS.Timeout | undefined;
  let isFlushing = false;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const all = [...waiting.values()].flat();
    waiting = new Map();
    await Promise.all(batchesOf(all, isBySubject).map((batch) => send(batch).catch(onError)));
  }

  /** With the others of the same call. */
  function flushSoon(): void {
    if (isFlushing) return;
    isFlushing = true;
    queueMicrotask(() => {
      isFlushing = false;
      void flush();
    });
  }

  return {
    add(settlement) {
      if (settlement.used < settlement.reserved) flushSoon();
      timer ??= setTimeout(() => void flush(), gatherMs).unref();
      const ofBucket = waiting.get(settlement.bucket);
      if (ofBucket === undefined) {
        waiting.set(settlement.bucket, [settlement]);
        return;
      }
      const same = ofBucket.find(({ slice, cell }) => slice === settlement.slice && cell === settlement.cell);
      if (same === undefined) {
        ofBucket.push(settlement);
        return;
      }
      same.reserved += settlement.reserved;
      same.used += settlement.used;
    },
    flush,
  };
}

function batchesOf(all: readonly Settlement[], isBySubject: boolean): Settlement[][] {
  const groups = isBySubject ? [...Map.groupBy(all, ({ subject }) => subject).values()] : [[...all]];
  return groups.flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / maxBatch) }, (_, turn) =>
      group.slice(turn * maxBatch, (turn + 1) * maxBatch),
    ),
  );
}
