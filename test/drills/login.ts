import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { type NexusProcess, startNexus } from '../support/nexusProcess.ts';
import { send } from '../support/send.ts';
import { startServices } from '../support/startServices.ts';

/**
 * Attacks log-in as it runs, two processes on one Postgres and one Redis. In 1,000 interleaved pairs an unknown address
 * must take the time of a wrong password, within 5 %; of 200 parallel guesses at one account exactly 5 must reach the
 * hash. Exit code 1 where one of the two does not hold.
 */

const pairs = Number(process.env.DRILL_PAIRS ?? 1000);
const warmUpPairs = 50;
const maxDifference = 0.05;
const guesses = 200;
const maxFailed = 5;
const admin = { email: 'admin@example.com', password: 'the first admin of a drill' };
const wrong = 'a wrong password';
const query = `mutation($email: EmailAddress!, $password: String!) {
  login(email: $email, password: $password) { user { id } }
}`;

let addresses = 0;
/** Each call comes from an address of its own, because failing ones are counted by address. */
const newAddress = () => {
  addresses += 1;
  return `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
};

async function guess({ url }: NexusProcess, email: string): Promise<number> {
  const { status } = await send(url, query, { email, password: wrong }, null, { 'x-forwarded-for': newAddress() });
  return status;
}

async function timeGuess(nexus: NexusProcess, email: string): Promise<number> {
  const started = performance.now();
  const status = await guess(nexus, email);
  if (status !== 401) throw new Error(`A guess was answered with ${status}.`);
  return performance.now() - started;
}

/** Adds accounts, each with the password of the admin: an account of its own for each guess. */
async function addAccounts(databaseUrl: string, count: number): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 });
  await sql`
    insert into users (id, email, password_hash, roles, tier)
    select 'drill' || n, 'known' || n || '@example.com', password_hash, '{VIEWER}', 'FREE'
    from users, generate_series(1, ${count}::int) n where email = ${admin.email}`;
  await sql`analyze users`;
  await sql.end();
}

async function compareTimes(nexus: NexusProcess): Promise<boolean> {
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  for (let n = 1; n <= warmUpPairs + pairs; n++) {
    const order = n % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
    for (const kind of order) {
      const time = await timeGuess(nexus, `${kind}${n}@example.com`);
      if (n > warmUpPairs) times[kind].push(time);
    }
  }
  const [known, unknown] = [median(times.known), median(times.unknown)];
  const ratio = unknown / known;
  const isSame = Math.abs(ratio - 1) <= maxDifference;
  console.info(
    `${pairs} pairs: wrong password ${known.toFixed(2)} ms, unknown address ${unknown.toFixed(2)} ms (medians)`,
  );
  console.info(`ratio ${ratio.toFixed(3)}: ${isSame ? 'the same' : 'DIFFERENT'} within ${maxDifference * 100} %`);
  return isSame;
}

async function countHashes(processes: readonly NexusProcess[]): Promise<boolean> {
  const spellings = [admin.email, admin.email.toUpperCase(), `${admin.email}.`, ` ${admin.email}`];
  const statuses = await Promise.all(
    Array.from({ length: guesses }, (_, turn) =>
      guess(processes[turn % processes.length] as NexusProcess, spellings[(turn >> 1) % spellings.length] ?? ''),
    ),
  );
  const reached = statuses.filter((status) => status === 401).length;
  const refused = statuses.filter((status) => status === 429).length;
  const isExact = reached === maxFailed && refused === guesses - maxFailed;
  console.info(`${guesses} guesses at one account over ${processes.length} processes: ${reached} reached the hash`);
  console.info(`${refused} were refused with 429: ${isExact ? 'exact' : 'NOT EXACT'}`);
  return isExact;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function drill(): Promise<boolean> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-login-'));
  // Servers of our own, whatever the variables name: counts of an earlier drill would spoil this one.
  delete process.env.TEST_DATABASE_URL;
  delete process.env.TEST_REDIS_URL;
  const services = await startServices();
  const processes: NexusProcess[] = [];
  try {
    const settings = {
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      BOOTSTRAP_ADMIN_EMAIL: admin.email,
      BOOTSTRAP_ADMIN_PASSWORD: admin.password,
      TRUST_PROXY: '127.0.0.0/8',
      // The limits are what is attacked here, so no address is blocked before they are reached.
      AUTO_BLOCK_FAILED_AUTHENTICATIONS: '0',
      AUTO_BLOCK_RATE_LIMIT_REFUSALS: '0',
      LOG_LEVEL: 'error',
    };
    processes.push(...(await Promise.all([startNexus(directory, settings), startNexus(directory, settings)])));
    await addAccounts(services.databaseUrl, warmUpPairs + pairs);
    const [first, second] = processes as [NexusProcess, NexusProcess];
    const isSame = await compareTimes(first);
    for (let n = 0; n < warmUpPairs; n++) await guess(second, `warm${n}@example.com`);
    return (await countHashes(processes)) && isSame;
  } finally {
    await Promise.all(processes.map((nexus) => nexus.end('SIGTERM')));
    await services.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

if (!(await drill())) process.exitCode = 1;
