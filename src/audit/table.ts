import { bigserial, index, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

export type AuditOutcome = 'SUCCEEDED' | 'REFUSED';
export type AuditSeverity = 'INFO' | 'WARNING' | 'CRITICAL';
export type AuditActorKind = 'USER' | 'AGENT' | 'ANONYMOUS' | 'SYSTEM';
export type AuditTarget = { type: string; id: string };

/** What was done and refused. Rows are only ever added. */
export const auditEvents = pgTable(
  'audit_events',
  {
    sequence: bigserial('sequence', { mode: 'number' }).primaryKey(),
    id: text('id').notNull().unique('audit_events_id_unique'),
    occurredAt: timestamp('occurred_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    action: text('action').notNull(),
    outcome: text('outcome').$type<AuditOutcome>().notNull(),
    severity: text('severity').$type<AuditSeverity>().notNull(),
    actorKind: text('actor_kind').$type<AuditActorKind>().notNull(),
    actorId: text('actor_id'),
    credentialId: text('credential_id'),
    targets: jsonb('targets').$type<AuditTarget[]>().notNull(),
    ip: text('ip').notNull(),
    userAgent: text('user_agent'),
    requestId: text('request_id').notNull(),
    detail: jsonb('detail').$type<Record<string, unknown>>(),
  },
  (table) => [
    // Serve Query.auditEvents by the filter of the same name; the newest first is the order of the primary key.
    index('audit_events_action_index').on(table.action, table.sequence),
    index('audit_events_actor_id_index').on(table.actorId, table.sequence),
    index('audit_events_targets_index').using('gin', table.targets),
    index('audit_events_occurred_at_index').on(table.occurredAt),
  ],
);
