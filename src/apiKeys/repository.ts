import { and, desc, eq, isNull, or, type SQL, sql } from 'drizzle-orm';
import { agents } from '../agents/table.ts';
import { type Basis, epochOf, epochOfEverybody, everybody } from '../auth/credentialEpochs.ts';
import type { Role, Scope, Tier } from '../auth/roles.ts';
import type { InstantAndId, Page } from '../graphql/connection.ts';
import type { Db } from '../storage/db.ts';
import { newId } from '../storage/id.ts';
import { createStatementCache } from '../storage/statementCache.ts';
import { users } from '../users/table.ts';
import { apiKeys } from './table.ts';

/** An API key as the API shows it. */
export type ApiKeyView = Omit<
  typeof apiKeys.$inferSelect,
  'secretHash' | 'previousSecretHash' | 'ownerId' | 'epoch'
> & {
  owner: { id: string };
};

/** What a new key is made of. */
export type NewApiKey = Pick<
  typeof apiKeys.$inferSelect,
  | 'name'
  | 'role'
  | 'scopes'
  | 'tier'
  | 'agentId'
  | 'allowedIps'
  | 'documents'
  | 'expiresAt'
  | 'ownerId'
  | 'secretHash'
  | 'start'
>;

/** An owner who is not disabled, with what a key of theirs may have. */
export type ApiKeyOwner = { id: string; roles: Role[]; tier: Tier };

/** A key as it stands behind one of its secrets. */
export type ApiKeyRecord = {
  id: string;
  /** The hash of the secret that it was asked for with. */
  secretHash: string;
  role: Role;
  scopes: Scope[];
  tier: Tier;
  agentId: string | null;
  allowedIps: string[];
  /** The SHA-256 of the documents that the key may send; null: any. */
  documents: string[] | null;
  /** Whether the secret is the one before the last rotation. */
  isPrevious: boolean;
  /** When this secret stops working; null: never. */
  endsAt: Date | null;
  ownerId: string;
  ownerRoles: Role[];
  basis: Basis;
};

/** Stores a key, and its agent where nobody has named that one before. */
export async function create(db: Db, key: NewApiKey): Promise<ApiKeyView> {
  if (key.agentId !== null) await db.insert(agents).values({ id: key.agentId }).onConflictDoNothing();
  const [row] = await db
    .insert(apiKeys)
    .values({ ...key, id: newId('key') })
    .returning();
  if (!row) throw new Error('The insert answered no row.');
  return toView(row);
}

/** The key of this owner, or of anybody where `null`. */
export async function findById(db: Db, id: string, ownerId: string | null): Promise<ApiKeyView | null> {
  const found = await findWithHash(db, id, ownerId);
  return found?.apiKey ?? null;
}

/** The same with the hash of its present secret, which a rotation replaces. */
export async function findWithHash(
  db: Db,
  id: string,
  ownerId: string | null,
): Promise<{ apiKey: ApiKeyView; secretHash: string } | null> {
  const [row] = await db.select().from(apiKeys).where(isKeyOf(id, ownerId));
  return row ? { apiKey: toView(row), secretHash: row.secretHash } : null;
}

/** The keys of this owner, or of all where `null`, the newest first: one more than the page holds where more follow. */
export async function list(db: Db, ownerId: string | null, { size, after }: Page<InstantAndId>): Promise<ApiKeyView[]> {
  const found = await db
    .select()
    .from(apiKeys)
    .where(
      and(
        ownerId === null ? undefined : eq(apiKeys.ownerId, ownerId),
        after ? sql`(${apiKeys.createdAt}, ${apiKeys.id}) < (${after[0]}::timestamptz, ${after[1]})` : undefined,
      ),
    )
    .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id))
    .limit(size + 1);
  return found.map(toView);
}

/** A new secret of a key. */
export type NextSecret = {
  secretHash: string;
  start: string;
  overlapSeconds: number;
  /** When whoever wants it asked, as performance.now() counts. */
  askedAt: number;
};

/**
 * Gives the key a new secret; the one before works for `overlapSeconds` more, and the one before that ends at once.
 * `null` where `presentHash` is no longer that of the key's secret, the key was revoked, or somebody has rotated it since
 * `askedAt`: of those who ask at the same time one gets a secret, also where the others have to wait for their turn.
 */
export async function rotate(db: Db, id: string, presentHash: string, next: NextSecret): Promise<ApiKeyView | null> {
  const hasOverlap = next.overlapSeconds > 0;
  const [row] = await db
    .update(apiKeys)
    .set({
      secretHash: next.secretHash,
      start: next.start,
      previousSecretHash: hasOverlap ? presentHash : null,
      previousExpiresAt: hasOverlap ? sql`now() + make_interval(secs => ${next.overlapSeconds})` : null,
      rotatedAt: sql`date_trunc('milliseconds', clock_timestamp())`,
      epoch: sql`nextval('credential_epoch')`,
    })
    .where(
      and(
        eq(apiKeys.id, id),
        eq(apiKeys.secretHash, presentHash),
        isNull(apiKeys.revokedAt),
        or(isNull(apiKeys.rotatedAt), sql`${apiKeys.rotatedAt} < clock_timestamp() - ${since(next.askedAt)}`),
      ),
    )
    .returning();
  return row ? toView(row) : null;
}

/** How long ago it was: a span, so that the clocks of this process and of the database need not agree. */
function since(askedAt: number): SQL {
  return sql`make_interval(secs => ${(performance.now() - askedAt) / 1000})`;
}

/** Revokes the key of this owner, or of anybody where `null`. A key that was revoked before stays as it is. */
export async function revoke(db: Db, id: string, ownerId: string | null): Promise<ApiKeyView | null> {
  const [row] = await db
    .update(apiKeys)
    .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, now())` })
    .where(isKeyOf(id, ownerId))
    .returning();
  return row ? toView(row) : null;
}

/** The user, where not disabled. */
export async function findOwner(db: Db, id: string): Promise<ApiKeyOwner | null> {
  const [row] = await db
    .select({ id: users.id, roles: users.roles, tier: users.tier })
    .from(users)
    .where(and(eq(users.id, id), isNull(users.disabledAt)));
  return row ?? null;
}

const lookups = createStatementCache<ReturnType<typeof prepareLookup>>(1);

/** The key with this secret now or before its last rotation; not a revoked one, nor one of a disabled owner. */
export async function findBySecretHash(db: Db, hash: string): Promise<ApiKeyRecord | null> {
  const [row] = await lookups(db, '', () => prepareLookup(db)).execute({ hash });
  if (!row) return null;
  const { secretHash, previousExpiresAt, expiresAt, globalEpoch, ownerEpoch, keyEpoch, ...record } = row;
  const isPrevious = secretHash !== hash;
  return {
    ...record,
    secretHash: hash,
    isPrevious,
    endsAt: isPrevious ? earliest(previousExpiresAt, expiresAt) : expiresAt,
    basis: { subjects: [everybody, record.ownerId, record.id], epochs: [globalEpoch, ownerEpoch, keyEpoch] },
  };
}

function prepareLookup(db: Db) {
  const hash = sql.placeholder('hash');
  return db
    .select({
      id: apiKeys.id,
      role: apiKeys.role,
      scopes: apiKeys.scopes,
      tier: apiKeys.tier,
      agentId: apiKeys.agentId,
      allowedIps: apiKeys.allowedIps,
      documents: apiKeys.documents,
      secretHash: apiKeys.secretHash,
      previousExpiresAt: apiKeys.previousExpiresAt,
      expiresAt: apiKeys.expiresAt,
      ownerId: users.id,
      ownerRoles: users.roles,
      globalEpoch: epochOfEverybody,
      ownerEpoch: epochOf(users.id),
      keyEpoch: epochOf(apiKeys.id),
    })
    .from(apiKeys)
    .innerJoin(users, eq(users.id, apiKeys.ownerId))
    .where(
      and(
        or(eq(apiKeys.secretHash, hash), eq(apiKeys.previousSecretHash, hash)),
        isNull(apiKeys.revokedAt),
        isNull(users.disabledAt),
        sql`${apiKeys.epoch} > ${epochOfEverybody}`,
      ),
    )
    .prepare('api_keys_by_secret_hash');
}

function isKeyOf(id: string, ownerId: string | null): SQL | undefined {
  return and(eq(apiKeys.id, id), ownerId === null ? undefined : eq(apiKeys.ownerId, ownerId));
}

function toView(row: typeof apiKeys.$inferSelect): ApiKeyView {
  const { secretHash: _, previousSecretHash: __, epoch: ___, ownerId, ...shown } = row;
  return { ...shown, owner: { id: ownerId } };
}

/** When the secret from before the last rotation ends: at once where nothing says when. */
function earliest(previousExpiresAt: Date | null, expiresAt: Date | null): Date {
  return new Date(Math.min(previousExpiresAt?.getTime() ?? 0, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY));
}
