import type { Principal } from '../auth/principal.ts';
import type { AuditTarget } from './table.ts';

/** Who acts: what an audit row says of the caller. */
export type Actor = Pick<Principal, 'userId' | 'agentId' | 'apiKeyId' | 'sessionId' | 'secretEndsAt'>;

/** What a resolver adds to the audit row of its mutation. */
export class AuditDraft {
  readonly targets: AuditTarget[] = [];
  readonly detail: Record<string, unknown> = {};
  actor: Actor | null = null;

  /** Names something that the mutation changes. */
  target(type: AuditTarget['type'], id: string): void {
    this.targets.push({ type, id });
  }

  /** Says who acted, where the mutation itself finds out: a login. */
  actAs(actor: Actor): void {
    this.actor = actor;
  }
}
