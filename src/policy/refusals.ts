import type { GraphQLResolveInfo } from 'graphql';
import * as auditEvents from '../audit/repository.ts';
import type { Context } from '../context.ts';
import { addressBucket } from '../limits/addressBucket.ts';
import { auditEventOf } from './audit.ts';
import type { AuditRule, FieldPolicy } from './table.ts';

const refusalCodes = new Set(['UNAUTHENTICATED', 'REAUTHENTICATION_REQUIRED', 'FORBIDDEN', 'RATE_LIMITED']);

/** So many rows of refusals a caller, or an address, adds in a minute; the request events have them all. */
const refusalRowsLimit = { max: 600, windowMs: 60_000 };

/** What is recorded where a field without @audit is refused to a caller who is known. */
const accessRefused: AuditRule = { action: 'access.refuse', severity: 'WARNING', level: 'METADATA', redact: [] };

/** So much of a refused call is kept; whoever may not come in may not fill the log either. */
const maxDetailLength = 4096;

type Refusal = { policy: FieldPolicy; args: Record<string, unknown>; code: string };

/** The refusals of one request, each code and path once; the path has no list indexes. */
export class Refusals {
  readonly #byCodeAndPath = new Map<string, Refusal>();

  /** Notes the error where it is a refusal; other errors are not. */
  note(policy: FieldPolicy, args: Record<string, unknown>, error: unknown, path: readonly (string | number)[]): void {
    const code = codeOf(error);
    if (!refusalCodes.has(code)) return;
    const key = `${code} ${path.filter((part) => typeof part === 'string').join('.')}`;
    if (!this.#byCodeAndPath.has(key)) this.#byCodeAndPath.set(key, { policy, args, code });
  }

  /** Writes the noted refusals to the audit log, after the fact. */
  async record(ctx: Context): Promise<void> {
    const events = [...this.#byCodeAndPath.values()].flatMap((refusal) => eventOf(refusal, ctx) ?? []);
    this.#byCodeAndPath.clear();
    if (events.length === 0) return;
    const whose = ctx.caller?.apiKeyId ?? ctx.caller?.userId ?? addressBucket(ctx.ip);
    const limit = { subject: whose, key: 'refusals', ...refusalRowsLimit };
    const reservation = await ctx.services.counters.reserve([{ limit, units: events.length }]);
    if (reservation.allowed) reservation.settle([0]);
    if (reservation.allowed) await auditEvents.append(ctx.db, events);
    else ctx.log.warn('Too many refusals for the audit log: see the request events.', { requestId: ctx.requestId });
  }
}

/** The field names from the root to a field, list indexes included. */
export function pathOf(info: GraphQLResolveInfo): (string | number)[] {
  const path = [];
  for (let step: GraphQLResolveInfo['path'] | undefined = info.path; step; step = step.prev) path.unshift(step.key);
  return path;
}

function eventOf({ policy, args, code }: Refusal, ctx: Context): auditEvents.NewAuditEvent | null {
  const { audit, coordinate } = policy;
  const isAudited = audit !== null && audit.level !== 'NONE';
  if (!isAudited && !ctx.caller) return null; // A stranger at a door is in the request events.
  const event = auditEventOf(isAudited ? audit : accessRefused, args, ctx, 'REFUSED');
  const targets = isAudited ? event.targets : [{ type: 'field', id: coordinate }];
  const detail = { ...event.detail, code };
  return { ...event, targets, detail: isKeepable(detail) ? detail : { code } };
}

/** Whether it is short, and without the escapes of NUL and of lone surrogates, which Postgres does not store. */
function isKeepable(detail: Record<string, unknown>): boolean {
  const json = JSON.stringify(detail);
  return json.length <= maxDetailLength && !/\\u(0000|d[89a-f])/.test(json);
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('extensions' in error)) return '';
  const { extensions } = error;
  return typeof extensions === 'object' && extensions !== null && 'code' in extensions ? String(extensions.code) : '';
}
