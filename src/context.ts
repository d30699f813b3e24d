import type { Logger } from 'winston';
import type { AuditDraft } from './audit/draft.ts';
import type { Caller } from './auth/principal.ts';
import type { NexusError } from './errors.ts';
import type { Loaders } from './loaders.ts';
import type { OperationLimits } from './policy/operationLimits.ts';
import type { Refusals } from './policy/refusals.ts';
import type { RequestNotes } from './requestNotes.ts';
import type { Services } from './services.ts';
import type { Db } from './storage/db.ts';

/** What a resolver may rely on. In an audited mutation `db` and `loaders` are those of its transaction. */
export type Context = {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string | null;
  /** How long the body of the request was. */
  readonly bodyBytes: number;
  /** When the request came in, as performance.now() counts. */
  readonly receivedAt: number;
  /** What the log says of this request when it has ended. */
  readonly notes: RequestNotes;
  readonly caller: Caller;
  /** Why the credential of this request was refused: nothing runs then. */
  readonly refusal: NexusError | null;
  readonly db: Db;
  readonly loaders: Loaders;
  readonly services: Services;
  readonly log: Logger;
  /** What the audit row of this mutation will say. */
  readonly audit: AuditDraft;
  /** What the operation costs, and what it has reserved of its limits. */
  readonly limits: OperationLimits;
  /** Whether the client asked for the price of each field. */
  readonly isCostDebugged: boolean;
  /** What was refused in this request, for the audit log. */
  readonly refusals: Refusals;
  /** Rejects where the caller has lost its rights since the request came in: the last thing before a change commits. */
  recheckCaller(tx: Db): Promise<void>;
  /** Runs after the change is committed; never where it is not. */
  afterCommit(effect: () => void | Promise<void>): void;
  /** The session cookie that the answer sets, `null` to clear it. */
  setSessionCookie(value: string | null): void;
};
