import {
  type DocumentNode,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  isObjectType,
  type OperationDefinitionNode,
} from 'graphql';
import type { Config } from '../config.ts';
import type { Context } from '../context.ts';
import { CostExceededError, DependencyUnavailableError, NexusError, RateLimitedError } from '../errors.ts';
import type { Reservation } from '../limits/counters.ts';
import type { PolicyGuards } from './guards.ts';
import {
  type GuardedSelection,
  isConditional,
  type OperationFields,
  type RawVariables,
  rawArguments,
  selectedFields,
} from './operation.ts';
import type { NamedDemand } from './operationLimits.ts';
import type { Price, Pricing } from './price.ts';
import { maxCostOf, quotaDemands } from './quota.ts';
import type { RateLimitGuard } from './rateLimit.ts';
import { createSlowDown, waitMsOf } from './slowDown.ts';

/** What is asked for, before it runs. */
export type OperationRequest = { document: DocumentNode; operation: OperationDefinitionNode; variables: RawVariables };

type RefusedSelection = { selection: GuardedSelection; error: NexusError };
type Admit = (request: OperationRequest, ctx: Context) => Promise<NexusError | null>;

/** A demand of a field's @rateLimit, with the selections that it stands for. */
type FieldDemand = NamedDemand & { guard: RateLimitGuard; selections: GuardedSelection[] };

/**
 * Decides before anything runs; null lets the operation in. A bad credential refuses everything. A mutation with one
 * field that the caller may not call is refused as a whole, a query where it may call none of the root fields; what only
 * the objects can tell is left to the fields. Then its price must be one that the caller's tier allows, and one call to
 * the counters reserves the quota and every @rateLimit of its root fields, all or nothing. What is refused takes one unit
 * of the quota all the same. Without a pricing, nothing is priced and counted.
 */
export function createAdmission(
  schema: GraphQLSchema,
  guards: PolicyGuards,
  pricing: Pricing | null,
  { tiers }: Pick<Config, 'tiers'>,
): Admit {
  const unconditional = new WeakMap<OperationDefinitionNode, OperationFields>();
  const slowDown = createSlowDown();

  const fieldsOf = ({ document, operation, variables }: OperationRequest): OperationFields => {
    const known = unconditional.get(operation);
    if (known) return known;
    const fields = selectedFields(schema, guards, document, operation, variables);
    if (!isConditional(document)) unconditional.set(operation, fields);
    return fields;
  };

  async function reserve(
    price: Price,
    refusal: NexusError | null,
    fields: readonly FieldDemand[],
    ctx: Context,
  ): Promise<NexusError | null> {
    const units = refusal ? Math.min(1, price.units) : price.units;
    const demands: NamedDemand[] = [...quotaDemands(ctx.caller, ctx.ip, tiers, units), ...fields];
    if (demands.length === 0) return refusal;
    const reservation = await reserveAll(demands, ctx);
    ctx.notes.shadowLimits = reservation.exceeded.flatMap((index) => shadowName(demands[index]));
    if (!reservation.allowed) return new RateLimitedError(reservation.retryAfterMs);
    if (reservation.isLocal && fields.some(({ guard }) => guard.rule.fallback === 'REFUSE')) {
      ctx.limits.settle(0);
      return new DependencyUnavailableError('rate limiter');
    }
    // Whoever asks what is left, and takes nothing, need not wait for the answer.
    if (!price.isFree) await slowDown(Math.max(...demands.map((demand, index) => waitOf(demand, reservation, index))));
    return refusal;
  }

  return async (request, ctx) => {
    const { guarded, rootNodes } = fieldsOf(request);
    const roots = guarded.filter(({ isRoot }) => isRoot);
    if (ctx.refusal) {
      const error = ctx.refusal;
      note(
        schema,
        roots.map((selection) => ({ selection, error })),
        request,
        ctx,
      );
      return error;
    }
    const isQuery = request.operation.operation === 'query';
    const refused = await refusedSelections(isQuery ? roots : guarded, request, ctx);
    const isRefused = isQuery ? refused.length === rootNodes.length : refused.length > 0;
    const forbidden = (isRefused && refused[0]?.error) || null;
    if (forbidden) note(schema, refused, request, ctx);
    if (!pricing) return forbidden;
    const price = pricing.priceOf(request);
    ctx.limits.price = price;
    const refusal = forbidden ?? costProblem(price, ctx);
    const open = refusal ? [] : roots.filter((root) => !refused.some(({ selection }) => selection === root));
    const fields = await fieldDemands(schema, open, request, ctx);
    try {
      const verdict = await reserve(price, refusal, fields, ctx);
      if (verdict instanceof RateLimitedError) noteLimited(schema, fields, verdict, request, ctx);
      return verdict;
    } catch (error) {
      ctx.limits.settle(0);
      if (error instanceof NexusError) return error;
      throw error;
    }
  };
}

/**
 * Takes one unit of the quota for a document that came to no price, one that is not valid say, so that those are not to be
 * had without end; RATE_LIMITED where there is none left.
 */
export async function chargeUnpriced(ctx: Context, { tiers }: Pick<Config, 'tiers'>): Promise<NexusError | null> {
  const demands = quotaDemands(ctx.caller, ctx.ip, tiers, 1);
  if (demands.length === 0) return null;
  const { allowed, retryAfterMs } = await reserveAll(demands, ctx);
  ctx.limits.settle(1);
  return allowed ? null : new RateLimitedError(retryAfterMs);
}

function costProblem(price: Price, { caller }: Context): NexusError | null {
  const allowed = maxCostOf(caller);
  return price.cost > allowed ? new CostExceededError(price.cost, allowed) : null;
}

async function reserveAll(demands: readonly NamedDemand[], ctx: Context): Promise<Reservation> {
  try {
    return await ctx.limits.reserve(ctx.services.counters, demands);
  } catch (cause) {
    throw new DependencyUnavailableError('rate limiter', { cause });
  }
}

/** One demand for each limit, of so many units as there are fields in the answer that it counts. */
async function fieldDemands(
  schema: GraphQLSchema,
  selections: readonly GuardedSelection[],
  request: OperationRequest,
  ctx: Context,
): Promise<FieldDemand[]> {
  const demands: FieldDemand[] = [];
  const counted = new Set<string>();
  for (const selection of selections) {
    const { guards, node } = selection;
    const responseKey = node.alias?.value ?? node.name.value;
    if (guards.limits.length === 0 || counted.has(responseKey)) continue;
    counted.add(responseKey);
    for (const guard of guards.limits) {
      const limit = guard.isPlain
        ? guard.plainLimitOf(ctx)
        : await guard.limitOf(argumentsOf(schema, selection, request), ctx);
      const same = demands.find(
        (one) => one.guard === guard && one.limit.key === limit.key && one.limit.subject === limit.subject,
      );
      if (same) {
        same.units += 1;
        same.selections.push(selection);
      } else
        demands.push({
          ...{ name: guard.name, limit, units: 1, isQuota: false, isShadow: guard.rule.mode === 'SHADOW' },
          ...{ guard, selections: [selection] },
        });
    }
  }
  return demands;
}

function shadowName(demand: NamedDemand | undefined): string[] {
  return demand?.isShadow ? [demand.name] : [];
}

/** Strangers and those who try passwords are slowed down before they are refused. */
function waitOf(demand: NamedDemand | FieldDemand, { states }: Reservation, index: number): number {
  const state = states[index];
  const isSlowed = 'guard' in demand ? demand.guard.rule.count === 'FAILED' : demand.isOfStranger;
  return isSlowed && state ? waitMsOf(state.max ?? demand.limit.max, state) : 0;
}

/** For the audit log, the fields whose own limit is used up; a quota is nobody's field. */
function noteLimited(
  schema: GraphQLSchema,
  fields: readonly FieldDemand[],
  error: NexusError,
  request: OperationRequest,
  ctx: Context,
): void {
  const exceeded = fields.filter((demand) => !demand.isShadow && ctx.limits.isExceeded(demand));
  const selections = exceeded.flatMap(({ selections }) => selections);
  note(
    schema,
    selections.map((selection) => ({ selection, error })),
    request,
    ctx,
  );
}

async function refusedSelections(selections: readonly GuardedSelection[], request: OperationRequest, ctx: Context) {
  const refused: RefusedSelection[] = [];
  for (const selection of selections) {
    const error = await earlyRefusal(selection, request, ctx);
    if (error) refused.push({ selection, error });
  }
  return refused;
}

async function earlyRefusal({ guards, node }: GuardedSelection, request: OperationRequest, ctx: Context) {
  for (const guard of guards.auth) {
    if (guard.isKnownToPass(ctx)) continue;
    const verdict = await guard.early(() => rawArguments(node, request.operation, request.variables), ctx);
    if (verdict instanceof NexusError) return verdict;
    if (verdict instanceof Error) throw verdict;
  }
  return null;
}

/** Remembers refusals for the audit log, with what the fields would have got as their arguments. */
function note(
  schema: GraphQLSchema,
  refused: readonly RefusedSelection[],
  { operation, variables }: OperationRequest,
  ctx: Context,
): void {
  if (refused.length === 0) return;
  const coerced = coercedVariables(schema, { operation, variables });
  for (const { selection, error } of refused) {
    const { guards, node } = selection;
    // In variables that do not fit, the paths of @audit(redact) would miss what is secret.
    const args = coerced ? coercedArguments(schema, selection, coerced) : {};
    ctx.refusals.note(guards.policy, args, error, [node.alias?.value ?? node.name.value]);
  }
}

/** The arguments that the field will get; none where they do not fit, and it will not run. */
function argumentsOf(schema: GraphQLSchema, selection: GuardedSelection, request: OperationRequest) {
  const coerced = coercedVariables(schema, request);
  return coerced ? coercedArguments(schema, selection, coerced) : {};
}

function coercedVariables(schema: GraphQLSchema, { operation, variables }: Omit<OperationRequest, 'document'>) {
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 }).coerced;
}

function coercedArguments(schema: GraphQLSchema, { guards, node }: GuardedSelection, variables: RawVariables) {
  const [typeName = ''] = guards.policy.coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[node.name.value] : undefined;
  try {
    return field ? getArgumentValues(field, node, variables) : {};
  } catch {
    return {}; // A null where a value must be: the field would not have run either.
  }
}
