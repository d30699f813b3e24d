import { sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import type { AgentStatus } from '../agents/table.ts';
import type { Basis } from '../auth/credentialEpochs.ts';
import type { Page } from '../graphql/connection.ts';
import { type Db, rows } from '../storage/db.ts';
import { createStatementCache } from '../storage/statementCache.ts';

/** A reading as the API shows it. */
export type TelemetryRow = { agentId: string; timestamp: Date; metrics: Record<string, number>; status: AgentStatus };

/** From inclusive, to exclusive; null: no bound. */
export type Range = { from: Date | null; to: Date | null };

/** Where a reading stands in the list of its agent. */
export type TelemetryKey = [agentId: string, timestampMs: number];

type StoredReading = { agent_id: string; epoch_ms: number; metrics: Record<string, number>; status: AgentStatus };

/** Milliseconds, because JavaScript takes the year 99 in Postgres's notation for 1999. */
const epochMs = sql.raw('(extract(epoch from timestamp) * 1000)::float8 as epoch_ms');

/**
 * Stores the readings that are not there yet and moves their agents forward, in one statement; answers how many it
 * stored. Fails where an epoch of the basis was raised (changeAtOnce). Of readings with the same agent and timestamp the first one counts. An agent's state is that of its newest
 * reading, whatever order they arrive in.
 *
 * Every call locks readings first, then agents, each in the order of their keys: two calls can wait for each other, and
 * never both at once.
 */
export async function insert(db: Db, readings: readonly TelemetryRow[], basis: Basis | null): Promise<number> {
  const [inserted] = await insertStatements(db, '', () => prepareInsert(db)).execute({
    readings: JSON.stringify(readings),
    subjects: makePgArray([...(basis?.subjects ?? [])]),
    epochs: makePgArray([...(basis?.epochs ?? [])]),
  });
  return inserted?.count ?? 0;
}

const insertStatements = createStatementCache<ReturnType<typeof prepareInsert>>(1);

/** One JSON text costs this process less than an array for each column, and Postgres no more. */
function prepareInsert(db: Db) {
  const readings = db.$with('readings', {}).as(sql`
    select distinct on (agent_id, timestamp) agent_id, timestamp, metrics, status
    from rows from (
      jsonb_to_recordset(${sql.placeholder('readings')}::jsonb)
        as ("agentId" text, timestamp timestamptz, metrics jsonb, status text)
    ) with ordinality as reading(agent_id, timestamp, metrics, status, position)
    order by agent_id, timestamp, position`);
  const inserted = db.$with('inserted', { added: sql<number>`1`.as('added') }).as(sql`
    insert into telemetry (agent_id, timestamp, metrics, status)
    select agent_id, timestamp, metrics, status from readings order by agent_id, timestamp
    on conflict do nothing
    returning 1 as added`);
  const moved = db.$with('moved', {}).as(sql`
    insert into agents (id, status, last_seen_at)
    select distinct on (agent_id) agent_id, status, timestamp from readings order by agent_id, timestamp desc
    on conflict (id) do update set status = excluded.status, last_seen_at = excluded.last_seen_at
    where agents.last_seen_at is null or agents.last_seen_at < excluded.last_seen_at`);
  const [subjects, epochs] = [sql.placeholder('subjects'), sql.placeholder('epochs')];
  return db
    .with(readings, inserted, moved)
    .select({
      count: sql<number>`count(*)::integer`,
      isHeld: sql<boolean>`(select require_credential_epochs(${subjects}::text[], ${epochs}::bigint[]))`,
    })
    .from(inserted)
    .prepare('insert_readings');
}

/** Stores the reading unless its agent has one of that timestamp; answers the one that is there then. */
export async function insertOne(db: Db, reading: TelemetryRow, basis: Basis | null): Promise<TelemetryRow> {
  if ((await insert(db, [reading], basis)) === 1) return reading;
  const result = await db.execute(sql`
    select agent_id, ${epochMs}, metrics, status from telemetry
    where agent_id = ${reading.agentId} and timestamp = ${reading.timestamp.toISOString()}::timestamptz`);
  const [stored] = rows<StoredReading>(result).map(toReading);
  if (!stored) throw new Error('The reading that was there is gone: readings are never deleted.');
  return stored;
}

/** Readings of one agent, the newest first; one more than the page holds where more follow. */
export async function list(
  db: Db,
  agentId: string,
  { from, to }: Range,
  page: Page<TelemetryKey>,
): Promise<TelemetryRow[]> {
  const after = page.after?.[1] ?? Number.POSITIVE_INFINITY;
  const before = Math.min(after, to?.getTime() ?? Number.POSITIVE_INFINITY);
  const result = await db.execute(sql`
    select agent_id, ${epochMs}, metrics, status from telemetry
    where agent_id = ${agentId}
      and timestamp >= ${from?.toISOString() ?? '-infinity'}::timestamptz
      and timestamp < ${Number.isFinite(before) ? new Date(before).toISOString() : 'infinity'}::timestamptz
    order by timestamp desc
    limit ${page.size + 1}`);
  return rows<StoredReading>(result).map(toReading);
}

/** The newest reading of each of these agents that has one, in no order, in one statement. */
export async function findLatest(db: Db, agentIds: readonly string[]): Promise<TelemetryRow[]> {
  const result = await db.execute(sql`
    select latest.agent_id, ${epochMs}, latest.metrics, latest.status
    from unnest(${makePgArray([...agentIds])}::text[]) as agent(id)
    cross join lateral (
      select agent_id, timestamp, metrics, status from telemetry
      where agent_id = agent.id order by timestamp desc limit 1
    ) as latest`);
  return rows<StoredReading>(result).map(toReading);
}

function toReading({ agent_id, epoch_ms, metrics, status }: StoredReading): TelemetryRow {
  return { agentId: agent_id, timestamp: new Date(epoch_ms), metrics, status };
}
