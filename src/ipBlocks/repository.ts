import { and, count, desc, eq, getTableColumns, gt, isNull, or, type SQL, sql } from 'drizzle-orm';
import type { InstantAndId, Page } from '../graphql/connection.ts';
import { type Db, rows } from '../storage/db.ts';
import { newId } from '../storage/id.ts';
import type { BlockChange } from './blockSet.ts';
import { ipBlocks, isActiveBlock } from './table.ts';

const changesPerStatement = 10_000;
/** How far back automatic blocks of a range make the next one longer. */
const repetitionDays = 7;
const maxDoublings = 30;
/** Any number will do that nothing else in the database takes as the seed of its advisory locks. */
const rangeLockSeed = 7_305_219_845;

/** A block as the API shows it. */
export type IpBlockView = {
  id: string;
  cidr: string;
  reason: string;
  automatic: boolean;
  createdBy: { id: string } | null;
  createdAt: Date;
  expiresAt: Date;
};

/** A block that was changed, with what the processes have to know of it. */
export type ChangedBlock = { block: IpBlockView; change: BlockChange };

/** `cidr` is the text of a network. */
export type NewBlock = { cidr: string; reason: string; durationSeconds: number; createdBy: string };

/** `maxSeconds` is the most that doubling leads to; within `graceSeconds` of its end by hand no block comes back. */
export type NewAutomaticBlock = {
  cidr: string;
  reason: string;
  seconds: number;
  maxSeconds: number;
  graceSeconds: number;
};

/** Which active blocks to end: one, those that hold an address of a range, or all. */
export type LiftTarget = { id: string } | { cidr: string } | 'ALL';

const remainingMs = sql<number>`(extract(epoch from least(${ipBlocks.expiresAt}, ${ipBlocks.liftedAt}) - now()) * 1000)::float8`;
const changed = { version: sql`${ipBlocks.version} + 1`, changedBy: sql`pg_current_xact_id()` };

/** Active blocks, the newest first; one more than the page holds where more follow. */
export async function list(db: Db, page: Page<InstantAndId>): Promise<IpBlockView[]> {
  const after =
    page.after && sql`(${ipBlocks.createdAt}, ${ipBlocks.id}) < (${page.after[0]}::timestamptz, ${page.after[1]})`;
  const found = await db
    .select()
    .from(ipBlocks)
    .where(and(isActiveBlock, after ?? undefined))
    .orderBy(desc(ipBlocks.createdAt), desc(ipBlocks.id))
    .limit(page.size + 1);
  return found.map(viewOf);
}

/**
 * Blocks the range for so long from now. Where it is blocked already that block goes on, to the later of the two ends,
 * with the reason and the author of this call.
 */
export async function block(tx: Db, { cidr, durationSeconds, ...said }: NewBlock): Promise<ChangedBlock> {
  await lockRange(tx, cidr);
  const expiresAt = sql`now() + make_interval(secs => ${durationSeconds})`;
  const extended = await tx
    .update(ipBlocks)
    .set({ ...said, ...changed, automatic: false, expiresAt: sql`greatest(${ipBlocks.expiresAt}, ${expiresAt})` })
    .where(and(eq(ipBlocks.cidr, cidr), isActiveBlock))
    .returning(answer());
  const made = extended.length > 0 ? extended : await insert(tx, { ...said, cidr, expiresAt, automatic: false });
  return changedOf(existing(made[0]));
}

/**
 * Blocks the range, twice as long as the last time; null where it is blocked, or was until somebody ended it a moment
 * ago. Of several that want the same at once one does it.
 */
export async function blockAutomatically(tx: Db, wanted: NewAutomaticBlock): Promise<ChangedBlock | null> {
  const { cidr, reason, seconds, maxSeconds, graceSeconds } = wanted;
  await lockRange(tx, cidr);
  const isSpared = or(isActiveBlock, gt(ipBlocks.liftedAt, sql`now() - make_interval(secs => ${graceSeconds})`));
  const [spared] = await tx
    .select({ id: ipBlocks.id })
    .from(ipBlocks)
    .where(and(eq(ipBlocks.cidr, cidr), isSpared))
    .limit(1);
  if (spared) return null;
  const isRepetition = and(
    eq(ipBlocks.cidr, cidr),
    eq(ipBlocks.automatic, true),
    isNull(ipBlocks.liftedAt),
    gt(ipBlocks.createdAt, sql`now() - make_interval(days => ${repetitionDays})`),
  );
  const [before] = await tx.select({ count: count() }).from(ipBlocks).where(isRepetition);
  const durationSeconds = Math.min(maxSeconds, seconds * 2 ** Math.min(before?.count ?? 0, maxDoublings));
  const expiresAt = sql`now() + make_interval(secs => ${durationSeconds})`;
  const made = await insert(tx, { cidr, reason, automatic: true, createdBy: null, expiresAt });
  return changedOf(existing(made[0]));
}

/** Ends active blocks; answers those that it ended. `liftedBy` is null at the command line. */
export async function lift(tx: Db, target: LiftTarget, liftedBy: string | null): Promise<ChangedBlock[]> {
  const lifted = await tx
    .update(ipBlocks)
    .set({ ...changed, liftedAt: sql`now()`, liftedBy })
    .where(and(isActiveBlock, isTarget(target)))
    .returning(answer());
  return lifted.map(changedOf);
}

/** The place in the order of transactions before which all have ended: what changes later is changed by one after it. */
export async function readHorizon(db: Db): Promise<string> {
  const result = await db.execute(sql`select pg_snapshot_xmin(pg_current_snapshot())::text as horizon`);
  return existing(rows<{ horizon: string }>(result)[0]).horizon;
}

/** The blocks that were changed since the horizon, ended ones too; all active ones where it is null. */
export async function readChanges(db: Db, horizon: string | null): Promise<BlockChange[]> {
  const isNew = horizon === null ? isActiveBlock : sql`${ipBlocks.changedBy} >= ${horizon}::xid8`;
  const changes: BlockChange[] = [];
  for (let last = ''; ; ) {
    const page = await db
      .select({ id: ipBlocks.id, cidr: ipBlocks.cidr, version: ipBlocks.version, remainingMs })
      .from(ipBlocks)
      .where(and(isNew, gt(ipBlocks.id, last)))
      .orderBy(ipBlocks.id)
      .limit(changesPerStatement);
    changes.push(...page);
    if (page.length < changesPerStatement) return changes;
    last = page.at(-1)?.id ?? last;
  }
}

/** Until the end of the transaction nobody else blocks exactly this range. Needs READ COMMITTED. */
async function lockRange(tx: Db, cidr: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${cidr}, ${rangeLockSeed}::bigint))`);
}

type Row = typeof ipBlocks.$inferSelect;
type Answer = Row & { remainingMs: number };

function insert(
  tx: Db,
  values: Pick<Row, 'cidr' | 'reason' | 'automatic' | 'createdBy'> & { expiresAt: SQL },
): Promise<Answer[]> {
  return tx
    .insert(ipBlocks)
    .values({ ...values, id: newId('block') })
    .returning(answer());
}

function answer() {
  return { ...getTableColumns(ipBlocks), remainingMs };
}

function isTarget(target: LiftTarget): SQL | undefined {
  if (target === 'ALL') return undefined;
  return 'id' in target ? eq(ipBlocks.id, target.id) : sql`${ipBlocks.cidr} && ${target.cidr}::inet`;
}

function changedOf({ remainingMs, ...row }: Answer): ChangedBlock {
  const { id, cidr, version } = row;
  return { block: viewOf(row), change: { id, cidr, version, remainingMs } };
}

function viewOf({ id, cidr, reason, automatic, createdBy, createdAt, expiresAt }: Row): IpBlockView {
  return {
    id,
    cidr,
    reason,
    automatic,
    createdBy: createdBy === null ? null : { id: createdBy },
    createdAt,
    expiresAt,
  };
}

function existing<T>(row: T | undefined): T {
  if (row === undefined) throw new Error('The statement answered no row.');
  return row;
}
