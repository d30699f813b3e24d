import { and, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Page } from '../graphql/connection.ts';
import type { Db } from '../storage/db.ts';
import { newId } from '../storage/id.ts';
import { type AuditActorKind, type AuditOutcome, type AuditSeverity, type AuditTarget, auditEvents } from './table.ts';

export type NewAuditEvent = Omit<typeof auditEvents.$inferInsert, 'id' | 'sequence' | 'occurredAt'>;

/** An audit event as the API shows it. */
export type AuditEventView = {
  id: string;
  sequence: number;
  occurredAt: Date;
  action: string;
  outcome: AuditOutcome;
  severity: AuditSeverity;
  actor: { kind: AuditActorKind; id: string | null; credentialId: string | null };
  targets: AuditTarget[];
  ip: string;
  userAgent: string | null;
  requestId: string;
  detail: Record<string, unknown> | null;
};

/** The cursor key of the audit log. */
export const sequenceKey = z.number().int().nonnegative();

export type AuditConditions = {
  action?: string | null;
  actorId?: string | null;
  targetId?: string | null;
  outcome?: AuditOutcome | null;
  severity?: AuditSeverity | null;
  from?: Date | null;
  to?: Date | null;
};

/** Adds the events, in their order, with the database's clock. */
export async function append(db: Db, events: readonly NewAuditEvent[]): Promise<void> {
  await db.insert(auditEvents).values(events.map((event) => ({ ...event, id: newId('audit') })));
}

/** Events that meet all conditions, the newest first; one more than the page holds where more follow. */
export async function list(db: Db, conditions: AuditConditions, page: Page<number>): Promise<AuditEventView[]> {
  const rows = await db
    .select()
    .from(auditEvents)
    .where(and(...whereOf(conditions), page.after === null ? undefined : lt(auditEvents.sequence, page.after)))
    .orderBy(desc(auditEvents.sequence))
    .limit(page.size + 1);
  return rows.map(viewOf);
}

function whereOf(conditions: AuditConditions): (SQL | undefined)[] {
  const { action, actorId, targetId, outcome, severity, from, to } = conditions;
  return [
    action ? eq(auditEvents.action, action) : undefined,
    actorId ? eq(auditEvents.actorId, actorId) : undefined,
    targetId ? sql`${auditEvents.targets} @> ${JSON.stringify([{ id: targetId }])}::jsonb` : undefined,
    outcome ? eq(auditEvents.outcome, outcome) : undefined,
    severity ? eq(auditEvents.severity, severity) : undefined,
    from ? gte(auditEvents.occurredAt, from) : undefined,
    to ? lt(auditEvents.occurredAt, to) : undefined,
  ];
}

function viewOf(row: typeof auditEvents.$inferSelect): AuditEventView {
  const { actorKind, actorId, credentialId, ...event } = row;
  return { ...event, actor: { kind: actorKind, id: actorId, credentialId } };
}
