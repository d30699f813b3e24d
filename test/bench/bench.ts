import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { hashApiKey, newApiKeySecret } from '../../src/apiKeys/secret.ts';
import { newId } from '../../src/storage/id.ts';
import { type Services, startServices } from '../support/startServices.ts';
import { generousTiers } from '../support/tiers.ts';
import { measureAuthentication } from './authentication.ts';
import { measureBlocks } from './blocks.ts';
import { submitBatchQuery, submitQuery, taskQuery, tasksQuery } from './operations.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const seconds = Number(process.env.BENCH_SECONDS ?? 8);
/** Until V8 has compiled what is hot. */
const warmUpSeconds = 12;
const connections = 32;
const callers = 100;
const taskCount = 5000;
const batchSize = 100;
const clockTicksPerSecond = 100;
const root = fileURLToPath(new URL('../..', import.meta.url));

type Server = { name: 'nexus' | 'raw' | 'uncounted'; url: string; process: ChildProcess };
type Turn = { requestsPerSecond: number; cpuMicrosecondsPerRequest: number };
type Seed = { taskIds: string[]; personKeys: string[]; agentKeys: string[]; agentIds: string[] };
type Request = { path: string; secret: string; body: unknown };
type Operation = { name: string; target: number; nexus(seed: Seed): Request; raw(seed: Seed): Request };

let counter = 0;
const next = () => counter++;
const pick = <T>(list: T[], index: number) => list[index % list.length] as T;

/** A reading that nobody has sent before: the counter is its distance from 2020 in milliseconds. */
function reading(agentId: string): Record<string, unknown> {
  const timestamp = new Date(Date.UTC(2020, 0, 1) + next()).toISOString();
  return { agentId, timestamp, metrics: { cpu: 0.5, memory: 0.25 }, status: 'ACTIVE' };
}

const graphql = (secret: string, query: string, variables: object): Request => ({
  path: '/graphql',
  secret,
  body: { query, variables },
});

const operations: Operation[] = [
  {
    name: 'one task by id',
    target: 0.6,
    nexus: (seed) => graphql(pick(seed.personKeys, next()), taskQuery, { id: pick(seed.taskIds, next()) }),
    raw: (seed) => ({ path: '/task', secret: pick(seed.personKeys, next()), body: { id: pick(seed.taskIds, next()) } }),
  },
  {
    name: '50 tasks',
    target: 0.5,
    nexus: (seed) => graphql(pick(seed.personKeys, next()), tasksQuery, { first: 50 }),
    raw: (seed) => ({ path: '/tasks', secret: pick(seed.personKeys, next()), body: { first: 50 } }),
  },
  {
    name: 'one reading',
    target: 0.6,
    nexus: (seed) => {
      const index = next();
      return graphql(pick(seed.agentKeys, index), submitQuery, { input: reading(pick(seed.agentIds, index)) });
    },
    raw: (seed) => {
      const index = next();
      const input = reading(pick(seed.agentIds, index));
      return { path: '/telemetry', secret: pick(seed.agentKeys, index), body: { input } };
    },
  },
  {
    name: `batch of ${batchSize}`,
    target: 0.5,
    nexus: (seed) => {
      const index = next();
      const inputs = Array.from({ length: batchSize }, () => reading(pick(seed.agentIds, index)));
      return graphql(pick(seed.agentKeys, index), submitBatchQuery, { inputs });
    },
    raw: (seed) => {
      const index = next();
      const inputs = Array.from({ length: batchSize }, () => reading(pick(seed.agentIds, index)));
      return { path: '/telemetry/batch', secret: pick(seed.agentKeys, index), body: { inputs } };
    },
  },
];

/** Measures authentication, blocks of addresses and the operations whose names hold one of the arguments; all of them without arguments. */
async function main(wanted: string[]): Promise<void> {
  const isWanted = (name: string) => wanted.length === 0 || wanted.some((part) => name.includes(part));
  const chosen = operations.filter(({ name }) => isWanted(name));
  if (isWanted('blocks')) process.stdout.write(`${measureBlocks()}\n\n`);
  if (chosen.length === 0 && !isWanted('authentication') && !isWanted('admission')) return;
  const services = await startServices();
  try {
    if (isWanted('authentication')) process.stdout.write(`${await measureAuthentication(services.databaseUrl)}\n\n`);
    if (chosen.length > 0) await measureOperations(chosen, services);
    if (isWanted('admission')) await measureAdmission(services);
  } finally {
    await services.stop();
  }
}

/** What prices, quotas and rate limits cost: Nexus beside itself without them. */
async function measureAdmission(services: Services): Promise<void> {
  await withServers(services, ['nexus', 'uncounted'], async (servers, seed, sql) => {
    const redis = new Redis(services.redisUrl);
    const compared = operations.filter(({ name }) => name.startsWith('one '));
    for (const operation of compared) await check(operation, servers, seed);
    const results = await measureAll(compared, sql, servers, seed);
    const lines = [
      '| admission | with, requests/s | without, requests/s | ratio | to reach | CPU µs/request of it | to reach | scripts of Redis/request |',
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ];
    for (const [operation, turns] of results) {
      const [counted, uncounted] = [mediansOf(turns.nexus), mediansOf(turns.uncounted)];
      const before = await scriptsOf(redis);
      const result = await load(servers[0] as Server, operation, seed, seconds);
      const scripts = ((await scriptsOf(redis)) - before) / result.requests.total;
      const ratio = counted.requestsPerSecond / uncounted.requestsPerSecond;
      const microseconds = counted.cpuMicrosecondsPerRequest - uncounted.cpuMicrosecondsPerRequest;
      const rates = [counted, uncounted].map(({ requestsPerSecond }) => requestsPerSecond.toFixed(0));
      const columns = [operation.name, ...rates, ratio.toFixed(2), '≥ 0.9', microseconds.toFixed(0), '≤ 60'];
      lines.push(`| ${[...columns, scripts.toFixed(2)].join(' | ')} |`);
    }
    redis.disconnect();
    process.stdout.write(`\n${lines.join('\n')}\n`);
  });
}

async function scriptsOf(redis: Redis): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
}

function mediansOf(turns: Turn[]): Turn {
  return {
    requestsPerSecond: median(turns.map((turn) => turn.requestsPerSecond)),
    cpuMicrosecondsPerRequest: median(turns.map((turn) => turn.cpuMicrosecondsPerRequest)),
  };
}

async function measureOperations(chosen: Operation[], services: Services): Promise<void> {
  await withServers(services, ['nexus', 'raw'], async (servers, seed, sql) => {
    for (const operation of chosen) await check(operation, servers, seed);
    report(await measureAll(chosen, sql, servers, seed), servers);
  });
}

async function withServers(
  services: Services,
  names: [Server['name'], Server['name']],
  work: (servers: Server[], seed: Seed, sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-bench-'));
  const servers: Server[] = [];
  const sql = postgres(services.databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql`alter system set autovacuum = off`;
    await sql`alter system set max_wal_size = '8GB'`;
    await sql`select pg_reload_conf()`;
    const env = environmentOf(services, directory);
    const [first, second] = names;
    servers.push(await startServer(first, argumentsOf(first), env));
    const seed = await seedDatabase(sql);
    servers.push(await startServer(second, argumentsOf(second), env));
    await work(servers, seed, sql);
  } finally {
    for (const server of servers) server.process.kill('SIGTERM');
    await sql.end();
    await rm(directory, { recursive: true, force: true });
  }
}

function environmentOf({ databaseUrl, redisUrl }: { databaseUrl: string; redisUrl: string }, directory: string) {
  return {
    ...process.env,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    PORT: '0',
    NEXUS_DATA_DIR: directory,
    BOOTSTRAP_ADMIN_EMAIL: 'admin@example.com',
    BOOTSTRAP_ADMIN_PASSWORD: 'bench only: not a secret',
    TIERS: generousTiers,
  };
}

/** What `npm start` gives to node, for another file where it is not the real server. */
function argumentsOf(name: Server['name']): string[] {
  if (name === 'raw') return ['test/bench/raw.ts'];
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const given: string[] = scripts.start.split(' ').slice(1);
  return name === 'nexus' ? given : [...given.slice(0, -1), 'test/bench/uncounted.ts'];
}

/** Starts a server, its output in a file as a service's is, and waits for the address in it. */
async function startServer(name: Server['name'], args: string[], env: NodeJS.ProcessEnv): Promise<Server> {
  const output = join(env.NEXUS_DATA_DIR ?? '', `${name}.out`);
  const fd = openSync(output, 'w');
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', fd, 'inherit'] });
  closeSync(fd);
  for (;;) {
    const url = /https?:\/\/127\.0\.0\.1:\d+/.exec(readFileSync(output, 'utf8'))?.[0];
    if (url) return { name, url, process: child };
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}.`);
    await setTimeout(50);
  }
}

/** People and agents with keys, and tasks; written by SQL, since it is not what is measured. */
async function seedDatabase(sql: postgres.Sql): Promise<Seed> {
  const numbers = Array.from({ length: callers }, (_, index) => index);
  const userIds = numbers.map(() => newId('user'));
  const agentIds = userIds.map((id) => `agent-${id.slice('user_'.length)}`);
  const personKeys = numbers.map(() => newApiKeySecret('test'));
  const agentKeys = numbers.map(() => newApiKeySecret('test'));
  await sql`insert into users ${sql(
    numbers.map((index) => ({
      id: userIds[index] ?? '',
      email: `${userIds[index]}@example.com`,
      password_hash: '',
      roles: ['OPERATOR'],
      tier: 'STANDARD',
    })),
  )}`;
  const keyOf = (secret: string, index: number, agentId: string | null) => ({
    id: newId('key'),
    name: 'bench',
    start: secret.slice(0, 13),
    secret_hash: hashApiKey(secret),
    tier: 'FREE',
    role: agentId ? 'AGENT' : 'OPERATOR',
    scopes: agentId ? ['telemetry:write'] : ['tasks:read'],
    agent_id: agentId,
    allowed_ips: [] as string[],
    owner_id: userIds[index] ?? '',
  });
  await sql`insert into api_keys ${sql(personKeys.map((secret, index) => keyOf(secret, index, null)))}`;
  await sql`insert into api_keys ${sql(agentKeys.map((secret, index) => keyOf(secret, index, agentIds[index] ?? '')))}`;
  const taskIds = Array.from({ length: taskCount }, () => newId('task'));
  await sql`insert into tasks ${sql(
    taskIds.map((id, index) => ({
      id,
      name: `Task ${index}`,
      type: 'ANALYSIS',
      priority: index % 4,
      assigned_to: agentIds[index % callers] ?? '',
      description: '<b>Look</b> at the readings of the last hour.',
      parameters: sql.json({ window: '1h', metrics: ['cpu', 'memory'], threshold: 0.9 }),
      max_attempts: 5,
      created_by: userIds[index % callers] ?? '',
      created_at: new Date(Date.now() - index * 1000),
    })),
    'id',
    'name',
    'type',
    'priority',
    'assigned_to',
    'description',
    'parameters',
    'max_attempts',
    'created_by',
    'created_at',
  )}`;
  await sql`analyze`;
  return { taskIds, personKeys, agentKeys, agentIds };
}

/** A server that answers with errors would look fast. */
async function check(operation: Operation, servers: Server[], seed: Seed): Promise<void> {
  for (const { name, url } of servers) {
    const { path, secret, body } = operation[name === 'raw' ? 'raw' : 'nexus'](seed);
    const response = await fetch(url + path, {
      method: 'POST',
      headers: headersOf(secret),
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status !== 200 || text.includes('"errors"')) throw new Error(`${operation.name} on ${name}: ${text}`);
  }
}

async function measureAll(chosen: Operation[], sql: postgres.Sql, servers: Server[], seed: Seed) {
  const results = new Map<Operation, Record<Server['name'], Turn[]>>();
  for (const operation of chosen) {
    const turns: Record<Server['name'], Turn[]> = { nexus: [], raw: [], uncounted: [] };
    results.set(operation, turns);
    for (const server of servers) await load(server, operation, seed, warmUpSeconds);
    for (let round = 0; round < rounds; round += 1) {
      for (const server of servers) {
        await sql`checkpoint`;
        turns[server.name].push(await measure(server, operation, seed));
      }
    }
  }
  return results;
}

async function measure(server: Server, operation: Operation, seed: Seed): Promise<Turn> {
  const before = cpuMicrosecondsOf(server);
  const result = await load(server, operation, seed, seconds);
  const requests = result.requests.total;
  return {
    requestsPerSecond: requests / result.duration,
    cpuMicrosecondsPerRequest: (cpuMicrosecondsOf(server) - before) / requests,
  };
}

async function load(server: Server, operation: Operation, seed: Seed, duration: number) {
  const result = await autocannon({
    url: server.url,
    connections,
    duration,
    requests: [
      {
        setupRequest: (request) => {
          const { path, secret, body } = operation[server.name === 'raw' ? 'raw' : 'nexus'](seed);
          return { ...request, method: 'POST', path, headers: headersOf(secret), body: JSON.stringify(body) };
        },
      },
    ],
  });
  // A machine that is too busy may miss the deadline of a dependency now and then; more would be another measurement.
  if (result.non2xx + result.errors > result.requests.total / 1000)
    throw new Error(`${operation.name} on ${server.name}: ${result.non2xx} refused, ${result.errors} failed.`);
  return result;
}

function headersOf(secret: string): Record<string, string> {
  return { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
}

function cpuMicrosecondsOf({ process: { pid } }: Server): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond) * 1e6;
}

function residentMegabytesOf({ process: { pid } }: Server): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(results: Map<Operation, Record<Server['name'], Turn[]>>, servers: Server[]): void {
  const lines = [
    '| operation | Nexus, requests/s | raw, requests/s | ratio | to reach | Nexus, CPU µs/request | raw, CPU µs/request |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const [{ name, target }, turns] of results) {
    const rate = (server: Server['name']) => median(turns[server].map((turn) => turn.requestsPerSecond));
    const cpu = (server: Server['name']) => median(turns[server].map((turn) => turn.cpuMicrosecondsPerRequest));
    const ratio = rate('nexus') / rate('raw');
    const columns = [name, rate('nexus').toFixed(0), rate('raw').toFixed(0), ratio.toFixed(2), `≥ ${target}`];
    lines.push(`| ${[...columns, cpu('nexus').toFixed(0), cpu('raw').toFixed(0)].join(' | ')} |`);
  }
  const memory = servers.map((server) => `${server.name} ${residentMegabytesOf(server).toFixed(0)} MB`).join(', ');
  process.stdout.write(`${lines.join('\n')}\n\nMemory after the run: ${memory}.\n`);
}

await main(process.argv.slice(2));
