import { sql } from 'drizzle-orm';
import { boolean, cidr, index, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { xid8 } from '../auth/table.ts';
import { users } from '../users/table.ts';

/** Ranges of addresses that are refused until a time. Of one range one block is active: see repository.ts. */
export const ipBlocks = pgTable(
  'ip_blocks',
  {
    id: text('id').primaryKey(),
    cidr: cidr('cidr').notNull(),
    reason: text('reason').notNull(),
    /** Whether Nexus itself blocked it. */
    automatic: boolean('automatic').notNull(),
    createdBy: text('created_by').references(() => users.id),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }).notNull(),
    /** When it was ended before its time. */
    liftedAt: timestamp('lifted_at', { withTimezone: true, precision: 3 }),
    /** Null too where it was ended at the command line. */
    liftedBy: text('lifted_by').references(() => users.id),
    /** Grows with each change. */
    version: integer('version').notNull().default(1),
    /** The transaction that changed it last: who has seen all before one has seen its rows. */
    changedBy: xid8('changed_by').notNull().default(sql`pg_current_xact_id()`),
  },
  (table) => [
    // Serves Query.ipBlocks: the newest first.
    index('ip_blocks_created_at_index').on(table.createdAt, table.id).where(sql`${table.liftedAt} is null`),
    // Serves a further block of the same range.
    index('ip_blocks_cidr_index').on(table.cidr, table.createdAt),
    // Serves the start of a process, which reads the active ones.
    index('ip_blocks_expires_at_index').on(table.expiresAt).where(sql`${table.liftedAt} is null`),
    // Serves the poll of each process.
    index('ip_blocks_changed_by_index').on(table.changedBy),
  ],
);

/** Of a block that refuses its addresses now, by the clock of the database. */
export const isActiveBlock = sql`${ipBlocks.liftedAt} is null and ${ipBlocks.expiresAt} > now()`;
