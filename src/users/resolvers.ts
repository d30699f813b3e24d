import { invalidate } from '../auth/invalidate.ts';
import { hashPassword } from '../auth/password.ts';
import { requireCaller } from '../auth/requireCaller.ts';
import { scopes } from '../auth/roles.ts';
import { holdLiveSessions, revokeLiveSessions } from '../auth/userSessions.ts';
import type { Context } from '../context.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { instantAndId, parsePage, toConnection } from '../graphql/connection.ts';
import { parseInput } from '../graphql/input.ts';
import type { Resolvers } from '../graphql/types.generated.ts';
import { prepared } from '../policy/prepared.ts';
import { prepareChangePassword } from './changePassword.ts';
import { changePasswordArguments, createUserInput, setUserRolesArguments } from './input.ts';
import * as users from './repository.ts';

const cursorKey = instantAndId('user');

export const usersResolvers = {
  Query: {
    me: async (_parent, _args, ctx) => {
      const caller = requireCaller(ctx.caller);
      return {
        kind: caller.kind,
        roles: [...caller.roles],
        scopes: scopes.filter((scope) => caller.scopes.has(scope)),
        tier: caller.tier,
        user: existing(await users.findById(ctx.db, caller.userId)),
      };
    },

    users: async (_parent, args, ctx) => {
      const page = parsePage(args, cursorKey);
      return toConnection(await users.list(ctx.db, page), page, ({ createdAt, id }) => [createdAt.toISOString(), id]);
    },
  },

  Mutation: {
    createUser: prepared(async (_parent, args) => {
      const { password, ...input } = parseInput(createUserInput, args.input, 'input');
      const passwordHash = await hashPassword(password);
      return async (ctx) => {
        const user = await users.create(ctx.db, { ...input, passwordHash });
        if (!user) throw new ConflictError('The e-mail address is taken.');
        ctx.audit.target('user', user.id);
        return { user };
      };
    }),

    setUserRoles: async (_parent, args, ctx) => {
      const { roles } = parseInput(setUserRolesArguments, { roles: args.roles });
      const isAdmin = await users.holdAdmin(ctx.db, args.userId);
      if (isAdmin && !roles.includes('ADMIN')) await requireOtherAdmin(ctx, args.userId);
      await invalidate(ctx, [args.userId]);
      const user = existing(await users.setRoles(ctx.db, args.userId, roles));
      ctx.audit.target('user', user.id);
      return { user };
    },

    setUserTier: async (_parent, args, ctx) => {
      await users.hold(ctx.db, args.userId);
      await invalidate(ctx, [args.userId]);
      const user = existing(await users.setTier(ctx.db, args.userId, args.tier));
      ctx.audit.target('user', user.id);
      return { user };
    },

    disableUser: async (_parent, args, ctx) => {
      if (await users.holdAdmin(ctx.db, args.userId)) await requireOtherAdmin(ctx, args.userId);
      await holdLiveSessions(ctx.db, args.userId);
      await invalidate(ctx, [args.userId]);
      const user = existing(await users.disable(ctx.db, args.userId));
      ctx.audit.target('user', user.id);
      await revokeSessions(ctx, user.id, null);
      return { user };
    },

    changePassword: prepared(async (_parent, args, ctx) => {
      const { userId, sessionId } = requireCaller(ctx.caller);
      const changePassword = await prepareChangePassword(ctx, userId, parseInput(changePasswordArguments, args));
      return async (scope) => {
        const user = await changePassword(scope.db);
        scope.audit.target('user', user.id);
        await holdLiveSessions(scope.db, user.id);
        await revokeSessions(scope, user.id, sessionId);
        await invalidate(scope, [user.id]);
        return { user };
      };
    }),
  },
} satisfies Resolvers;

function existing(user: users.UserView | null): users.UserView {
  if (!user) throw new NotFoundError('user');
  return user;
}

/** CONFLICT where nobody but this user is an enabled ADMIN. Of ADMINs, two changes at once are taken one after the other. */
async function requireOtherAdmin(ctx: Context, userId: string): Promise<void> {
  await users.lockAdmins(ctx.db);
  if (!(await users.hasOtherAdmin(ctx.db, userId))) throw new ConflictError('The last ADMIN stays one.');
}

async function revokeSessions(ctx: Context, userId: string, sparedId: string | null): Promise<void> {
  for (const id of await revokeLiveSessions(ctx.db, userId, sparedId)) ctx.audit.target('session', id);
}
