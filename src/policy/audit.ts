import { type Actor, AuditDraft } from '../audit/draft.ts';
import * as auditEvents from '../audit/repository.ts';
import type { AuditActorKind, AuditOutcome } from '../audit/table.ts';
import type { Context } from '../context.ts';
import { DependencyUnavailableError } from '../errors.ts';
import { Loaders } from '../loaders.ts';
import { describeError } from '../log.ts';
import type { AuditRule } from './table.ts';

const redacted = '[REDACTED]';

/**
 * Runs a mutation in one transaction with its audit row: where the row cannot be written, nothing has changed and the
 * answer is DEPENDENCY_UNAVAILABLE. The effects that the mutation asked for run after the commit.
 */
export async function runAudited<Result>(
  rule: AuditRule,
  args: Record<string, unknown>,
  ctx: Context,
  run: (scope: Context) => Promise<Result>,
): Promise<Result> {
  const draft = new AuditDraft();
  const effects: (() => void | Promise<void>)[] = [];
  const result = await ctx.db.transaction(async (tx) => {
    const scope: Context = {
      ...ctx,
      db: tx,
      loaders: new Loaders(tx),
      audit: draft,
      afterCommit: (effect) => effects.push(effect),
    };
    const result = await run(scope);
    try {
      await auditEvents.append(tx, [auditEventOf(rule, args, ctx, 'SUCCEEDED', draft)]);
    } catch (cause) {
      throw new DependencyUnavailableError('audit log', { cause });
    }
    await ctx.recheckCaller(tx);
    return result;
  });
  await runEffects(effects, ctx);
  return result;
}

/** The row of an act, with its arguments where the level says so. */
export function auditEventOf(
  rule: AuditRule,
  args: Record<string, unknown>,
  ctx: Context,
  outcome: AuditOutcome,
  draft: AuditDraft = ctx.audit,
): auditEvents.NewAuditEvent {
  const actor = draft.actor ?? ctx.caller;
  const detail = {
    ...draft.detail,
    ...(actor?.secretEndsAt && { isReplacedSecret: true }),
    ...(rule.level === 'REQUEST' && { arguments: redactArguments(args, rule.redact) }),
  };
  return {
    action: rule.action,
    outcome,
    severity: rule.severity,
    ...actorOf(actor),
    targets: draft.targets,
    ip: ctx.ip,
    userAgent: ctx.userAgent,
    requestId: ctx.requestId,
    detail: Object.keys(detail).length > 0 ? detail : null,
  };
}

function actorOf(caller: Actor | null): {
  actorKind: AuditActorKind;
  actorId: string | null;
  credentialId: string | null;
} {
  if (!caller) return { actorKind: 'ANONYMOUS', actorId: null, credentialId: null };
  const credentialId = caller.apiKeyId ?? caller.sessionId;
  if (caller.agentId !== null) return { actorKind: 'AGENT', actorId: caller.agentId, credentialId };
  return { actorKind: 'USER', actorId: caller.userId, credentialId };
}

/** The change is committed: an effect that fails is reported, and the answer stays the truth. */
async function runEffects(effects: readonly (() => void | Promise<void>)[], ctx: Context): Promise<void> {
  for (const effect of effects) {
    try {
      await effect();
    } catch (error) {
      ctx.log.error('An effect after a committed change failed.', {
        requestId: ctx.requestId,
        error: describeError(error),
      });
    }
  }
}

function redactArguments(args: Record<string, unknown>, paths: readonly string[]): unknown {
  return paths.reduce<unknown>((copy, path) => redactAt(copy, path.split('.')), args);
}

function redactAt(value: unknown, [segment, ...rest]: readonly string[]): unknown {
  if (value == null || segment === undefined) return value == null ? value : redacted;
  if (Array.isArray(value)) return value.map((element) => redactAt(element, [segment, ...rest]));
  if (typeof value !== 'object' || !Object.hasOwn(value, segment)) return value;
  return { ...value, [segment]: redactAt(Reflect.get(value, segment), rest) };
}
