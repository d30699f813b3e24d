import { createHash } from 'node:crypto';
import type { GraphQLResolveInfo } from 'graphql';
import { isOwnAccount } from '../auth/ownAccount.ts';
import { ownIdOf } from '../auth/principal.ts';
import type { Context } from '../context.ts';
import { DependencyUnavailableError, RateLimitedError } from '../errors.ts';
import { addressBucket } from '../limits/addressBucket.ts';
import type { Limit } from '../limits/counters.ts';
import { valuesAt } from './paths.ts';
import { createRateLimitRule, decide, type ShieldRule } from './shield.ts';
import type { RateLimitRule } from './table.ts';

const maxPartLength = 128;
const maxSpellingLength = 500;

/** Ends a place: whether its call was a failed attempt. */
export type EndPlace = (isFailedAttempt: boolean) => void;

/** A call that wants a place in a limit. */
type Call = { limit: Limit; ctx: Context; end: EndPlace | null; refusal: Error | null };

/**
 * One @rateLimit of one field. graphql-rate-limit's rule asks its Store how often the identity has called; our Store
 * takes one of the places that admission has reserved for the operation, or, for what came past admission, reserves one,
 * and answers no call where it got a place, and one too many where it did not.
 */
export class RateLimitGuard {
  readonly rule: RateLimitRule;
  /** Tells the limit from all others, those of the same field included. */
  readonly name: string;
  readonly #shieldRule: ShieldRule;
  readonly #calls = new Map<string, Call>();
  #lastCall = 0;

  constructor(rule: RateLimitRule, name: string) {
    this.rule = rule;
    this.name = name;
    const createRule = createRateLimitRule({
      identifyContext: ({ callId }: { callId: string }) => callId,
      store: {
        getForIdentity: ({ contextIdentity }) => this.#take(contextIdentity),
        setForIdentity: () => undefined, // The place is taken already.
      },
    });
    // The Store answers in places over the limit, so the package compares with one place.
    this.#shieldRule = createRule({ window: rule.window, max: 1 });
  }

  /** Whether the limit of a call is known without its arguments. */
  get isPlain(): boolean {
    return this.rule.identityArgs.length === 0 && this.rule.ownAccount === null;
  }

  /** Takes a place or throws RateLimitedError; answers how to end it. */
  async take(args: object, ctx: Context, info: GraphQLResolveInfo): Promise<EndPlace> {
    const call: Call = { limit: await this.limitOf(args, ctx), ctx, end: null, refusal: null };
    this.#lastCall += 1;
    const callId = String(this.#lastCall);
    this.#calls.set(callId, call);
    try {
      const verdict = await decide(this.#shieldRule, {}, args, { callId }, info);
      if (verdict !== true || !call.end) throw call.refusal ?? new RateLimitedError(this.rule.windowMs);
      return call.end;
    } finally {
      this.#calls.delete(callId);
    }
  }

  /** Whose places a call with these arguments takes, each part of the identity with its length before it. */
  async limitOf(args: object, ctx: Context): Promise<Limit> {
    if (await this.#isOfOwnAccount(args, ctx)) return this.#limit(`own ${ctx.caller?.userId}`, `${this.name}/own`);
    return this.plainLimitOf(ctx, args);
  }

  /** The same where no account is the caller's own. */
  plainLimitOf(ctx: Context, args: object = {}): Limit {
    const { per, identityArgs } = this.rule;
    const identity = join(identityArgs.map((path) => join(valuesAt(args, path).map(partOf))));
    if (per === 'EVERYONE') return this.#limit(identity || 'everyone', this.name);
    const subject = (per === 'CALLER' && ownIdOf(ctx.caller)) || addressBucket(ctx.ip);
    return this.#limit(subject, identity ? `${this.name}|${identity}` : this.name);
  }

  #limit(subject: string, key: string): Limit {
    return { subject, key, max: this.rule.max, windowMs: this.rule.windowMs };
  }

  async #take(callId: string): Promise<number[]> {
    const call = this.#calls.get(callId);
    if (!call) throw new Error('A rate limit was asked for a call that is not under way.');
    const { limit, ctx } = call;
    if (ctx.limits.claim(limit))
      call.end = (isFailedAttempt) => this.#isGivenBack(isFailedAttempt) && ctx.limits.release(limit);
    else await this.#reserve(call);
    return call.end ? [] : [Number.POSITIVE_INFINITY];
  }

  /** For what admission did not see: the event of a subscription, a field of an object. */
  async #reserve(call: Call): Promise<void> {
    const { limit, ctx } = call;
    const reservation = await reserveOne(limit, this.rule.mode === 'SHADOW', ctx);
    const { allowed, isLocal, retryAfterMs } = reservation;
    if (!allowed) call.refusal = new RateLimitedError(retryAfterMs);
    else if (isLocal && this.rule.fallback === 'REFUSE') {
      reservation.settle([1]);
      call.refusal = new DependencyUnavailableError('rate limiter');
    } else call.end = (isFailedAttempt) => reservation.settle([this.#isGivenBack(isFailedAttempt) ? 1 : 0]);
  }

  #isGivenBack(isFailedAttempt: boolean): boolean {
    return this.rule.count === 'FAILED' && !isFailedAttempt;
  }

  async #isOfOwnAccount(args: object, { db, caller }: Context): Promise<boolean> {
    const { ownAccount } = this.rule;
    return ownAccount !== null && isOwnAccount(db, caller, valuesAt(args, ownAccount)[0]);
  }
}

async function reserveOne(limit: Limit, isShadow: boolean, ctx: Context) {
  try {
    return await ctx.services.counters.reserve([{ limit, units: 1, isShadow }]);
  } catch (cause) {
    throw new DependencyUnavailableError('rate limiter', { cause });
  }
}

function join(parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('|');
}

/** Texts that people would call the same are one part; long ones are hashed, so that a key stays short. */
function partOf(value: unknown): string {
  const text = typeof value === 'string' ? spellingOf(value) : (JSON.stringify(value) ?? '');
  return text.length <= maxPartLength ? text : createHash('sha256').update(text).digest('hex');
}

/** The time of a normalisation grows with the square of the text: a long one is counted as it is. */
function spellingOf(text: string): string {
  return text.length <= maxSpellingLength ? text.normalize('NFKC').trim().toLowerCase() : text;
}
