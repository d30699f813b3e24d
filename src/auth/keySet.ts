import type { KeyObject } from 'node:crypto';
import type { Db } from '../storage/db.ts';
import type { PublishedKey, SigningKeys } from './signingKeys.ts';

/** How often keys that we do not know may make us look for them. */
const retryAfterMs = 1_000;

/** The signing keys as this process last read them. */
export type KeySet = {
  /** The key that signs. */
  current(): Promise<SigningKeys['current']>;
  /** The key of this name, where it verifies; null where it does not, after one more look. */
  find(kid: string): Promise<KeyObject | null>;
  /** All that verify now. */
  published(): PublishedKey[];
  /**
   * Reads the keys anew, in `db` where it is given. Where that fails, what was read before is not believed any more:
   * `current` and `find` read again, and reject for as long as nobody can tell.
   */
  reload(db?: Db): Promise<void>;
};

/** Keys that `load` reads; `uptime` counts milliseconds and never jumps. */
export function createKeySet(
  load: (db?: Db) => Promise<SigningKeys>,
  uptime: () => number = () => performance.now(),
): KeySet {
  let current: SigningKeys['current'] | null = null;
  let byKid = new Map<string, PublishedKey & { endsAt: number }>();
  let latest = Promise.resolve();
  let attempt: { at: number; outcome: Promise<void> } | undefined;

  async function read(db?: Db): Promise<void> {
    const begunAt = uptime();
    try {
      const keys = await load(db);
      byKid = new Map(keys.published.map((key) => [key.kid, { ...key, endsAt: endOf(key, begunAt) }]));
      current = keys.current;
    } catch (error) {
      current = null;
      throw error;
    }
  }

  /** One after another, so that no older answer replaces a newer one. */
  function reload(db?: Db): Promise<void> {
    const outcome = latest.then(() => read(db));
    latest = outcome.catch(() => undefined); // Its caller hears of it, and the next one is not held up.
    attempt = { at: uptime(), outcome };
    return outcome;
  }

  /** All who come within a second share one attempt and its outcome. */
  function look(): Promise<void> {
    return attempt && uptime() - attempt.at < retryAfterMs ? attempt.outcome : reload();
  }

  function requireCurrent(): SigningKeys['current'] {
    if (!current) throw new Error('The signing keys were not read.');
    return current;
  }

  return {
    async current() {
      if (!current) await look();
      return requireCurrent();
    },
    async find(kid) {
      if (!current || !byKid.has(kid)) await look();
      requireCurrent();
      const key = byKid.get(kid);
      return key && uptime() < key.endsAt ? key.publicKey : null;
    },
    published: () => [...byKid.values()].filter(({ endsAt }) => uptime() < endsAt),
    reload,
  };
}

function endOf({ remainingMs }: PublishedKey, begunAt: number): number {
  return remainingMs === null ? Number.POSITIVE_INFINITY : begunAt + remainingMs;
}
