import { parseArgs } from 'node:util';
import { type Kind, kinds } from './revocation/kinds.ts';
import { type Rotations, rotateAndRevoke, rotateByOwner, rotateInParallel } from './revocation/rotations.ts';
import { type Result, type RoundOptions, runRounds } from './revocation/rounds.ts';
import { startWorld, type Victim, type World } from './revocation/world.ts';

/**
 * Takes rights away from users of two processes that 50 clients hammer, in every way there is: with Redis, then with
 * Redis killed. Where the acknowledgement came from nothing is accepted after it, elsewhere nothing after a second (two
 * without Redis), and no write is committed after the revocation. Exit code 1 where that is not so.
 */

const limitMs = 1_000;
const limitWithoutRedisMs = 2_000;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } });
const rounds = Number(values.rounds);

async function drill(): Promise<boolean> {
  const faults: string[] = [];
  const world = await startWorld();
  try {
    const [bystander] = await world.createVictims(1, 'OPERATOR');
    if (!bystander) throw new Error('There is no bystander.');
    await revokeAll(await withVictims(world, kinds, rounds), world, { limitMs, hasRedis: true, bystander }, faults);
    console.info('\n| at once | rounds | answers | faults |\n| --- | ---: | --- | ---: |');
    tellRotations('50 rotations of a key, by itself', await rotateInParallel(world, rounds), faults);
    tellRotations('50 rotations of a key, by its owner', await rotateByOwner(world, rounds), faults);
    tellRotations('a rotation and a revocation', await rotateAndRevoke(world, rounds), faults);
    const later = kinds.filter(({ withoutRedis }) => withoutRedis);
    const prepared = await withVictims(world, later, Math.ceil(rounds / 4)); // Access tokens need Redis.
    await world.killRedis();
    await revokeAll(prepared, world, { limitMs: limitWithoutRedisMs, hasRedis: false, bystander }, faults);
  } finally {
    await world.stop();
  }
  for (const fault of faults) console.error(`FAULT: ${fault}`);
  return faults.length === 0;
}

type Prepared = { kind: Kind; victims: readonly Victim[] };

async function withVictims(world: World, wanted: readonly Kind[], count: number): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const kind of wanted) prepared.push({ kind, victims: await world.createVictims(count, kind.role) });
  return prepared;
}

async function revokeAll(
  prepared: readonly Prepared[],
  world: World,
  options: RoundOptions,
  faults: string[],
): Promise<void> {
  const title = options.hasRedis ? 'with Redis' : 'Redis killed';
  const headings = [
    ...[title, 'rounds', 'same process: accepted after', 'other process, ms: p50', 'p99', 'max'],
    ...[`after ${options.limitMs} ms`, 'writes', 'committed after'],
  ];
  console.info(`\n| ${headings.join(' | ')} |\n| --- |${' ---: |'.repeat(headings.length - 1)}`);
  for (const { kind, victims } of prepared) tell(await runRounds(world, kind, victims, options), faults, title);
}

function tell(result: Result, faults: string[], title: string): void {
  const { name, acceptedOnSame, lastOnOther, tooLate, writes, writesAfter, oddities } = result;
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(lastOnOther, share).toFixed(0));
  const columns = [name, result.rounds, acceptedOnSame, p50, p99, max, tooLate, writes, writesAfter];
  console.info(`| ${columns.join(' | ')} |`);
  const complain = (count: number, what: string) => {
    if (count > 0) faults.push(`${title}, ${name}: ${count} ${what}`);
  };
  complain(acceptedOnSame, 'accepted on the same process after the acknowledgement');
  complain(tooLate, 'accepted too late on the other process');
  complain(writesAfter, 'writes committed after the revocation');
  if (writes === 0) faults.push(`${title}, ${name}: there were no writes`);
  if (oddities.size > 0) console.warn(`${name}, other answers: ${listOf(oddities)}`);
}

function tellRotations(name: string, { rounds, codes, faults: found }: Rotations, faults: string[]): void {
  console.info(`| ${[name, rounds, listOf(codes), found.length].join(' | ')} |`);
  faults.push(...found);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([code, count]) => `${code} ${count}`).join(', ');
}

const begunAt = performance.now();
const isAsItMust = await drill();
console.info(
  `\n${isAsItMust ? 'As it must be' : 'FAULTS'}, in ${((performance.now() - begunAt) / 1000).toFixed(0)} s.`,
);
if (!isAsItMust) process.exitCode = 1;
