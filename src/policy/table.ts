import type { CredentialKind, Role, Scope } from '../auth/roles.ts';

/** A path to ids: through the arguments, the parent object or the result of a field. */
export type OwnerPath = { root: 'args' | 'parent' | 'result'; segments: readonly string[]; text: string };

/** One @auth: kind ∧ scopes ∧ (role ∨ owner) ∧ age. An empty list demands nothing of its kind. */
export type AuthRule = {
  roles: readonly Role[];
  scopes: readonly (readonly Scope[])[];
  credentials: readonly CredentialKind[];
  owner: readonly OwnerPath[];
  /** How long ago a person may have given the password; null: any time. */
  maxAgeSeconds: number | null;
  /** Where it is written: `Query.task`, `interface Node`, … */
  origin: string;
};

export type RateLimitSubject = 'CALLER' | 'ADDRESS' | 'EVERYONE';
export type RateLimitRule = {
  max: number;
  window: string;
  windowMs: number;
  per: RateLimitSubject;
  identityArgs: readonly (readonly string[])[];
  /** The argument with the address of an account whose owner is counted apart. */
  ownAccount: readonly string[] | null;
  count: 'ALL' | 'FAILED';
};

export type AuditRule = {
  action: string;
  severity: 'INFO' | 'WARNING' | 'CRITICAL';
  level: 'NONE' | 'METADATA' | 'REQUEST';
  redact: readonly string[];
};

/** All that holds for a field. `auth` rules must all hold; a field without any is open to whoever reached it. */
export type FieldPolicy = {
  coordinate: string;
  isPublic: boolean;
  auth: readonly AuthRule[];
  rateLimits: readonly RateLimitRule[];
  audit: AuditRule | null;
};

/** Every field with a policy by its coordinate, `Type.field`. */
export type PolicyTable = ReadonlyMap<string, FieldPolicy>;

/** The scopes that at least one field asks for. */
export function scopesOf(table: PolicyTable): ReadonlySet<Scope> {
  return new Set([...table.values()].flatMap(({ auth }) => auth.flatMap(({ scopes }) => scopes.flat())));
}
