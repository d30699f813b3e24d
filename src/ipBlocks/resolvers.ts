import { requireCaller } from '../auth/requireCaller.ts';
import type { Context } from '../context.ts';
import { NotFoundError } from '../errors.ts';
import { instantAndId, parsePage, toConnection } from '../graphql/connection.ts';
import { parseInput } from '../graphql/input.ts';
import type { Resolvers } from '../graphql/types.generated.ts';
import { blockIpInput } from './input.ts';
import * as ipBlocks from './repository.ts';

const cursorKey = instantAndId('block');

export const ipBlocksResolvers = {
  Query: {
    ipBlocks: async (_parent, args, ctx) => {
      const page = parsePage(args, cursorKey);
      return toConnection(await ipBlocks.list(ctx.db, page), page, ({ createdAt, id }) => [
        createdAt.toISOString(),
        id,
      ]);
    },
  },

  Mutation: {
    blockIp: async (_parent, { input }, ctx) => {
      const { userId } = requireCaller(ctx.caller);
      const wanted = parseInput(blockIpInput(ctx.ip, ctx.services.ipBlocks.isProtected), input, 'input');
      return { ipBlock: changed(ctx, await ipBlocks.block(ctx.db, { ...wanted, createdBy: userId })) };
    },

    unblockIp: async (_parent, { id }, ctx) => {
      const { userId } = requireCaller(ctx.caller);
      const [lifted] = await ipBlocks.lift(ctx.db, { id }, userId);
      if (!lifted) throw new NotFoundError('active block');
      return { ipBlock: changed(ctx, lifted) };
    },
  },
} satisfies Resolvers;

/** The block, whose change is told to all processes once it is committed. */
function changed(ctx: Context, { block, change }: ipBlocks.ChangedBlock): ipBlocks.IpBlockView {
  ctx.audit.target('ipBlock', block.id);
  ctx.audit.detail.cidr = block.cidr;
  ctx.afterCommit(() => ctx.services.ipBlocks.announce([change]));
  return block;
}
