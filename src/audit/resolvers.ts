import { z } from 'zod';
import { parsePage, toConnection } from '../graphql/connection.ts';
import { instant, parseInput, parseTogether, text } from '../graphql/input.ts';
import type { Resolvers } from '../graphql/types.generated.ts';
import * as auditEvents from './repository.ts';

const auditFilter = z.object({
  action: text(1, 100).nullish(),
  actorId: text(1, 100).nullish(),
  targetId: text(1, 100).nullish(),
  outcome: z.enum(['SUCCEEDED', 'REFUSED']).nullish(),
  severity: z.enum(['INFO', 'WARNING', 'CRITICAL']).nullish(),
  from: instant.nullish(),
  to: instant.nullish(),
});

export const auditResolvers = {
  Query: {
    auditEvents: async (_parent, args, ctx) => {
      const [filter, page] = parseTogether(
        () => parseInput(auditFilter, args.filter ?? {}, 'filter'),
        () => parsePage(args, auditEvents.sequenceKey),
      );
      return toConnection(await auditEvents.list(ctx.db, filter, page), page, ({ sequence }) => sequence);
    },
  },
} satisfies Resolvers;
