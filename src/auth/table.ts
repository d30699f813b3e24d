import { sql } from 'drizzle-orm';
import { bigint, customType, pgSequence, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import { users } from '../users/table.ts';

/** A transaction's number that never comes again. */
export const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

/** Epochs are places in one order: what comes later has the larger number. */
export const credentialEpoch = pgSequence('credential_epoch');

/**
 * When the rights of a user, a session, an API key, or of everybody (`global`) last changed: verdicts that were read
 * before are worth nothing. A subject whose rights never changed has no row, and epoch 0. Changed by
 * raise_credential_epochs alone, which waits for the writes that are under way.
 */
export const credentialEpochs = pgTable('credential_epochs', {
  subject: text('subject').primaryKey(),
  epoch: bigint('epoch', { mode: 'number' }).notNull(),
  /** The transaction that raised it: who has seen all before one has seen its rows. */
  raisedBy: xid8('raised_by').notNull().default(sql`pg_current_xact_id()`),
  raisedAt: timestamp('raised_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
});

/**
 * The Ed25519 keys of access tokens: the current one signs, the next one is published before it does, and retired ones
 * still verify what they signed. The private half is encrypted with the master key.
 */
export const signingKeys = pgTable('signing_keys', {
  /** The thumbprint of the public half (RFC 7638). */
  kid: text('kid').primaryKey(),
  /** The public half: `x` of its JWK (RFC 8037). */
  publicKey: text('public_key').notNull(),
  /** The PKCS#8 of the private half, as masterKey.ts encrypts. */
  encryptedPrivateKey: text('encrypted_private_key').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  /** Since when it signs; null: it is the next one. */
  activatedAt: timestamp('activated_at', { withTimezone: true, precision: 3 }),
  /** Since when it signs no more; null: the current one, or the next. */
  retiredAt: timestamp('retired_at', { withTimezone: true, precision: 3 }),
});

/** Whom the subjects of foreign issuers stand for. */
export const foreignIdentities = pgTable(
  'foreign_identities',
  {
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    userId: text('user_id')
      .notNull()
      .unique('foreign_identities_user_id_unique')
      .references(() => users.id),
    /** When the newest token was issued whose roles the user was given: an older one changes nothing. */
    rolesAt: timestamp('roles_at', { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.issuer, table.subject] })],
);
