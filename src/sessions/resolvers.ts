import { invalidate } from '../auth/invalidate.ts';
import { isAdmin, type Principal } from '../auth/principal.ts';
import { requireCaller } from '../auth/requireCaller.ts';
import { holdLiveSessions, revokeLiveSessions } from '../auth/userSessions.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, NotFoundError, UnauthenticatedError } from '../errors.ts';
import { instantAndId, parsePage, toConnection } from '../graphql/connection.ts';
import type { Resolvers } from '../graphql/types.generated.ts';
import { prepared } from '../policy/prepared.ts';
import type { Db } from '../storage/db.ts';
import * as accounts from './accounts.ts';
import { prepareLogin } from './login.ts';
import * as sessions from './repository.ts';

const cursorKey = instantAndId('sess');

export const sessionsResolvers = {
  Query: {
    sessions: async (_parent, args, ctx) => {
      const caller = requireCaller(ctx.caller);
      const page = parsePage(args, cursorKey);
      const userId = args.userId ?? caller.userId;
      await requireUserInReach(ctx.db, caller, userId);
      const rows = await sessions.list(ctx.db, userId, page, caller.sessionId);
      return toConnection(rows, page, ({ createdAt, id }) => [createdAt.toISOString(), id]);
    },
  },

  Mutation: {
    login: prepared((_parent, args, ctx) => prepareLogin(ctx, args)),

    logout: async (_parent, _args, ctx) => {
      const { userId, sessionId } = requireSession(ctx);
      return { session: await revoke(ctx, sessionId, userId) };
    },

    refreshAccessToken: async (_parent, _args, ctx) => {
      const { userId, sessionId, roles, scopes } = requireSession(ctx);
      const session = await sessions.findById(ctx.db, sessionId, userId, sessionId);
      if (!session) throw new UnauthenticatedError();
      const { token, expiresAt } = await ctx.services.accessTokens.issue({
        ...{ userId, sessionId, roles, scopes },
        authenticatedAt: session.createdAt,
      });
      ctx.audit.target('session', sessionId);
      return { accessToken: token, accessTokenExpiresAt: expiresAt };
    },

    revokeSession: async (_parent, { id }, ctx) => {
      const caller = requireCaller(ctx.caller);
      return { session: await revoke(ctx, id, isAdmin(caller) ? null : caller.userId) };
    },

    revokeAllUserSessions: async (_parent, { userId }, ctx) => {
      const caller = requireCaller(ctx.caller);
      await requireUserInReach(ctx.db, caller, userId);
      await accounts.holdForChange(ctx.db, userId);
      await holdLiveSessions(ctx.db, userId);
      await invalidate(ctx, [userId]);
      const revokedIds = await revokeLiveSessions(ctx.db, userId, null);
      ctx.audit.target('user', userId);
      for (const id of revokedIds) ctx.audit.target('session', id);
      forgetCookie(ctx, revokedIds);
      return { revokedCount: revokedIds.length };
    },
  },

  Me: {
    session: (_parent, _args, { db, caller }) =>
      caller?.sessionId ? sessions.findById(db, caller.sessionId, caller.userId, caller.sessionId) : null,
  },
} satisfies Resolvers;

function requireSession(ctx: Context): Principal & { sessionId: string } {
  const caller = requireCaller(ctx.caller);
  if (caller.sessionId === null) throw new ForbiddenError('This needs a session of Nexus.');
  return { ...caller, sessionId: caller.sessionId };
}

/** NOT_FOUND for another's user id, and for an ADMIN where there is no such user. */
async function requireUserInReach(db: Db, caller: Principal, userId: string): Promise<void> {
  if (userId === caller.userId) return;
  if (!isAdmin(caller) || !(await accounts.exists(db, userId))) throw new NotFoundError('user');
}

async function revoke(ctx: Context, id: string, ownerId: string | null): Promise<sessions.SessionView> {
  if (!(await sessions.holdForChange(ctx.db, id, ownerId))) throw new NotFoundError('session');
  await invalidate(ctx, [id]);
  const session = await sessions.revoke(ctx.db, id, ctx.caller?.sessionId ?? null);
  ctx.audit.target('session', id);
  forgetCookie(ctx, [id]);
  return session;
}

/** After the commit, where the caller's own session is among the revoked. */
function forgetCookie(ctx: Context, revokedIds: readonly string[]): void {
  const currentId = ctx.caller?.sessionId;
  if (currentId && revokedIds.includes(currentId)) ctx.afterCommit(() => ctx.setSessionCookie(null));
}
