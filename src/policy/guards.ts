import { AuthGuard } from './auth.ts';
import { RateLimitGuard } from './rateLimit.ts';
import type { AuthRule, FieldPolicy, PolicyTable } from './table.ts';

/** What enforces the policy of one field. */
export type FieldGuards = { policy: FieldPolicy; auth: readonly AuthGuard[]; limits: readonly RateLimitGuard[] };

/** What enforces the policy table, by coordinate. */
export type PolicyGuards = ReadonlyMap<string, FieldGuards>;

/** The guards of a table. A rule that stands in several places has one guard, so that it is decided once a request. */
export function createGuards(table: PolicyTable, isCounted = true): PolicyGuards {
  const byRule = new Map<AuthRule, AuthGuard>();
  const guardOf = (rule: AuthRule): AuthGuard => {
    const guard = byRule.get(rule) ?? new AuthGuard(rule);
    byRule.set(rule, guard);
    return guard;
  };
  return new Map(
    [...table].map(([coordinate, policy]) => [
      coordinate,
      {
        policy,
        auth: policy.auth.map(guardOf),
        limits: (isCounted ? policy.rateLimits : []).map(
          (rule, index) => new RateLimitGuard(rule, index === 0 ? coordinate : `${coordinate}/${index + 1}`),
        ),
      },
    ]),
  );
}
