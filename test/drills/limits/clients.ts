import { setTimeout } from 'node:timers/promises';
import { type Answer, post } from '../post.ts';
import { type Client, limits, type World } from './world.ts';

const sockets = 4;
const read = '{ tasks(first: 1) { edges { node { id } } } }';
const write = 'mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
const input = { name: 'drill', type: 'ANALYSIS' };
const ignoringPauseMs = 5;

/**
 * For so many seconds, at the same time: a client at full speed that obeys RateLimit, which must never be refused; one
 * that ignores it, which gets its hour's limit and no more; and one that ignores it at a minute's limit, which is never
 * over it in any minute.
 */
export async function runClients(world: World, seconds: number): Promise<boolean> {
  const { createClient, sql } = world;
  const [obeying, ignoring, bursting] = [
    await createClient('FREE'),
    await createClient('PREMIUM'),
    await createClient('STANDARD'),
  ];
  const endAt = performance.now() + seconds * 1_000;
  const [obeyed, ignored, burst] = await Promise.all([
    obey(world, obeying, endAt),
    ignore(world, ignoring, endAt, () => [read, {}]),
    ignore(world, bursting, endAt, () => [write, { input }]),
  ]);
  // A task is made some milliseconds after it is counted: of two, the first later than the second.
  const [most] = await sql`
    select max(count)::int as count from (
      select count(*) over (order by created_at range between interval '59.5 seconds' preceding and current row)
      from tasks where created_by = ${bursting.userId}) as windows`;
  const isFull = obeyed.OK >= Math.floor(seconds / 62) * limits.FREE;
  console.table([
    { client: 'obeys', limit: `${limits.FREE} a minute`, ...obeyed },
    { client: 'ignores', limit: `${limits.PREMIUM} an hour`, ...ignored },
    { client: 'ignores', limit: `${limits.STANDARD} a minute`, ...burst, mostInAnyMinute: most?.count },
  ]);
  return (
    obeyed.refused === 0 &&
    isFull &&
    ignored.OK === limits.PREMIUM &&
    most?.count === limits.STANDARD &&
    [obeyed, ignored, burst].every(({ others }) => others === 0)
  );
}

type Counts = { OK: number; refused: number; others: number };

function count(counts: Counts, { code }: Answer): void {
  if (code === 'OK') counts.OK += 1;
  else if (code === 'RATE_LIMITED') counts.refused += 1;
  else counts.others += 1;
}

/**
 * Knows nothing but the header: so many are left, and in so many seconds there will be more. An answer that comes while
 * others are under way may be older than theirs, so it can only lessen what is left; one that comes alone is the truth.
 */
async function obey({ urls }: World, client: Client, endAt: number): Promise<Counts> {
  const counts: Counts = { OK: 0, refused: 0, others: 0 };
  let left = 0;
  let inFlight = 0;
  let moreAt = 0;
  const ask = async (turn: number) => {
    const isAlone = inFlight === 0;
    left -= 1;
    inFlight += 1;
    const answer = await post(urls[turn % 2] ?? '', client.person, read);
    inFlight -= 1;
    count(counts, answer);
    const [, r, t] = /"minute";r=(\d+);t=(\d+)/.exec(String(answer.headers.ratelimit)) ?? [];
    left = isAlone && inFlight === 0 ? Number(r) : Math.min(left, Number(r) - inFlight);
    moreAt = performance.now() + Number(t) * 1_000;
  };
  const worker = async (turn: number) => {
    while (performance.now() < endAt) {
      if (left > 0 || (inFlight === 0 && performance.now() >= moreAt)) await ask(turn);
      else await setTimeout(2);
    }
  };
  await Promise.all(Array.from({ length: sockets }, (_, turn) => worker(turn)));
  return counts;
}

async function ignore(
  { urls }: World,
  client: Client,
  endAt: number,
  next: () => [query: string, variables: object],
): Promise<Counts> {
  const counts: Counts = { OK: 0, refused: 0, others: 0 };
  const worker = async (turn: number) => {
    while (performance.now() < endAt) {
      count(counts, await post(urls[turn % 2] ?? '', client.person, ...next()));
      await setTimeout(ignoringPauseMs); // Two cores also carry the client that obeys.
    }
  };
  await Promise.all(Array.from({ length: sockets }, (_, turn) => worker(turn)));
  return counts;
}
