import { jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import type { AgentStatus } from '../agents/table.ts';

/** Readings. The primary key makes sending one again harmless, and serves an agent's readings in their order. */
export const telemetry = pgTable(
  'telemetry',
  {
    agentId: text('agent_id').notNull(),
    timestamp: timestamp('timestamp', { withTimezone: true, precision: 3 }).notNull(),
    metrics: jsonb('metrics').$type<Record<string, number>>().notNull(),
    status: text('status').$type<AgentStatus>().notNull(),
    receivedAt: timestamp('received_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.agentId, table.timestamp] })],
);
