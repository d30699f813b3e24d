/** The roles of the contract: ADMIN > OPERATOR > VIEWER, and AGENT apart. */
export const roles = ['ADMIN', 'OPERATOR', 'VIEWER', 'AGENT'] as const;
export type Role = (typeof roles)[number];

/** The scopes of the contract. */
export const scopes = [
  'tasks:read',
  'tasks:write',
  'tasks:work',
  'telemetry:read',
  'telemetry:write',
  'apiKeys:read',
  'apiKeys:write',
  'sessions:read',
  'sessions:write',
  'users:read',
  'users:write',
  'audit:read',
  'incidents:write',
] as const;
export type Scope = (typeof scopes)[number];

export const credentialKinds = ['API_KEY', 'ACCESS_TOKEN', 'SESSION'] as const;
export type CredentialKind = (typeof credentialKinds)[number];

/** The tiers, from the smallest to the largest. */
export const tiers = ['FREE', 'STANDARD', 'PREMIUM', 'ENTERPRISE'] as const;
export type Tier = (typeof tiers)[number];

const includedRoles: Record<Role, readonly Role[]> = {
  ADMIN: ['ADMIN', 'OPERATOR', 'VIEWER'],
  OPERATOR: ['OPERATOR', 'VIEWER'],
  VIEWER: ['VIEWER'],
  AGENT: ['AGENT'],
};

const viewerScopes: readonly Scope[] = [
  'tasks:read',
  'telemetry:read',
  'apiKeys:read',
  'apiKeys:write',
  'sessions:read',
  'sessions:write',
];

const scopesByRole: Record<Role, readonly Scope[]> = {
  ADMIN: scopes,
  OPERATOR: [...viewerScopes, 'tasks:write', 'tasks:work', 'telemetry:write'],
  VIEWER: viewerScopes,
  AGENT: ['tasks:read', 'tasks:work', 'telemetry:read', 'telemetry:write'],
};

/** Whether somebody with the held roles is also everything that `role` is. */
export function includesRole(held: readonly Role[], role: Role): boolean {
  return held.some((one) => includedRoles[one].includes(role));
}

/** Whether somebody with the held roles may make a credential of `role`: an AGENT key needs an OPERATOR. */
export function mayGrantRole(held: readonly Role[], role: Role): boolean {
  return includesRole(held, role === 'AGENT' ? 'OPERATOR' : role);
}

/** Every scope that at least one of the roles allows. */
export function scopesOfRoles(held: readonly Role[]): Set<Scope> {
  return new Set(held.flatMap((role) => scopesByRole[role]));
}
