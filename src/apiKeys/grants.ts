import { isAdmin, type Principal } from '../auth/principal.ts';
import { mayGrantRole, type Role, type Scope, scopesOfRoles, type Tier, tiers } from '../auth/roles.ts';
import type { Problem } from '../errors.ts';
import type { ApiKeyOwner } from './repository.ts';

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

/** Whether the caller could make such a key, as far as role and scopes go. */
export function isWithin({ role, scopes }: Omit<Grant, 'tier'>, caller: Principal): boolean {
  return mayGrantRole(caller.roles, role) && scopes.every((scope) => caller.scopes.has(scope));
}
