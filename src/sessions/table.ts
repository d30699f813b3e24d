import { sql } from 'drizzle-orm';
import { bigint, index, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { users } from '../users/table.ts';

/** A session ends this long after the log-in. */
export const sessionLifetimeSeconds = 24 * 60 * 60;
/** A session ends when it was not used for this long. */
export const sessionIdleSeconds = 2 * 60 * 60;

/** Log-ins. Only the SHA-256 of a cookie's secret is stored. */
export const sessions = pgTable(
  'sessions',
  {
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    secretHash: text('secret_hash').notNull(),
    /** The credential epoch in which its secret was made. */
    epoch: bigint('epoch', { mode: 'number' }).notNull().default(sql`nextval('credential_epoch')`),
    ip: text('ip').notNull(),
    userAgent: text('user_agent'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    lastSeenAt: timestamp('last_seen_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    // Serves Query.sessions and the revocation of all sessions of a user.
    index('sessions_user_id_created_at_index').on(table.userId, table.createdAt, table.id),
    // Serves the clean-up.
    index('sessions_created_at_index').on(table.createdAt),
  ],
);

/** The secrets that sessions had before; who comes with one long after it was replaced has stolen it, or was robbed. */
export const replacedSessionSecrets = pgTable(
  'replaced_session_secrets',
  {
    secretHash: text('secret_hash').primaryKey(),
    sessionId: text('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    replacedAt: timestamp('replaced_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  },
  (table) => [
    // Serves the cascade.
    index('replaced_session_secrets_session_id_index').on(table.sessionId),
  ],
);

/** Neither revoked nor at its end, by the clock of the database; whether its user is disabled is another question. */
export const isLiveSession = sql`(${sessions.revokedAt} is null
  and ${sessions.createdAt} > now() - make_interval(secs => ${sql.raw(String(sessionLifetimeSeconds))})
  and ${sessions.lastSeenAt} > now() - make_interval(secs => ${sql.raw(String(sessionIdleSeconds))}))`;
