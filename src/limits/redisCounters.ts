import type { RedisConnection } from '../storage/redis.ts';
import type { Counters, Demand, LimitState, Reservation } from './counters.ts';
import { redisClock, reserveRules, settleRules } from './redisScripts.ts';
import { createSettlements, type Settlement } from './settlements.ts';
import { assertCountable, assertSettleable, bucketName, cellAt, layoutOf, sliceAt } from './slidingWindow.ts';

type Scripts = {
  nexusReserve(keyCount: number, ...keysAndArguments: (string | number)[]): Promise<number[]>;
  nexusSettle(keyCount: number, ...keysAndArguments: (string | number)[]): Promise<null>;
};

/** What Redis answered to demands that it can decide in one step. */
type Answer = {
  /** Of the buckets, in the order of the demands. */
  keys: string[];
  reservedAt: number;
  allowed: boolean;
  states: LimitState[];
  exceeded: number[];
  retryAfterMs: number;
};

/** Counters which every process on this Redis shares. */
export type RedisCounters = Counters & {
  /** Sends at once what is settled and still waits for company. */
  flush(): Promise<void>;
};

/**
 * Counters in Redis. On one server all demands are one script, so they are one atomic step. On a cluster only those of
 * one subject are: the subjects are asked at the same time, and where one of them refuses, what the others counted is
 * given back at once, so that for these milliseconds it may keep another call from passing, and never lets one pass.
 * Deadlines are the client's: where Redis fails or does not answer in time the call rejects with the error of ioredis.
 * What cannot be settled is reported to `onError`.
 */
export function createRedisCounters(redis: RedisConnection, onError: (error: unknown) => void): RedisCounters {
  redis.defineCommand('nexusReserve', { lua: redisClock + reserveRules });
  redis.defineCommand('nexusSettle', { lua: redisClock + settleRules });
  const scripted = redis as unknown as Scripts;
  const settlements = createSettlements({
    send: (batch) =>
      scripted.nexusSettle(batch.length, ...batch.map(({ bucket }) => bucket), ...batch.flatMap(numbersOf)),
    isBySubject: redis.isCluster,
    onError,
  });

  async function reserveAtOnce(demands: readonly Demand[]): Promise<Answer> {
    if (demands.length === 0)
      return { keys: [], reservedAt: 0, allowed: true, states: [], exceeded: [], retryAfterMs: 0 };
    const keys = demands.map(({ limit }) => keyOf(limit));
    const sent: (string | number)[] = [...keys];
    for (const { limit, units, isShadow } of demands) sent.push(limit.max, isShadow ? -units : units, limit.windowMs);
    return answerOf(await scripted.nexusReserve(keys.length, ...sent), keys);
  }

  function settle(demands: readonly Demand[], { keys, reservedAt }: Answer, unused: readonly number[]): void {
    assertSettleable(demands, unused);
    for (const [place, { limit, units }] of demands.entries()) {
      if (units === 0) continue;
      const { subject, windowMs } = limit;
      const [slice, cell] = [sliceAt(reservedAt), cellAt(reservedAt, layoutOf(windowMs))];
      const used = units - (unused[place] ?? 0);
      const bucket = keys[place] ?? keyOf(limit);
      settlements.add({ subject, bucket, windowMs, slice, cell, reserved: units, used });
    }
  }

  function reservationOf(demands: readonly Demand[], answer: Answer): Reservation {
    const { allowed, states, exceeded, retryAfterMs } = answer;
    return {
      allowed,
      states,
      exceeded,
      retryAfterMs,
      isLocal: false,
      settle: (unused) => settle(demands, answer, unused),
    };
  }

  async function reserveBySubject(demands: readonly Demand[]): Promise<Reservation> {
    const groups = groupsOf(demands);
    if (groups.length === 1) return reservationOf(demands, await reserveAtOnce(demands));
    const outcomes = await Promise.allSettled(groups.map((group) => reserveAtOnce(group.demands)));
    const answered = outcomes.flatMap((outcome, place) => {
      const group = groups[place];
      return group && outcome.status === 'fulfilled' ? [{ ...group, answer: outcome.value }] : [];
    });
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    const allowed = failure === undefined && answered.every(({ answer }) => answer.allowed);
    if (!allowed) {
      for (const group of answered) if (group.answer.allowed) giveBack(group.demands, group.answer);
      await settlements.flush();
    }
    if (failure) throw failure.reason;
    return {
      allowed,
      states: demands.map((_, place) => stateAt(place)),
      exceeded: answered
        .flatMap(({ places, answer }) => answer.exceeded.map((at) => places[at] ?? 0))
        .sort((a, b) => a - b),
      retryAfterMs: Math.max(...answered.map(({ answer }) => answer.retryAfterMs)),
      isLocal: false,
      settle(unused) {
        for (const group of answered)
          settle(
            group.demands,
            group.answer,
            group.places.map((place) => unused[place] ?? Number.NaN),
          );
      },
    };

    function stateAt(place: number): LimitState {
      for (const { places, answer } of answered) {
        const state = answer.states[places.indexOf(place)];
        if (state) return state;
      }
      throw new Error('A demand is in no group.');
    }
  }

  /** All but the shadow demands, which count in any case; the states are then those of before. */
  function giveBack(demands: readonly Demand[], answer: Answer): void {
    settle(
      demands,
      answer,
      demands.map(({ units, isShadow }) => (isShadow ? 0 : units)),
    );
    for (const [place, { limit }] of demands.entries()) {
      const back = demands.filter((other) => !other.isShadow && keyOf(other.limit) === keyOf(limit));
      const state = answer.states[place];
      if (state)
        state.remaining = Math.min(
          limit.max,
          back.reduce((sum, { units }) => sum + units, state.remaining),
        );
      if (state?.remaining === limit.max) state.resetMs = 0;
    }
  }

  return {
    async reserve(demands) {
      assertCountable(demands);
      return redis.isCluster ? reserveBySubject(demands) : reservationOf(demands, await reserveAtOnce(demands));
    },
    flush: settlements.flush,
    close: settlements.flush,
  };
}

function answerOf(reply: number[], keys: string[]): Answer {
  const count = keys.length;
  const [wait = 0, reservedAt = 0] = reply;
  const states = Array.from({ length: count }, (_, place) => ({
    remaining: reply[2 * place + 2] ?? 0,
    resetMs: reply[2 * place + 3] ?? 0,
  }));
  const exceeded = reply.slice(2 * count + 2);
  return { keys, reservedAt, allowed: wait < 0, states, exceeded, retryAfterMs: Math.max(0, wait) };
}

function groupsOf(demands: readonly Demand[]): { demands: Demand[]; places: number[] }[] {
  const bySubject = Map.groupBy(demands.keys(), (place) => demands[place]?.limit.subject);
  return [...bySubject.values()].map((places) => ({
    places,
    demands: places.flatMap((place) => demands[place] ?? []),
  }));
}

function numbersOf({ windowMs, slice, cell, reserved, used }: Settlement): number[] {
  return [windowMs, slice, cell, reserved, used];
}

function keyOf(limit: Demand['limit']): string {
  return `nexus:limit:${bucketName(limit)}`;
}
