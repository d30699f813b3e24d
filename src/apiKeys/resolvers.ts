import { invalidate } from '../auth/invalidate.ts';
import { isAdmin, type Principal } from '../auth/principal.ts';
import { requireCaller } from '../auth/requireCaller.ts';
import type { Context } from '../context.ts';
import { ConflictError, ForbiddenError, NotFoundError } from '../errors.ts';
import { instantAndId, parsePage, toConnection } from '../graphql/connection.ts';
import type { CreateApiKeyInput, Resolvers } from '../graphql/types.generated.ts';
import { boundProblems, isWithin } from './grants.ts';
import { assertReason, parseNewApiKey, parseOverlapSeconds } from './input.ts';
import * as apiKeys from './repository.ts';
import { hashApiKey, newApiKeySecret, startOf } from './secret.ts';

const cursorKey = instantAndId('key');

export const apiKeysResolvers = {
  Query: {
    async apiKeys(_parent, args, ctx) {
      const page = parsePage(args, cursorKey);
      const found = await apiKeys.list(ctx.db, listedOwnerId(args.ownerId, requireCaller(ctx.caller)), page);
      return toConnection(found, page, ({ createdAt, id }) => [createdAt.toISOString(), id]);
    },

    async apiKey(_parent, { id }, ctx) {
      return foundKey(await apiKeys.findById(ctx.db, id, ownerIdOf(requireCaller(ctx.caller))));
    },
  },

  Mutation: {
    async createApiKey(_parent, { input }, ctx) {
      const caller = requireCaller(ctx.caller);
      const owner = await findOwner(input, caller, ctx);
      const maker = await findMaker(caller, ctx);
      const key = parseNewApiKey(input, caller, owner, maker, ctx.services.usedScopes);
      const secret = newApiKeySecret(ctx.services.apiKeyEnvironment);
      const apiKey = await apiKeys.create(ctx.db, { ...key, secretHash: hashApiKey(secret), start: startOf(secret) });
      ctx.audit.target('apiKey', apiKey.id);
      return { secret, apiKey };
    },

    async rotateApiKey(_parent, { id, ...args }, ctx) {
      const caller = requireCaller(ctx.caller);
      const overlapSeconds = parseOverlapSeconds(args.overlapSeconds);
      const present = foundKey(await apiKeys.findWithHash(ctx.db, id, ownerIdOf(caller)));
      assertRotatable(present.apiKey, caller, await findMaker(caller, ctx));
      const secret = newApiKeySecret(ctx.services.apiKeyEnvironment);
      const next = { secretHash: hashApiKey(secret), start: startOf(secret), overlapSeconds, askedAt: ctx.receivedAt };
      await invalidate(ctx, [id]);
      const apiKey = await apiKeys.rotate(ctx.db, id, present.secretHash, next);
      // The database knows when a rotation was made; when it was committed, a moment later, is known by hearsay.
      if (!apiKey || ctx.services.wasRaisedSince(id, ctx.receivedAt))
        throw new ConflictError('The key was rotated or revoked at the same time.');
      ctx.audit.detail.replacedStart = present.apiKey.start;
      ctx.audit.target('apiKey', id);
      return { secret, apiKey };
    },

    async revokeApiKey(_parent, { id, reason }, ctx) {
      assertReason(reason);
      const ownerId = ownerIdOf(requireCaller(ctx.caller));
      foundKey(await apiKeys.findById(ctx.db, id, ownerId));
      await invalidate(ctx, [id]);
      const apiKey = foundKey(await apiKeys.revoke(ctx.db, id, ownerId));
      ctx.audit.target('apiKey', id);
      return { apiKey };
    },
  },

  Me: {
    apiKey(_parent, _args, ctx) {
      const { apiKeyId, userId } = requireCaller(ctx.caller);
      return apiKeyId === null ? null : apiKeys.findById(ctx.db, apiKeyId, userId);
    },
  },
} satisfies Resolvers;

/** Whose keys the caller may name: `null` for anybody's. */
function ownerIdOf(caller: Principal): string | null {
  return isAdmin(caller) ? null : caller.userId;
}

function listedOwnerId(ownerId: string | null | undefined, caller: Principal): string | null {
  if (ownerId == null) return ownerIdOf(caller);
  assertMayName(ownerId, caller);
  return ownerId;
}

async function findOwner({ ownerId }: CreateApiKeyInput, caller: Principal, ctx: Context) {
  const id = ownerId ?? caller.userId;
  assertMayName(id, caller);
  const owner = await apiKeys.findOwner(ctx.db, id);
  if (!owner) throw new NotFoundError('user');
  return owner;
}

function assertMayName(ownerId: string, caller: Principal): void {
  if (ownerId !== caller.userId && !isAdmin(caller)) throw new NotFoundError('user');
}

function foundKey<Found>(found: Found | null): Found {
  if (!found) throw new NotFoundError('API key');
  return found;
}

/** The key that the caller came with; null for a person. */
function findMaker({ apiKeyId, userId }: Principal, ctx: Context): Promise<apiKeys.ApiKeyView | null> | null {
  return apiKeyId === null ? null : apiKeys.findById(ctx.db, apiKeyId, userId);
}

function assertRotatable(key: apiKeys.ApiKeyView, caller: Principal, maker: apiKeys.ApiKeyView | null): void {
  if (key.revokedAt) throw new ConflictError('The key is revoked.');
  if (key.expiresAt && key.expiresAt.getTime() <= Date.now()) throw new ConflictError('The key has expired.');
  if (!isWithin(key, caller) || boundProblems(key, maker).length > 0)
    throw new ForbiddenError('The key has more than you have.');
}
