import { sql } from 'drizzle-orm';
import { everybody } from '../auth/credentialEpochs.ts';
import { credentialEpochs } from '../auth/table.ts';
import { type Db, rows } from '../storage/db.ts';
import { sessionLifetimeSeconds, sessions } from './table.ts';

const batchSize = 1_000;
/** An hour longer than any session lives: nothing that was made before such a raise is alive. */
const epochLifetimeSeconds = sessionLifetimeSeconds + 3_600;
/** Any number will do that nothing else in the database takes as its advisory lock. */
const cleanUpLockKey = 7_305_219_844;

const intervalMs = 3_600_000;
const earliestFirstMs = 60_000;
const latestFirstMs = 600_000;

/** How many rows a clean-up has deleted. */
export type CleanedUp = { sessions: number; epochs: number };

/**
 * Deletes sessions that are past their absolute end, with their replaced secrets, and epochs that no living credential
 * was made before, at most 1,000 of each in a transaction. One process at a time does it; in others it resolves at once.
 * Stops early where the signal says so.
 */
export async function cleanUp(db: Db, signal?: AbortSignal): Promise<CleanedUp> {
  const total: CleanedUp = { sessions: 0, epochs: 0 };
  while (!signal?.aborted) {
    const batch = await db.transaction(cleanUpBatch);
    total.sessions += batch.sessions;
    total.epochs += batch.epochs;
    if (Math.max(batch.sessions, batch.epochs) < batchSize) break;
  }
  return total;
}

async function cleanUpBatch(tx: Db): Promise<CleanedUp> {
  const lock = await tx.execute(sql`select pg_try_advisory_xact_lock(${cleanUpLockKey}::bigint) as held`);
  if (!rows<{ held: boolean }>(lock)[0]?.held) return { sessions: 0, epochs: 0 };
  const ended = await tx.execute(sql`
    delete from ${sessions} where id in (
      select id from ${sessions} where created_at < now() - make_interval(secs => ${sessionLifetimeSeconds})
      order by created_at limit ${batchSize} for update skip locked
    ) returning id`);
  // The epoch of everybody stays: API keys live for years.
  const outlived = await tx.execute(sql`
    delete from ${credentialEpochs} where subject in (
      select subject from ${credentialEpochs}
      where raised_at < now() - make_interval(secs => ${epochLifetimeSeconds}) and subject <> ${everybody}
      limit ${batchSize} for update skip locked
    ) returning subject`);
  return { sessions: rows(ended).length, epochs: rows(outlived).length };
}

/**
 * Runs `work` some minutes from now, another number of them in each process, and every hour after that; a failure is
 * reported. Keeps no process alive. `close` waits for the work under way, whose signal it aborts.
 */
export function runHourly(
  work: (signal: AbortSignal) => Promise<unknown>,
  onError: (error: unknown) => void,
): { close(): Promise<void> } {
  const stop = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const schedule = (delayMs: number) => {
    timer = setTimeout(() => {
      schedule(intervalMs);
      running = running.then(() => work(stop.signal)).catch(onError);
    }, delayMs);
    timer.unref();
  };
  schedule(earliestFirstMs + Math.random() * (latestFirstMs - earliestFirstMs));
  return {
    async close() {
      stop.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
