import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Channel } from '../storage/channel.ts';
import { type Database, type Db, rows } from '../storage/db.ts';
import { type CredentialEpochs, createCredentialEpochs, type Raise, rememberedMs } from './credentialEpochs.ts';

/** Where processes tell each other what is raised. */
export const epochChannel = 'nexus:credential-epochs';

const pollEveryMs = 800;
const retryAfterMs = 200;
/** How far apart what happens in two processes may be and still count as at the same time: they share no clock. */
const simultaneousMs = 50;
/** How old the latest successful poll may be before copies are not believed any more. */
const trustedMs = 1_800;

/** Keeps the epochs of this process up to date, and tells the other processes what is raised here. */
export type EpochFeed = {
  epochs: CredentialEpochs;
  /** For raises that are committed: noted here at once, and sent to the other processes. */
  announce(raises: readonly Raise[]): void;
  close(): Promise<void>;
};

export type EpochFeedOptions = {
  database: Database;
  /** To the other processes; null: the poll alone. */
  channel: Channel | null;
  /** Hears of each failure. */
  onError: (error: unknown) => void;
  /** Hears of each raise here and elsewhere. */
  onRaise: (raises: readonly Raise[]) => void;
};

const message = z.array(z.object({ subject: z.string(), epoch: z.number() }));

/**
 * Rejects where the epochs cannot be read now. Later, a raise that another process has committed is known here within
 * milliseconds by way of Redis, and within a second by the poll, which has a connection of its own; while neither
 * works, `isTrusted` is false. An embedded database has no other process.
 */
export async function createEpochFeed(options: EpochFeedOptions): Promise<EpochFeed> {
  const { database, channel, onError, onRaise } = options;
  const isShared = database.kind === 'postgres';
  let freshAt = performance.now();
  const epochs = createCredentialEpochs(() => !isShared || performance.now() - freshAt < trustedMs);
  const note = (raises: readonly Raise[], heardAt = performance.now() + simultaneousMs) => {
    const added = epochs.note(raises, heardAt);
    if (added.length > 0) onRaise(added);
  };

  let horizon: string | null = null;
  async function poll(): Promise<void> {
    const begunAt = performance.now();
    const seen = await readRaises(database.control, horizon);
    horizon = seen.horizon;
    note(seen.raises);
    freshAt = begunAt;
  }

  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let polling = Promise.resolve();
  const schedule = (delayMs: number) => {
    if (isClosed) return;
    timer = setTimeout(() => {
      const begunAt = performance.now();
      polling = poll().then(
        () => schedule(Math.max(0, pollEveryMs - (performance.now() - begunAt))),
        (error) => {
          onError(error);
          schedule(retryAfterMs);
        },
      );
    }, delayMs);
  };

  await poll();
  if (isShared) schedule(pollEveryMs);
  channel?.subscribe((text) => {
    try {
      note(parse(text));
    } catch (error) {
      onError(error);
    }
  });
  return {
    epochs,
    announce(raises) {
      note(raises, performance.now());
      channel?.publish(JSON.stringify(raises)).catch(onError);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      channel?.close();
      await polling;
    },
  };
}

/**
 * What was raised since the horizon, or in the last minutes, and the horizon after it: transactions before it have ended,
 * so that what they raised is in this answer; others may be in the next answer too.
 */
async function readRaises(db: Db, horizon: string | null): Promise<{ horizon: string; raises: Raise[] }> {
  const isNew =
    horizon === null
      ? sql`raised_at > now() - make_interval(secs => ${rememberedMs / 1000})`
      : sql`raised_by >= ${horizon}::xid8`;
  const result = await db.execute(sql`
    select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
      (select json_agg(json_build_object('subject', subject, 'epoch', epoch)) from credential_epochs where ${isNew}) as raises`);
  const [read] = rows<{ horizon: string; raises: Raise[] | null }>(result);
  if (!read) throw new Error('The statement answered no row.');
  return { horizon: read.horizon, raises: read.raises ?? [] };
}

function parse(text: string): Raise[] {
  return message.parse(JSON.parse(text));
}
