import { z } from 'zod';
import { requireCaller } from '../auth/requireCaller.ts';
import { NotFoundError } from '../errors.ts';
import { parsePage, toConnection } from '../graphql/connection.ts';
import type { Resolvers } from '../graphql/types.generated.ts';
import * as agents from './repository.ts';

const agentKey = z
  .string()
  .max(64)
  .regex(/^agent-[a-z0-9]+$/);

export const agentsResolvers = {
  Query: {
    agent: async (_parent, { id }, ctx) => {
      const agent = await ctx.loaders.agents.load(id);
      if (!agent) throw new NotFoundError('agent');
      return agent;
    },
    agents: async (_parent, args, ctx) => {
      const page = parsePage(args, agentKey);
      return toConnection(await agents.list(ctx.db, page, requireCaller(ctx.caller).agentId), page, ({ id }) => id);
    },
  },
  Agent: {
    latestTelemetry: ({ id }, _args, ctx) => ctx.loaders.latestTelemetry.load(id),
  },
} satisfies Resolvers;
