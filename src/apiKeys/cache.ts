import { LRUCache } from 'lru-cache';
import type { Db } from '../storage/db.ts';
import { type ApiKeyRecord, findBySecretHash } from './repository.ts';

const maxRecords = 10_000;
const ttlMs = 5_000;

/** The keys that were used in the last seconds, in this process. */
export type ApiKeyCache = {
  /**
   * The record behind the hash of a secret, at most 5 s old; null, never remembered, where there is none. Misses of one
   * hash at the same time share one query.
   */
  find(db: Db, hash: string): Promise<ApiKeyRecord | null>;
  /** Whoever asks from now on gets what the database says of the key. */
  forget(keyId: string): void;
  /** Whoever asks from now on gets what the database says of the owner's keys. */
  forgetOwner(ownerId: string): void;
};

/** A cache of the records that `read` answers. */
export function createApiKeyCache(read: typeof findBySecretHash = findBySecretHash): ApiKeyCache {
  const records = new LRUCache<string, ApiKeyRecord>({ max: maxRecords, ttl: ttlMs });
  const pending = new Map<string, Promise<ApiKeyRecord | null>>();
  let generation = 0;

  async function load(db: Db, hash: string): Promise<ApiKeyRecord | null> {
    const begun = generation;
    const start = performance.now();
    const record = await read(db, hash);
    // What was read before a change must not be kept after it, and its age counts from the reading.
    if (record && begun === generation) records.set(hash, record, { start });
    return record;
  }

  function find(db: Db, hash: string): Promise<ApiKeyRecord | null> {
    const known = records.get(hash);
    if (known) return Promise.resolve(known);
    return pending.get(hash) ?? share(hash, load(db, hash));
  }

  function share(hash: string, loading: Promise<ApiKeyRecord | null>): Promise<ApiKeyRecord | null> {
    const shared = loading.finally(() => {
      if (pending.get(hash) === shared) pending.delete(hash);
    });
    pending.set(hash, shared);
    return shared;
  }

  function forgetWhere(isMeant: (record: ApiKeyRecord) => boolean): void {
    generation++;
    pending.clear();
    for (const [hash, record] of [...records.entries()]) {
      if (isMeant(record)) records.delete(hash);
    }
  }

  return {
    find,
    forget: (keyId) => forgetWhere(({ id }) => id === keyId),
    forgetOwner: (ownerId) => forgetWhere((record) => record.ownerId === ownerId),
  };
}
