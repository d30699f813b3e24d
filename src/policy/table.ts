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
  mode: 'ENFORCE' | 'SHADOW';
  /** What a call gets while the shared counts do not answer: this process's own, or a refusal. */
  fallback: 'LOCAL' | 'REFUSE';
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

/** The bound of a list: the largest slicing argument that is given, else the assumed size. */
export type ListSize = {
  assumedSize: number | null;
  slicingArguments: readonly string[];
  /** Empty: the field itself is the list. */
  sizedFields: readonly string[];
};

/** One unit of quota for each `per` elements of the list argument, begun ones included. */
export type QuotaRule = { argument: string; per: number };

/** What a field of an object type costs. */
export type FieldPrice = {
  /** Once for each call, whatever it answers. */
  once: number;
  /** For each thing that it returns; null: the weight of the thing's type. */
  each: number | null;
  /** Whether the SDL says that the field costs 0. */
  isFree: boolean;
  listSize: ListSize | null;
  quota: QuotaRule | null;
};

/** The prices of all fields of object types by `Type.field`, and the weight of each object type. */
export type PriceTable = { fields: ReadonlyMap<string, FieldPrice>; types: ReadonlyMap<string, number> };

/** The scopes that at least one field asks for. */
export function scopesOf(table: PolicyTable): ReadonlySet<Scope> {
  return new Set([...table.values()].flatMap(({ auth }) => auth.flatMap(({ scopes }) => scopes.flat())));
}
