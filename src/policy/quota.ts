import type { Caller } from '../auth/principal.ts';
import type { Tier } from '../auth/roles.ts';
import type { Config } from '../config.ts';
import { addressBucket } from '../limits/addressBucket.ts';
import type { NamedDemand } from './operationLimits.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** The dearest operation that a caller of each tier may send. */
const maxCosts: Readonly<Record<Tier | 'ANONYMOUS', number>> = {
  ANONYMOUS: 200,
  FREE: 200,
  STANDARD: 1_000,
  PREMIUM: 5_000,
  ENTERPRISE: 20_000,
};

/** The dearest operation that the caller may send. */
export function maxCostOf(caller: Caller): number {
  return maxCosts[caller?.tier ?? 'ANONYMOUS'];
}

/**
 * The demands on the quota of the caller: of its owner, over all credentials, with the figures of this one's tier; of the
 * address where nobody is known.
 */
export function quotaDemands(caller: Caller, ip: string, tiers: Config['tiers'], units: number): NamedDemand[] {
  const { perHour, perMinute } = tiers[caller?.tier ?? 'ANONYMOUS'];
  if (perHour === null && perMinute === null) return [];
  const subject = caller?.userId ?? addressBucket(ip);
  const demands: NamedDemand[] = [];
  if (perHour !== null) demands.push(demand('hour', subject, perHour, hourMs, units));
  if (perMinute !== null)
    demands.push({ ...demand('minute', subject, perMinute, minuteMs, units), isOfStranger: caller === null });
  return demands;
}

function demand(name: string, subject: string, max: number, windowMs: number, units: number): NamedDemand {
  return { name, limit: { subject, key: 'quota', max, windowMs }, units, isQuota: true };
}
