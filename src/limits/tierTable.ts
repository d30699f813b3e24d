import { z } from 'zod';
import { type Tier, tiers } from '../auth/roles.ts';

/** How many requests a caller has; null is as many as it likes. */
export type TierLimits = { readonly perHour: number | null; readonly perMinute: number | null };

/** The limits of each tier, and of callers without a credential. */
export type TierTable = Readonly<Record<Tier | 'ANONYMOUS', TierLimits>>;

const names = [...tiers, 'ANONYMOUS'] as const;

const defaults: TierTable = {
  FREE: { perHour: 1_000, perMinute: 100 },
  STANDARD: { perHour: 10_000, perMinute: 500 },
  PREMIUM: { perHour: 100_000, perMinute: 2_000 },
  ENTERPRISE: { perHour: null, perMinute: 5_000 },
  ANONYMOUS: { perHour: null, perMinute: 300 },
};

const limit = z.int().min(1).nullable().optional();
const limits = z.strictObject({ perHour: limit, perMinute: limit }).optional();
const overrides = z.strictObject({
  ANONYMOUS: limits,
  FREE: limits,
  STANDARD: limits,
  PREMIUM: limits,
  ENTERPRISE: limits,
} satisfies Record<keyof TierTable, unknown>);

/**
 * The table with what the text, JSON, says otherwise, of single tiers and single limits. Each problem is named by its
 * place, without the value that is wrong.
 */
export function parseTierTable(text: string): { table: TierTable; problems: string[] } {
  const parsed = overrides.safeParse(fromJson(text));
  if (!parsed.success) return { table: defaults, problems: [...new Set(parsed.error.issues.map(describeIssue))] };
  const merged = names.map((name) => [name, { ...defaults[name], ...parsed.data[name] }]);
  return { table: Object.fromEntries(merged) as TierTable, problems: [] };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a key is may be anything, a secret in the wrong place too: only names that we know are told. */
function describeIssue({ code, path: [tier, field] }: z.core.$ZodIssue): string {
  if (code === 'unrecognized_keys' && tier === undefined) return `an unknown tier; there are ${names.join(', ')}`;
  const known = names.find((name) => name === tier);
  if (known === undefined) return 'JSON such as {"FREE":{"perHour":1000,"perMinute":100}}';
  if (field !== undefined) return `${known}.${String(field)} must be a whole number of 1 or more, or null`;
  return `${known} must be an object of perHour and perMinute alone`;
}
