import { createRequire } from 'node:module';
import type { GraphQLResolveInfo } from 'graphql';
import type * as GraphqlRateLimit from 'graphql-rate-limit';
import type * as GraphqlShield from 'graphql-shield';

// graphql-shield's ES module build imports `util.isUndefined`, which Node 23 removed; its CommonJS build does not need it
// as long as chain() and race() stay unused. graphql-rate-limit loads the same build.
const require = createRequire(import.meta.url);
const shield: typeof GraphqlShield = require('graphql-shield');
const rateLimit: typeof GraphqlRateLimit = require('graphql-rate-limit');

export const { and, or, rule } = shield;
export const { createRateLimitRule } = rateLimit;

/** A shield rule, or a combination of some: what and() and or() take. */
export type ShieldRule = Parameters<typeof and>[number];

type ResolveArguments = Parameters<ShieldRule['resolve']>;

const options: ResolveArguments[4] = {
  debug: true, // Otherwise a rule that throws, a lost database say, looks like a refusal.
  allowExternalErrors: true,
  fallbackRule: shield.deny,
  hashFunction: () => '',
};

/** What the rule decides: true, or why not. A rule that says `false` gives the bare error, so it can never pass. */
export async function decide(
  decision: ShieldRule,
  subject: object,
  args: object,
  ctx: object,
  info?: GraphQLResolveInfo,
): Promise<true | Error> {
  const verdict = await decision.resolve(
    subject,
    args,
    ctx as ResolveArguments[2],
    info as GraphQLResolveInfo,
    options,
  );
  if (verdict === true) return true;
  return verdict instanceof Error ? verdict : new Error('A policy rule refused without a reason.');
}
