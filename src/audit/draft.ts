import type { Principal } from '../auth/principal.ts';
import type { AuditTarget } from './table.ts';

/** What a resolver adds to the audit row of its mutation. */
export class AuditDraft {
  readonly targets: AuditTarget[] = [];
  readonly detail: Record<string, unknown> = {};
  actor: Principal | null = null;

  /** Names something that the mutation changes. */
  target(type: AuditTarget['type'], id: string): void {
    this.targets.push({ type, id });
  }

  /** Says who acted, where the mutation itself finds out: a login. */
  actAs(principal: Principal): void {
    this.actor = principal;
  }
}
