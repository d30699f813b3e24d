import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  type GraphQLFieldConfig,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import type { Context } from '../context.ts';
import { UnauthenticatedError } from '../errors.ts';
import { runAudited } from './audit.ts';
import type { AuthGuard } from './auth.ts';
import type { FieldGuards, PolicyGuards } from './guards.ts';
import { preparationOf } from './prepared.ts';
import type { EndPlace } from './rateLimit.ts';
import { pathOf } from './refusals.ts';

type Resolver = GraphQLFieldResolver<unknown, Context>;
type FieldConfig = GraphQLFieldConfig<unknown, Context>;
type Args = Record<string, unknown>;

/**
 * The one transformer: wraps each field with a policy, and no other, so that a call goes through auth, then the rate
 * limits, then what the resolver prepares, then the audit, then the resolver. `subscribe` is guarded before a stream
 * opens, and each event again.
 */
export function enforcePolicy(schema: GraphQLSchema, guards: PolicyGuards): GraphQLSchema {
  const wrapped = new Set<unknown>();
  const subscription = schema.getSubscriptionType()?.name;
  const enforced = mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (config: FieldConfig, fieldName, typeName) => {
      const field = guards.get(`${typeName}.${fieldName}`);
      if (!field) return undefined;
      const resolve = guardResolve(field, config.resolve ?? defaultFieldResolver, typeName === subscription);
      const subscribe = config.subscribe && guardSubscribe(field, config.subscribe);
      wrapped.add(resolve);
      if (subscribe) wrapped.add(subscribe);
      return { ...config, resolve, ...(subscribe && { subscribe }) };
    },
  });
  checkEverythingIsWrapped(enforced, guards, wrapped);
  return enforced;
}

function guardResolve(field: FieldGuards, next: Resolver, isEvent: boolean): Resolver {
  const { audit } = field.policy;
  const limits = isEvent ? [] : field.limits; // A subscription is counted where it opens.
  const needsAuthAlone = limits.length === 0 && audit === null;
  const prepare = preparationOf(next);

  const guarded: Resolver = async (parent, args: Args, ctx, info) => {
    const prepareAndRun = async () => {
      const commit = prepare && (await prepare(parent, args, ctx, info));
      const run = async (scope: Context) => {
        const result = await (commit ? commit(scope) : next(parent, args, scope, info));
        await authorizeResult(field.auth, parent, args, result, ctx);
        // What an earlier mutation of this request loaded is no longer the truth.
        if (audit) ctx.loaders.clearAll();
        return result;
      };
      return audit && audit.level !== 'NONE' ? runAudited(audit, args, ctx, run) : run(ctx);
    };
    try {
      await authorize(field.auth, parent, args, ctx);
      return await withPlaces(limits, args, ctx, info, prepareAndRun);
    } catch (error) {
      ctx.refusals.note(field.policy, args, error, pathOf(info));
      throw error;
    }
  };

  // A field of a hundred objects costs a look-up each where the caller is known to pass, and no promise.
  return (parent, args, ctx, info) =>
    needsAuthAlone && field.auth.every((guard) => guard.isKnownToPass(ctx))
      ? next(parent, args, ctx, info)
      : guarded(parent, args, ctx, info);
}

function guardSubscribe(field: FieldGuards, next: Resolver): Resolver {
  return async (parent, args: Args, ctx, info) => {
    try {
      await authorize(field.auth, parent, args, ctx);
      return await withPlaces(field.limits, args, ctx, info, async () => next(parent, args, ctx, info));
    } catch (error) {
      ctx.refusals.note(field.policy, args, error, pathOf(info));
      throw error;
    }
  };
}

async function authorize(guards: readonly AuthGuard[], parent: unknown, args: Args, ctx: Context): Promise<void> {
  for (const guard of guards) {
    if (guard.isKnownToPass(ctx)) continue;
    const verdict = await guard.before(parent, args, ctx);
    if (verdict !== true) throw verdict;
  }
}

async function authorizeResult(
  guards: readonly AuthGuard[],
  parent: unknown,
  args: Args,
  result: unknown,
  ctx: Context,
) {
  for (const guard of guards) {
    if (guard.isKnownToPass(ctx)) continue;
    const verdict = await guard.after(parent, args, result, ctx);
    if (verdict !== true) throw verdict;
  }
}

/**
 * Runs the call with a place in each limit. Those that count failed attempts alone get theirs back unless it was one,
 * where another limit refuses the call too.
 */
async function withPlaces<Result>(
  limits: FieldGuards['limits'],
  args: Args,
  ctx: Context,
  info: GraphQLResolveInfo,
  run: () => Promise<Result>,
): Promise<Result> {
  const places: EndPlace[] = [];
  let isFailedAttempt = false;
  try {
    for (const limit of limits) places.push(await limit.take(args, ctx, info));
    return await run();
  } catch (error) {
    isFailedAttempt = error instanceof UnauthenticatedError;
    throw error;
  } finally {
    for (const end of places) end(isFailedAttempt);
  }
}

/** A table entry that no wrapped field answers to would be a policy that nothing enforces: start-up stops. */
function checkEverythingIsWrapped(schema: GraphQLSchema, guards: PolicyGuards, wrapped: ReadonlySet<unknown>): void {
  for (const coordinate of guards.keys()) {
    const [typeName = '', fieldName = ''] = coordinate.split('.');
    const type = schema.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
    if (!wrapped.has(field?.resolve) || (field?.subscribe && !wrapped.has(field.subscribe)))
      throw new Error(`The policy of ${coordinate} is not enforced.`);
  }
}
