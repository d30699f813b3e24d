import { isAdmin, type Principal } from '../auth/principal.ts';
import { mayGrantRole, type Role, type Scope, scopesOfRoles, type Tier, tiers } from '../auth/roles.ts';
import type { Problem } from '../errors.ts';
import type { ApiKeyOwner, ApiKeyView } from './repository.ts';

/** What a key would be allowed. */
export type Grant = { role: Role; scopes: readonly Scope[]; tier: Tier };

/** Every way in which the grant is more than its maker or its owner has: a key never has more than either. */
export function grantProblems({ role, scopes, tier }: Grant, caller: Principal, owner: ApiKeyOwner): Problem[] {
  const ofRole = scopesOfRoles([role]);
  const checks: [isFine: boolean, field: string, message: string][] = [
    [mayGrantRole(caller.roles, role), 'role', 'must not be more than you are'],
    [mayGrantRole(owner.roles, role), 'role', 'must not be more than the owner is'],
    [scopes.every((scope) => caller.scopes.has(scope)), 'scopes', 'must hold only scopes that you have'],
    [scopes.every((scope) => ofRole.has(scope)), 'scopes', 'must hold only scopes that the role has'],
    [
      isAdmin(caller) || tiers.indexOf(tier) <= tiers.indexOf(owner.tier),
      'tier',
      "must not be larger than the owner's, unless an ADMIN makes the key",
    ],
  ];
  return checks.filter(([isFine]) => !isFine).map(([, field, message]) => ({ field, message }));
}

/** What a key hands on at most to the keys that it makes. */
export type Bounds = Pick<ApiKeyView, 'tier' | 'allowedIps' | 'documents' | 'expiresAt'>;

/** Every way in which a key would reach further than the key that makes it; none where a person makes it. */
export function boundProblems({ tier, allowedIps, documents, expiresAt }: Bounds, maker: Bounds | null): Problem[] {
  if (!maker) return [];
  const checks: [isFine: boolean, field: string][] = [
    [tiers.indexOf(tier) <= tiers.indexOf(maker.tier), 'tier'],
    [maker.expiresAt === null || (expiresAt !== null && expiresAt <= maker.expiresAt), 'expiresAt'],
    [
      maker.allowedIps.length === 0 ||
        (allowedIps.length > 0 && allowedIps.every((ip) => maker.allowedIps.includes(ip))),
      'allowedIps',
    ],
    [maker.documents === null || (documents !== null && isSubset(documents, maker.documents)), 'documents'],
  ];
  return checks
    .filter(([isFine]) => !isFine)
    .map(([, field]) => ({ field, message: 'must not reach further than the key that makes it' }));
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  const allowed = new Set(whole);
  return part.every((item) => allowed.has(item));
}

/** Whether the caller could make such a key, as far as role and scopes go. */
export function isWithin({ role, scopes }: Omit<Grant, 'tier'>, caller: Principal): boolean {
  return mayGrantRole(caller.roles, role) && scopes.every((scope) => caller.scopes.has(scope));
}
