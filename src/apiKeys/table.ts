import { sql } from 'drizzle-orm';
import { bigint, index, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import type { Role, Scope, Tier } from '../auth/roles.ts';
import { users } from '../users/table.ts';

/** Keys for programs. Only the SHA-256 of a secret is stored; during an overlap, that of the secret before it too. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    start: text('start').notNull(),
    secretHash: text('secret_hash').notNull().unique('api_keys_secret_hash_unique'),
    /** The credential epoch in which its secret was made. */
    epoch: bigint('epoch', { mode: 'number' }).notNull().default(sql`nextval('credential_epoch')`),
    previousSecretHash: text('previous_secret_hash').unique('api_keys_previous_secret_hash_unique'),
    previousExpiresAt: timestamp('previous_expires_at', { withTimezone: true, precision: 3 }),
    tier: text('tier').$type<Tier>().notNull(),
    role: text('role').$type<Role>().notNull(),
    scopes: text('scopes').array().$type<Scope[]>().notNull(),
    agentId: text('agent_id'),
    allowedIps: text('allowed_ips').array().notNull(),
    /** The SHA-256 of the documents that the key may send; null: any. */
    documents: text('documents').array(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => users.id),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }),
    lastUsedAt: timestamp('last_used_at', { withTimezone: true, precision: 3 }),
    rotatedAt: timestamp('rotated_at', { withTimezone: true, precision: 3 }),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    // Serves Query.apiKeys of one owner.
    index('api_keys_owner_id_created_at_index').on(table.ownerId, table.createdAt, table.id),
    // Serves Query.apiKeys of an ADMIN.
    index('api_keys_created_at_index').on(table.createdAt, table.id),
  ],
);
