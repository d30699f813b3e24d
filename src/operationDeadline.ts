import { AsyncLocalStorage } from 'node:async_hooks';

/** What one operation may take in all, from when its request has been read. */
export const operationLimitMs = 5000;

/** A timer may come so much early, and must not find a little time left. */
const timerInaccuracyMs = 2;

type Deadline = { endsAt: number; isOver: boolean };

/**
 * In the module, because the statements of an operation go to the pool through code that knows of no request, and a
 * parameter of each would be one that somebody forgets.
 */
const current = new AsyncLocalStorage<Deadline>();

/** Does the work with a deadline, which ends with it: what it has set going and left behind has none. */
export async function withinDeadline<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = { endsAt: performance.now() + limitMs, isOver: false };
  try {
    return await current.run(deadline, work);
  } finally {
    deadline.isOver = true;
  }
}

/** How long the operation that asks has left: 0 where its time is up, Infinity where it has no deadline. */
export function remainingMs(): number {
  const deadline = current.getStore();
  if (!deadline || deadline.isOver) return Number.POSITIVE_INFINITY;
  const leftMs = deadline.endsAt - performance.now();
  return leftMs < timerInaccuracyMs ? 0 : leftMs;
}
