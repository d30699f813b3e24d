import type { TierTable } from '../../src/limits/tierTable.ts';

const names: (keyof TierTable)[] = ['FREE', 'STANDARD', 'PREMIUM', 'ENTERPRISE', 'ANONYMOUS'];

/** The setting TIERS with these limits for everybody. */
function everybody(most: number | null): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, { perHour: most, perMinute: most }])));
}

/** The setting TIERS of tests that are not about tiers. */
export const unlimitedTiers = everybody(null);

/** The setting TIERS under which every request is counted and none refused, so that counting is part of what is measured. */
export const generousTiers = everybody(1_000_000);
