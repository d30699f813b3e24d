import type { HeaderMap } from '@apollo/server';
import type { Context } from '../context.ts';
import type { LimitReport } from '../policy/operationLimits.ts';

type SingleResult = { data?: Record<string, unknown> | null; extensions?: Record<string, unknown> };

/**
 * Gives back what execution did not use, and tells the client what is left: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10), and the same in `extensions.cost`. Nothing is told of an operation that came
 * to no price.
 */
export function settleLimits(result: SingleResult, headers: HeaderMap, { limits, isCostDebugged }: Context): void {
  const { price } = limits;
  if (!price) return;
  const actual = price.actual(result.data ?? null);
  limits.settle(price.unitsOf(actual));
  const reports = limits.report();
  const cost = {
    requested: price.cost,
    actual,
    limits: reports,
    ...(isCostDebugged && { fields: price.breakdown() }),
  };
  result.extensions = { ...result.extensions, cost };
  if (reports.length === 0) return;
  headers.set('ratelimit-policy', reports.map(policyItem).join(', '));
  headers.set('ratelimit', reports.map(limitItem).join(', '));
}

/** `q` calls or units in `w` seconds. */
function policyItem({ name, limit, windowSeconds }: LimitReport): string {
  return `"${name}";q=${limit};w=${windowSeconds}`;
}

/** `r` are left; in `t` seconds that grows, if nobody is counted meanwhile. */
function limitItem({ name, remaining, resetAt }: LimitReport): string {
  return `"${name}";r=${remaining};t=${Math.max(0, Math.ceil((resetAt.getTime() - Date.now()) / 1000))}`;
}
