import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';

export type AgentStatus = 'ACTIVE' | 'INACTIVE' | 'OFFLINE';

/** Agents that a key, a task or a reading has named, with what the newest reading said. */
export const agents = pgTable('agents', {
  id: text('id').primaryKey(),
  status: text('status').$type<AgentStatus>().notNull().default('OFFLINE'),
  lastSeenAt: timestamp('last_seen_at', { withTimezone: true, precision: 3 }),
});
