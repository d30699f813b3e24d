import { index, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import type { Role, Tier } from '../auth/roles.ts';

/** People who may log in. `email` is stored in its canonical form. */
export const users = pgTable(
  'users',
  {
    id: text('id').primaryKey(),
    email: text('email').notNull().unique('users_email_unique'),
    passwordHash: text('password_hash').notNull(),
    roles: text('roles').array().$type<Role[]>().notNull(),
    tier: text('tier').$type<Tier>().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    disabledAt: timestamp('disabled_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    // Serves Query.users: the newest first.
    index('users_created_at_index').on(table.createdAt, table.id),
  ],
);
