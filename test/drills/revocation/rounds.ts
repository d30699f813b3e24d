import { setTimeout } from 'node:timers/promises';
import { type Answer, post } from '../post.ts';
import { type Attempt, attemptsOf, type Kind, type Surroundings } from './kinds.ts';
import type { Victim, World } from './world.ts';

const clients = 50;
const victimsAtOnce = 20;
/** The revocations of victims who are revoked at once are spread over so long. */
const spreadMs = 400;
const warmUpDeadlineMs = 20_000;
/** A machine that is too busy may miss the deadline of a lock. */
const maxTries = 5;

/** An accepted request, by the process and the moment it began. */
type Accepted = { process: number; begunAt: number };

/** One revocation: what was accepted although it began after the acknowledgement, in milliseconds after it. */
type Round = { victim: Victim; turn: number; same: number[]; other: number[] };

/** What the rounds of a kind showed. */
export type Result = {
  name: string;
  rounds: number;
  acceptedOnSame: number;
  /** For each round, when the last request that the other process accepted had begun; 0: none after the acknowledgement. */
  lastOnOther: number[];
  /** How many requests that began later than the limit the other process accepted. */
  tooLate: number;
  writes: number;
  /** Writes whose commit is after that of the revocation. */
  writesAfter: number;
  /** What else was answered than the rights allow or their end demands, by code. */
  oddities: Map<string, number>;
};

export type RoundOptions = Surroundings & { limitMs: number };

/** Runs a round for each victim, several at once, under the load of all clients. */
export async function runRounds(
  world: World,
  kind: Kind,
  victims: readonly Victim[],
  options: RoundOptions,
): Promise<Result> {
  const oddities = new Map<string, number>();
  const rounds: Round[] = [];
  for (let at = 0; at < victims.length; at += victimsAtOnce) {
    const batch = victims.slice(at, at + victimsAtOnce);
    const watches = batch.map((victim, index) => {
      const turn = at + index;
      const share = Math.round(((index + 1) * clients) / batch.length) - Math.round((index * clients) / batch.length);
      return { victim, turn, watch: watch(attemptsOf(kind, victim, turn, options), world.urls, share, oddities) };
    });
    try {
      await Promise.all(watches.map(({ watch }) => watch.untilAccepted()));
      const acknowledged = await Promise.all(
        watches.map(({ victim, turn }) => revoke(world, kind, victim, turn, oddities)),
      );
      await setTimeout(options.limitMs * 1.2);
      rounds.push(
        ...watches.map(({ victim, turn, watch }, index) =>
          roundOf(victim, turn, watch.accepted, acknowledged[index] ?? Number.NaN),
        ),
      );
    } finally {
      await Promise.all(watches.map(({ watch }) => watch.end()));
    }
  }
  return {
    name: kind.name,
    rounds: rounds.length,
    acceptedOnSame: rounds.reduce((sum, { same }) => sum + same.length, 0),
    lastOnOther: rounds.map(({ other }) => Math.max(0, ...other)),
    tooLate: rounds.flatMap(({ other }) => other).filter((afterMs) => afterMs > options.limitMs).length,
    ...(await countWrites(world, kind, rounds)),
    oddities,
  };
}

/** Hammers both processes with the attempts in turn. */
function watch(attempts: Attempt[], urls: readonly string[], clients: number, oddities: Map<string, number>) {
  const targets = attempts.flatMap((attempt) => urls.map((url, process) => ({ attempt, url, process })));
  const untried = new Set(targets);
  const accepted: Accepted[] = [];
  let turn = 0;
  let isOver = false;
  let last: Answer | undefined;

  async function hammer(): Promise<void> {
    while (!isOver) {
      const target = targets[turn++ % targets.length];
      if (!target) return;
      const { attempt, url, process } = target;
      const begunAt = performance.now();
      last = await post(url, attempt.credential, attempt.query, attempt.variables());
      if (last.code === 'OK' && attempt.isAccepted(last.data)) {
        accepted.push({ process, begunAt });
        untried.delete(target);
      } else if (!['OK', 'UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND'].includes(last.code)) {
        count(oddities, last.code);
      }
    }
  }

  const hammering = Promise.all(Array.from({ length: clients }, hammer));
  return {
    accepted,
    /** Until each attempt was accepted by each process. */
    async untilAccepted() {
      const deadline = performance.now() + warmUpDeadlineMs;
      while (untried.size > 0) {
        if (performance.now() > deadline) throw new Error(`Never accepted: ${JSON.stringify([[...untried][0], last])}`);
        await Promise.race([setTimeout(5), hammering]);
      }
    },
    async end() {
      isOver = true;
      await hammering;
    },
  };
}

/** Answers when the acknowledgement arrived; asks again where it was none. The processes take turns. */
async function revoke(
  world: World,
  kind: Kind,
  victim: Victim,
  turn: number,
  oddities: Map<string, number>,
): Promise<number> {
  await setTimeout(Math.random() * spreadMs);
  const query = `mutation($id: ID!) { ${kind.mutation} }`;
  for (let tries = 1; ; tries += 1) {
    const answer = await post(world.urls[turn % 2] ?? '', world.admin(turn), query, { id: kind.idOf(victim, turn) });
    if (answer.code === 'OK') return performance.now();
    if (answer.code !== 'DEPENDENCY_UNAVAILABLE' || tries === maxTries)
      throw new Error(`${kind.name}: ${JSON.stringify(answer)}`);
    count(oddities, `${answer.code} (${answer.message}) to the revocation`);
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function roundOf(victim: Victim, turn: number, accepted: readonly Accepted[], acknowledgedAt: number): Round {
  const after = (isWanted: (process: number) => boolean) =>
    accepted
      .filter(({ process, begunAt }) => isWanted(process) && begunAt > acknowledgedAt)
      .map(({ begunAt }) => begunAt - acknowledgedAt);
  return {
    victim,
    turn,
    same: after((process) => process === turn % 2),
    other: after((process) => process !== turn % 2),
  };
}

/**
 * The rows that the victims' writes left, and those committed after the revocation. The row of its epoch was written by
 * the revocation's own transaction, and by none since; rows of tasks, readings and audit events are never changed here.
 */
async function countWrites(world: World, kind: Kind, rounds: readonly Round[]) {
  const victims = rounds.map(({ victim, turn }) => ({
    ...{ user_id: victim.userId, agent_id: victim.agentKey.agentId, subject: kind.idOf(victim, turn) },
  }));
  const [found] = await world.sql<{ writes: number; writes_after: number; revoked: number }[]>`
    with victims as (
      select victim.*, pg_xact_commit_timestamp(raised.xmin) as revoked_at
      from jsonb_to_recordset(${JSON.stringify(victims)}::text::jsonb)
        as victim(user_id text, agent_id text, subject text)
      join credential_epochs as raised using (subject)
    ), writes as (
      select tasks.xmin, revoked_at from tasks join victims on created_by = user_id
      union all
      select telemetry.xmin, revoked_at from telemetry join victims using (agent_id)
      union all
      select audit_events.xmin, revoked_at from audit_events join victims on actor_id in (user_id, agent_id)
      where outcome = 'SUCCEEDED' and action in ('task.create', 'session.revoke')
    )
    select count(*)::integer as writes, (select count(*) from victims where revoked_at is not null)::integer as revoked,
      count(*) filter (where pg_xact_commit_timestamp(xmin) > revoked_at)::integer as writes_after
    from writes`;
  if (found?.revoked !== rounds.length) throw new Error(`${kind.name}: not every revocation has a commit.`);
  return { writes: found.writes, writesAfter: found.writes_after };
}
