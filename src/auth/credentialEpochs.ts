import { type SQLWrapper, sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import { LRUCache } from 'lru-cache';
import { type Db, rows } from '../storage/db.ts';

/** Whose epoch it is when the rights of everybody change. */
export const everybody = 'global';

/** What a verdict about a credential depends on: everybody, the user, and the session or the API key. */
export type Subjects = readonly [typeof everybody, userId: string, credentialId: string];

/** The epochs of the subjects, in their order, read in the statement that read the rights. */
export type Epochs = readonly [global: number, user: number, credential: number];

/** What rights were read with: rights hold while no epoch of their subjects is raised. */
export type Basis = { subjects: Subjects; epochs: Epochs };

/** An epoch that has grown. */
export type Raise = { subject: string; epoch: number };

/** What this process knows of raised epochs. */
export type CredentialEpochs = {
  /** Whether copies may be believed: false where this process may have missed a raise of some time ago. */
  isTrusted(): boolean;
  /** Whether none of the epochs is known to have been raised since they were read. */
  isCurrent(basis: Basis): boolean;
  /** Whether this process has heard since then, as performance.now() counts, that the epoch of the subject was raised. */
  wasRaisedSince(subject: string, at: number): boolean;
  /** From now on, what was read before these raises is not current; answers those that were not known. */
  note(raises: readonly Raise[], heardAt?: number): Raise[];
};

/** Longer than any copy of rights lives, in this process or in Redis, with the read that it comes from. */
export const rememberedMs = 300_000;

/** Nothing known yet; `isTrusted` is the word of whoever keeps it fed. */
export function createCredentialEpochs(isTrusted: () => boolean): CredentialEpochs {
  // Without a bound: what is forgotten early would be believed, and each raise is an audited change.
  const known = new LRUCache<string, { epoch: number; heardAt: number }>({ ttl: rememberedMs, ttlAutopurge: true });
  const latest = (subject: string) => known.get(subject)?.epoch ?? 0;
  return {
    isTrusted,
    isCurrent: ({ subjects, epochs }) =>
      known.size === 0 || subjects.every((subject, index) => latest(subject) <= (epochs[index] ?? 0)),
    wasRaisedSince: (subject, at) => (known.get(subject)?.heardAt ?? Number.NEGATIVE_INFINITY) > at,
    note: (raises, heardAt = performance.now()) =>
      raises.filter(({ subject, epoch }) => {
        const isNew = epoch > latest(subject);
        if (isNew) known.set(subject, { epoch, heardAt });
        return isNew;
      }),
  };
}

/**
 * Raises the epochs of the subjects in this transaction, which waits for the writes under their rights that are under
 * way: after the commit, none can be committed any more.
 */
export async function raiseEpochs(tx: Db, subjects: readonly string[]): Promise<Raise[]> {
  const result = await tx.execute(sql`
    select subject, epoch::float8 as epoch from raise_credential_epochs(${makePgArray([...subjects])}::text[])`);
  return rows<Raise>(result);
}

/** Waits for the writes under the rights of the subjects, and keeps others from beginning until the transaction ends. */
export async function holdSubjects(tx: Db, subjects: readonly string[]): Promise<void> {
  await tx.execute(sql`
    select pg_advisory_xact_lock(lock) from (
      select distinct credential_lock(subject) as lock from unnest(${makePgArray([...subjects])}::text[]) as subject
      order by lock
    ) as ordered`);
}

/** Waits for raises of the subjects that are under way, and keeps others from beginning until the transaction ends. */
export async function shareSubjects(tx: Db, subjects: readonly string[]): Promise<void> {
  await tx.execute(sql`
    select pg_advisory_xact_lock_shared(lock) from (
      select distinct credential_lock(subject) as lock from unnest(${makePgArray([...subjects])}::text[]) as subject
      order by lock
    ) as ordered`);
}

/** Whether rights that were read with these epochs may have changed; if not, they will not until the transaction ends. */
export async function haveEpochsMoved(tx: Db, { subjects, epochs }: Basis): Promise<boolean> {
  const result = await tx.execute(sql`
    select credential_epochs_moved(${makePgArray([...subjects])}::text[], ${makePgArray([...epochs])}::bigint[]) as moved`);
  return rows<{ moved: boolean }>(result)[0]?.moved !== false;
}

/**
 * Whether no raise of the subjects is under way; then none will be before the transaction ends, and what a later statement
 * of it reads of them stays true. Never waits.
 */
export async function tryHoldEpochs(tx: Db, subjects: readonly string[]): Promise<boolean> {
  const result = await tx.execute(sql`
    select bool_and(pg_try_advisory_xact_lock_shared(credential_lock(subject))) as held
    from unnest(${makePgArray([...subjects])}::text[]) as subject`);
  return rows<{ held: boolean }>(result)[0]?.held === true;
}

/** The epoch of a subject, as a column of another statement: 0 where it was never raised. */
export function epochOf(subject: SQLWrapper) {
  return sql<number>`coalesce((select epoch from credential_epochs where subject = ${subject}), 0)::float8`;
}

/** The epoch of everybody: credentials that were made before it are worth nothing. */
export const epochOfEverybody = epochOf(sql.raw(`'${everybody}'`));
