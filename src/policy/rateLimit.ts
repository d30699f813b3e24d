import { createHash } from 'node:crypto';
import type { GraphQLResolveInfo } from 'graphql';
import { isOwnAccount } from '../auth/ownAccount.ts';
import { ownIdOf } from '../auth/principal.ts';
import type { Context } from '../context.ts';
import { DependencyUnavailableError, RateLimitedError } from '../errors.ts';
import { addressBucket } from '../limits/addressBucket.ts';
import type { Counters, Decision, Limit } from '../limits/counters.ts';
import { describeError } from '../log.ts';
import { valuesAt } from './paths.ts';
import { createRateLimitRule, decide, type ShieldRule } from './shield.ts';
import type { RateLimitRule } from './table.ts';

const maxPartLength = 128;
const maxSpellingLength = 500;

/** A place that a call took in a limit. */
type Reservation = { limit: Limit; counters: Counters; decision: Decision | null };

/**
 * One @rateLimit of one field. graphql-rate-limit's rule asks its Store how often the identity has called; our Store
 * takes the place in one atomic step and answers no call where it was free, and one too many where it was not.
 */
export class RateLimitGuard {
  readonly #rule: RateLimitRule;
  readonly #name: string;
  readonly #shieldRule: ShieldRule;
  readonly #reservations = new Map<string, Reservation>();
  #lastReservation = 0;

  /** The name tells the limit from all others, those of the same field included. */
  constructor(rule: RateLimitRule, name: string) {
    this.#rule = rule;
    this.#name = name;
    const createRule = createRateLimitRule({
      identifyContext: ({ reservationId }: { reservationId: string }) => reservationId,
      store: {
        getForIdentity: ({ contextIdentity }) => this.#take(contextIdentity),
        setForIdentity: () => undefined, // The place is taken already.
      },
    });
    // The Store answers in places over the limit, so the package compares with one place.
    this.#shieldRule = createRule({ window: rule.window, max: 1 });
  }

  /** Takes a place or throws RateLimitedError; answers how to give it back where only failed attempts are counted. */
  async take(args: object, ctx: Context, info: GraphQLResolveInfo): Promise<(() => Promise<void>) | null> {
    const { counters } = ctx.services;
    const limit = { key: await this.#keyOf(args, ctx), max: this.#rule.max, windowMs: this.#rule.windowMs };
    const reservation: Reservation = { limit, counters, decision: null };
    this.#lastReservation += 1;
    const reservationId = String(this.#lastReservation);
    this.#reservations.set(reservationId, reservation);
    try {
      const verdict = await decide(this.#shieldRule, {}, args, { reservationId }, info);
      const { decision } = reservation;
      if (verdict !== true || !decision?.allowed)
        throw new RateLimitedError(decision?.allowed === false ? decision.retryAfterMs : this.#rule.windowMs);
      return this.#rule.count === 'ALL' ? null : () => giveBack(limit, decision.cell, ctx);
    } finally {
      this.#reservations.delete(reservationId);
    }
  }

  async #take(reservationId: string): Promise<number[]> {
    const reservation = this.#reservations.get(reservationId);
    if (!reservation) throw new Error('A rate limit was asked for a call that is not under way.');
    try {
      reservation.decision = await reservation.counters.consume(reservation.limit);
    } catch (cause) {
      throw new DependencyUnavailableError('rate limiter', { cause });
    }
    return reservation.decision.allowed ? [] : [Number.POSITIVE_INFINITY];
  }

  /** The limit and the parts of the identity, each with its length before it, so that no two of them collide. */
  async #keyOf(args: object, ctx: Context): Promise<string> {
    if (await this.#isOfOwnAccount(args, ctx)) return `${this.#name}/own|${ctx.caller?.userId}`;
    const identity = this.#rule.identityArgs.map((path) => join(valuesAt(args, path).map(partOf)));
    return `${this.#name}|${join([this.#subjectOf(ctx), ...identity])}`;
  }

  async #isOfOwnAccount(args: object, { db, caller }: Context): Promise<boolean> {
    const { ownAccount } = this.#rule;
    return ownAccount !== null && isOwnAccount(db, caller, valuesAt(args, ownAccount)[0]);
  }

  #subjectOf({ caller, ip }: Context): string {
    if (this.#rule.per === 'EVERYONE') return '';
    return (this.#rule.per === 'CALLER' && ownIdOf(caller)) || addressBucket(ip);
  }
}

/** The answer of the call stays the truth: a place that cannot be given back is reported, and its window ends it. */
async function giveBack(limit: Limit, cell: number, { services, log, requestId }: Context): Promise<void> {
  try {
    await services.counters.giveBack(limit, cell);
  } catch (error) {
    log.warn('A place in a rate limit could not be given back.', { requestId, error: describeError(error) });
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
