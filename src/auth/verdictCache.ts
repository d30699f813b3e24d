import { LRUCache } from 'lru-cache';
import type { Basis, CredentialEpochs } from './credentialEpochs.ts';

const maxVerdicts = 10_000;
const ttlMs = 5_000;

/** What was read of credentials in the last seconds, in this process. */
export type VerdictCache<Verdict extends { basis: Basis }> = {
  /**
   * What `read` answers, or has answered for this key at most 5 s ago where nothing was raised since; null, never
   * remembered, where there is nothing. Misses of one key at the same time share one read. Where the epochs are not to
   * be trusted, each call reads.
   */
  find(key: string, read: () => Promise<Verdict | null>): Promise<Verdict | null>;
};

/** A cache whose entries are worth nothing once an epoch that they were read with is raised. */
export function createVerdictCache<Verdict extends { basis: Basis }>(epochs: CredentialEpochs): VerdictCache<Verdict> {
  const verdicts = new LRUCache<string, Verdict>({ max: maxVerdicts, ttl: ttlMs });
  const pending = new Map<string, Promise<Verdict | null>>();

  async function load(key: string, read: () => Promise<Verdict | null>): Promise<Verdict | null> {
    const start = performance.now(); // Its age counts from the reading.
    try {
      const verdict = await read();
      if (verdict) verdicts.set(key, verdict, { start });
      return verdict;
    } finally {
      pending.delete(key);
    }
  }

  function share(key: string, read: () => Promise<Verdict | null>): Promise<Verdict | null> {
    const loading = load(key, read);
    pending.set(key, loading);
    return loading;
  }

  return {
    async find(key, read) {
      if (!epochs.isTrusted()) return read();
      const known = verdicts.get(key);
      if (known && epochs.isCurrent(known.basis)) return known;
      const verdict = await (pending.get(key) ?? share(key, read));
      // A read that others began may be older than a change that this caller knows to be done.
      return verdict === null || epochs.isCurrent(verdict.basis) ? verdict : read();
    },
  };
}
