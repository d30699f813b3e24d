import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { roles, tiers } from '../auth/roles.ts';
import type { Db } from '../storage/db.ts';
import type { KeyValue } from '../storage/keyValue.ts';
import type { LiveSession } from './repository.ts';
import * as sessions from './repository.ts';

export type { LiveSession } from './repository.ts';

/**
 * Copies of living sessions, 30 seconds long. Postgres is the truth: what the store does not know, garbles or cannot
 * tell is read there, and what is not alive is never kept.
 */
export type SessionCache = {
  /** The living session of an enabled user; null where there is none. Rejects only where Postgres fails. */
  find(db: Db, id: string): Promise<LiveSession | null>;
  /** Notes in Postgres, at most once a minute, that the session was used; nobody waits for it. */
  touch(db: Db, session: LiveSession, now: number): void;
  /**
   * Drops the copies of sessions whose change is committed; never rejects, since the change stands. Where the store
   * fails, this process reads Postgres alone for as long as a stale copy can live; another process that still reaches
   * the store may use such a copy for up to 30 seconds.
   */
  forget(ids: readonly string[]): Promise<void>;
};

const copyLifetimeMs = 30_000;
/** Longer than any read that began before the change can take to offer its stale row. */
const tombstoneLifetimeMs = 60_000;
/** Not a session, so it reads as a miss; and there, so that `setIfAbsent` leaves it. */
const tombstone = 'forgotten';

const touchIntervalMs = 60_000;
const maxTouched = 10_000;

const liveSession: z.ZodType<LiveSession> = z.object({
  id: z.string(),
  secretHash: z.string(),
  userId: z.string(),
  roles: z.array(z.enum(roles)),
  tier: z.enum(tiers),
  createdAt: z.number(),
  lastSeenAt: z.number(),
});

/** A cache in `store`; what fails beside the answer (the store, noting a use) is reported to `onError`. */
export function createSessionCache(store: KeyValue, onError: (error: unknown) => void): SessionCache {
  const touched = new LRUCache<string, true>({ max: maxTouched, ttl: touchIntervalMs });
  let bypassedUntil = 0;

  return {
    async find(db, id) {
      if (performance.now() < bypassedUntil) return sessions.findLive(db, id);
      let stored: string | null;
      try {
        stored = await store.get(keyOf(id));
      } catch (error) {
        onError(error);
        return sessions.findLive(db, id);
      }
      const copy = stored === null ? null : parseCopy(stored);
      if (copy) return copy;
      const session = await sessions.findLive(db, id);
      if (session && stored === null)
        await store.setIfAbsent(keyOf(id), JSON.stringify(session), copyLifetimeMs).catch(onError);
      return session;
    },

    touch(db, { id, lastSeenAt }, now) {
      if (now - lastSeenAt < touchIntervalMs || touched.has(id)) return;
      touched.set(id, true);
      sessions.touch(db, id).catch((error) => {
        touched.delete(id);
        onError(error);
      });
    },

    async forget(ids) {
      const outcomes = await Promise.allSettled(ids.map((id) => store.set(keyOf(id), tombstone, tombstoneLifetimeMs)));
      const failure = outcomes.find((outcome) => outcome.status === 'rejected');
      if (!failure) return;
      bypassedUntil = performance.now() + copyLifetimeMs;
      onError(failure.reason);
    },
  };
}

function keyOf(id: string): string {
  return `nexus:session:${id}`;
}

function parseCopy(stored: string): LiveSession | null {
  try {
    return liveSession.safeParse(JSON.parse(stored)).data ?? null;
  } catch {
    return null; // Not JSON: a tombstone, or somebody else's; Postgres knows.
  }
}
