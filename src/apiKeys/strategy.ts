import type { Principal } from '../auth/principal.ts';
import { restrictRole } from '../auth/restrictRole.ts';
import { scopesOfRoles } from '../auth/roles.ts';
import type { VerdictCache } from '../auth/verdictCache.ts';
import type { Db } from '../storage/db.ts';
import { isAllowed } from './allowedIps.ts';
import type { LastUsed } from './lastUsed.ts';
import { type ApiKeyRecord, findBySecretHash } from './repository.ts';
import { hashApiKey, isWellFormedApiKey } from './secret.ts';

/** What the strategy works with. */
export type ApiKeyStrategy = { db: Db; cache: VerdictCache<ApiKeyRecord>; lastUsed: LastUsed };

/**
 * Who the secret stands for, with rights that are never more than its owner's now; null where it does not work: unknown,
 * revoked, ended, of a disabled owner, or sent from an address that the key does not allow. Text that is no key costs
 * no query. Rejects only where the database fails.
 */
export async function authenticateApiKey(
  { db, cache, lastUsed }: ApiKeyStrategy,
  secret: string,
  ip: string,
): Promise<Principal | null> {
  if (!isWellFormedApiKey(secret)) return null;
  const hash = hashApiKey(secret);
  const key = await cache.find(hash, () => findBySecretHash(db, hash));
  if (!key || hasEnded(key) || !isAllowed(key.allowedIps, ip)) return null;
  const principal = principalOf(key);
  if (principal) lastUsed.note(key.id);
  return principal;
}

const principals = new WeakMap<ApiKeyRecord, Principal | null>();

function hasEnded({ endsAt }: ApiKeyRecord): boolean {
  return endsAt !== null && endsAt.getTime() <= Date.now();
}

/** One principal for each record that the cache holds: what is decided of a principal is decided once. */
function principalOf(key: ApiKeyRecord): Principal | null {
  const known = principals.get(key);
  if (known !== undefined) return known;
  const principal = createPrincipal(key);
  principals.set(key, principal);
  return principal;
}

function createPrincipal(key: ApiKeyRecord): Principal | null {
  const role = restrictRole(key.role, key.ownerRoles);
  if (!role) return null;
  const allowed = scopesOfRoles([role]);
  return {
    kind: 'API_KEY',
    userId: key.ownerId,
    roles: [role],
    // A secret that was replaced must not replace its successor.
    scopes: new Set(key.scopes.filter((scope) => allowed.has(scope) && !(key.isPrevious && scope === 'apiKeys:write'))),
    tier: key.tier,
    agentId: key.agentId,
    apiKeyId: key.id,
    keyHash: key.secretHash,
    sessionId: null,
    authenticatedAt: null,
    basis: key.basis,
    ...(key.documents && { documents: new Set(key.documents) }),
    ...(key.isPrevious && key.endsAt && { secretEndsAt: key.endsAt }),
  };
}
