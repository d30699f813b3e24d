import { sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import type { Page } from '../graphql/connection.ts';
import { type Db, rows } from '../storage/db.ts';
import type { AgentStatus } from './table.ts';

/** An agent as the API shows it. */
export type AgentRow = { id: string; status: AgentStatus; lastSeenAt: Date | null };

type StoredAgent = { id: string; status: AgentStatus; last_seen_ms: number | null };

/** Milliseconds, because JavaScript takes the year 99 in Postgres's notation for 1999. */
const columns = sql.raw('id, status, (extract(epoch from last_seen_at) * 1000)::float8 as last_seen_ms');

/** The agents among these that exist, in no order, in one statement. */
export async function findByIds(db: Db, ids: readonly string[]): Promise<AgentRow[]> {
  const result = await db.execute(sql`select ${columns} from agents where id = any(${makePgArray([...ids])}::text[])`);
  return rows<StoredAgent>(result).map(toAgent);
}

/** Agents by id; one more than the page holds where more follow. `agentId` is the only agent that the caller sees. */
export async function list(db: Db, page: Page<string>, agentId: string | null): Promise<AgentRow[]> {
  const own = agentId === null ? sql`` : sql`and id = ${agentId}`;
  const result = await db.execute(
    sql`select ${columns} from agents where id > ${page.after ?? ''} ${own} order by id limit ${page.size + 1}`,
  );
  return rows<StoredAgent>(result).map(toAgent);
}

function toAgent({ id, status, last_seen_ms }: StoredAgent): AgentRow {
  return { id, status, lastSeenAt: last_seen_ms === null ? null : new Date(last_seen_ms) };
}
