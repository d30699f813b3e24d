import type { Resolvers } from '../graphql/types.generated.ts';

export const limitsResolvers = {
  Query: {
    rateLimit: (_parent, _args, { caller, limits }) => ({
      tier: caller?.tier ?? null,
      cost: limits.price?.cost ?? 0,
      limits: limits.report(),
    }),
  },
} satisfies Resolvers;
