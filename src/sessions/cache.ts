import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Basis, type CredentialEpochs, everybody } from '../auth/credentialEpochs.ts';
import { roles, tiers } from '../auth/roles.ts';
import { createVerdictCache } from '../auth/verdictCache.ts';
import type { Db } from '../storage/db.ts';
import type { KeyValue } from '../storage/keyValue.ts';
import type { LiveSession } from './repository.ts';
import * as sessions from './repository.ts';

export type { LiveSession } from './repository.ts';

/**
 * Copies of living sessions: 5 seconds long in this process, 30 in the store, and only as long as nothing that they
 * depend on was raised. Postgres is the truth: what the store does not know, garbles or cannot tell is read there, and
 * so is everything while the epochs are not to be trusted.
 */
export type SessionCache = {
  /** The living session of an enabled user; null where there is none. Rejects only where Postgres fails. */
  find(db: Db, id: string): Promise<LiveSession | null>;
  /** Notes in Postgres, at most once a minute, that the session was used; nobody waits for it. */
  touch(db: Db, session: LiveSession, now: number): void;
};

const copyLifetimeMs = 30_000;
const touchIntervalMs = 60_000;
const maxTouched = 10_000;

const basis: z.ZodType<Basis> = z.object({
  subjects: z.tuple([z.literal(everybody), z.string(), z.string()]),
  epochs: z.tuple([z.number(), z.number(), z.number()]),
});

const liveSession: z.ZodType<LiveSession> = z.object({
  id: z.string(),
  secretHash: z.string(),
  userId: z.string(),
  roles: z.array(z.enum(roles)),
  tier: z.enum(tiers),
  createdAt: z.number(),
  lastSeenAt: z.number(),
  epoch: z.number(),
  basis,
});

/** A cache in `store`; what fails beside the answer (the store, noting a use) is reported to `onError`. */
export function createSessionCache(
  store: KeyValue,
  epochs: CredentialEpochs,
  onError: (error: unknown) => void,
): SessionCache {
  const verdicts = createVerdictCache<LiveSession>(epochs);
  const touched = new LRUCache<string, true>({ max: maxTouched, ttl: touchIntervalMs });

  async function read(db: Db, id: string): Promise<LiveSession | null> {
    const copy = epochs.isTrusted() ? await readCopy(id) : null;
    if (copy?.id === id && epochs.isCurrent(copy.basis)) return copy;
    const session = await sessions.findLive(db, id);
    if (session) store.set(keyOf(id), JSON.stringify(session), copyLifetimeMs).catch(onError);
    return session;
  }

  async function readCopy(id: string): Promise<LiveSession | null> {
    try {
      const stored = await store.get(keyOf(id));
      return stored === null ? null : parseCopy(stored);
    } catch (error) {
      onError(error);
      return null;
    }
  }

  return {
    find: (db, id) => verdicts.find(id, () => read(db, id)),

    touch(db, { id, lastSeenAt }, now) {
      if (now - lastSeenAt < touchIntervalMs || touched.has(id)) return;
      touched.set(id, true);
      sessions.touch(db, id).catch((error) => {
        touched.delete(id);
        onError(error);
      });
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
    return null; // Not ours: Postgres knows.
  }
}
