import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import type { Context } from '../context.ts';

/** The second step of a resolver: what changes the database. In an audited mutation `scope` is its transaction's. */
export type Commit<Result> = (scope: Context) => Promise<Result>;

type Prepare<Parent, Args, Result> = (
  parent: Parent,
  args: Args,
  ctx: Context,
  info: GraphQLResolveInfo,
) => Promise<Commit<Result>>;

/** What a resolver does before it is committed, as the enforcement runs it. */
export type Preparation = Prepare<unknown, Record<string, unknown>, unknown>;

const preparations = new WeakMap<object, Preparation>();

/**
 * A resolver of two steps: `prepare` runs after auth and rate limits and before the transaction, so that slow work, a
 * password hash say, holds no connection; what it answers runs inside. Called directly it does both, one after the other.
 */
export function prepared<Parent, Args, Result>(prepare: Prepare<Parent, Args, Result>) {
  const resolver = async (parent: Parent, args: Args, ctx: Context, info: GraphQLResolveInfo): Promise<Result> => {
    const commit = await prepare(parent, args, ctx, info);
    return commit(ctx);
  };
  // graphql-tools binds each resolver to its map: another function, which would not be known as one of two steps.
  resolver.bind = () => resolver;
  preparations.set(resolver, prepare as Preparation);
  return resolver;
}

/** The first step of a resolver that was made by `prepared`; undefined for any other. */
export function preparationOf(resolver: GraphQLFieldResolver<unknown, Context>): Preparation | undefined {
  return preparations.get(resolver);
}
