import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { hostileRequests } from '../graphql/hostileDocuments.ts';
import { measureCpu } from '../support/measureCpu.ts';
import { run, startNexus } from '../support/nexusProcess.ts';
import { type Answer, send } from '../support/send.ts';
import { startServices } from '../support/startServices.ts';

/**
 * Attacks with documents, variables and bodies (each at most 100 ms of CPU), with 50 of them a second and with 2,000
 * sockets that stall (honest p99 at most doubled), and with ten times the load it can carry (goodput at least 80 % of its
 * peak, printed with and without shedding). `-- cpu requests sockets overload` chooses parts. Exit code 1 where one fails.
 */

const maxCpuMs = 100;
const maxAnswerBytes = 5 * 1024 * 1024;
const runs = 6;
const phases = Number(process.env.DRILL_PHASES ?? 5);
const phaseMs = 5000;
const honestPerSecond = 100;
const maxFactor = 2;
const socketSeconds: Record<string, number> = { nothing: 12, 'half a header': 12, 'half a body': 17 };
const minGoodput = 0.8;
const [peakConnections, overloadConnections] = [32, 320];
const loadSeconds = 10;
const keyCount = 20;

const attackFile = fileURLToPath(new URL('./documents/attack.ts', import.meta.url));
const serveFile = fileURLToPath(new URL('./documents/serve.ts', import.meta.url));
const admin = { email: 'admin@example.com', password: 'the first admin of a drill' };
/** Two statements, and no rate limit. */
const honestQuery =
  '{ agent(id: "agent-1") { id status tasks(first: 5) { edges { node { id name status priority createdAt } } } } }';
const scopes = ['tasks:read', 'tasks:write', 'telemetry:read', 'telemetry:write'];

type Settings = Record<string, string>;
type World = { settings: Settings; directory: string };
type Seed = { keys: string[]; attacker: string };

async function succeed(answer: Promise<Answer>) {
  const { data, errors, text } = await answer;
  if (errors) throw new Error(`A request failed: ${text}`);
  return data;
}

async function seed(url: string): Promise<Seed> {
  const login =
    'mutation($email: EmailAddress!, $password: String!) { login(email: $email, password: $password) { accessToken } }';
  const bearer = (await succeed(send(url, login, admin))).login.accessToken;
  const createKey = async (role: string) => {
    const query = 'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
    return (await succeed(send(url, query, { input: { name: 'drill', role, scopes, tier: 'ENTERPRISE' } }, { bearer })))
      .createApiKey.secret;
  };
  const keys: string[] = [];
  for (let made = 0; made < keyCount; made++) keys.push(await createKey('OPERATOR'));
  const query = 'mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
  const task = { input: { name: 'drill', type: 'ANALYSIS', assignedTo: 'agent-1' } };
  await succeed(send(url, query, task, { bearer }));
  return { keys, attacker: await createKey('ADMIN') };
}

/** In this process, so that its CPU can be told from that of others; the client's part is in the figures. */
async function measureRequests({ settings, directory }: World): Promise<boolean> {
  const app = await createApp(readConfig({ ...settings, NEXUS_DATA_DIR: directory, PORT: '0' }));
  const url = await app.http.listen();
  const { attacker } = await seed(url);
  const rows: { name: string; cpuMs: number; answer: string; isFine: boolean }[] = [];
  let nonces = 0;
  for (const { name, body, codes } of hostileRequests) {
    const { cpuMs, answer } = await measureCpu(runs, async () => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${attacker}` };
      const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: body(`n${nonces++}`) });
      const text = await response.text();
      const code: string = JSON.parse(text).errors?.[0]?.extensions.code ?? 'OK';
      return { status: response.status, code, bytes: text.length };
    });
    const isFine =
      cpuMs <= maxCpuMs && answer.status < 500 && codes.includes(answer.code) && answer.bytes < maxAnswerBytes;
    rows.push({ name, cpuMs, answer: `${answer.status} ${answer.code}`, isFine });
  }
  await app.close();
  rows.sort((a, b) => b.cpuMs - a.cpuMs);
  console.info('| request | CPU ms, least of six | answer |\n| --- | ---: | --- |');
  for (const { name, cpuMs, answer, isFine } of rows)
    console.info(`| ${name} | ${cpuMs.toFixed(1)} | ${answer}${isFine ? '' : ' FAULT'} |`);
  return verdict(
    `${rows.length} hostile requests, each within ${maxCpuMs} ms`,
    rows.every(({ isFine }) => isFine),
  );
}

/** An honest client's latencies in milliseconds, sent at their times whether or not earlier ones are answered. */
async function honestPhase(url: string, { keys }: Seed, forMs = phaseMs): Promise<number> {
  const latencies: number[] = [];
  const refusals: string[] = [];
  const pending: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let sent = 0; performance.now() - startedAt < forMs; sent++) {
    const at = performance.now();
    const bearer = keys[sent % keys.length] ?? '';
    const answered = send(url, honestQuery, {}, { bearer }).then(({ status, text }) => {
      if (status !== 200) refusals.push(`${status} ${text}`);
      latencies.push(performance.now() - at);
    });
    pending.push(answered);
    await sleep(Math.max(0, startedAt + ((sent + 1) * 1000) / honestPerSecond - performance.now()));
  }
  await Promise.all(pending);
  if (refusals.length > 0)
    console.info(`${refusals.length} honest requests of ${latencies.length} refused: ${refusals[0]}`);
  return latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
}

async function comparePhases(name: string, url: string, seeded: Seed, args: string[]): Promise<boolean> {
  const quiet: number[] = [];
  const attacked: number[] = [];
  let lasted: Record<string, number> | undefined;
  const attack = async () => {
    const attacker = run(attackFile, process.cwd(), {}, args);
    await attacker.find(/(attacking)/);
    return attacker;
  };
  // What is compiled late is paid once.
  const first = await attack();
  await honestPhase(url, seeded);
  await first.end('SIGKILL');
  for (let phase = 0; phase < phases; phase++) {
    quiet.push(await honestPhase(url, seeded));
    const attacker = await attack();
    attacked.push(await honestPhase(url, seeded));
    // Sockets are left to the server to end, once.
    if (args[0] === 'sockets' && !lasted) lasted = JSON.parse(await attacker.find(/lasted (.*)\n/));
    await attacker.end('SIGKILL');
    await sleep(500);
  }
  const factor = median(attacked) / median(quiet);
  const figures = `p99 ${median(quiet).toFixed(1)} ms, attacked ${median(attacked).toFixed(1)} ms, ${factor.toFixed(2)} times`;
  const isDoubledAtMost = verdict(`${name}: ${figures}`, factor <= maxFactor);
  if (!lasted) return isDoubledAtMost;
  const isCut = Object.entries(socketSeconds).every(([kind, max]) => (lasted[kind] ?? Number.NaN) <= max);
  return verdict(`stalled sockets lasted, in seconds: ${JSON.stringify(lasted)}`, isCut) && isDoubledAtMost;
}

async function goodput(url: string, { keys }: Seed, connections: number) {
  let sent = 0;
  const body = JSON.stringify({ query: honestQuery });
  const setupRequest = (request: autocannon.Request) => ({
    ...request,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[sent++ % keys.length]}` },
  });
  const requests = [{ method: 'POST' as const, path: '/graphql', body, setupRequest }];
  const result = await autocannon({ url, connections, duration: loadSeconds, requests });
  return { perSecond: result['2xx'] / result.duration, refused: result.non2xx, p99: result.latency.p99 };
}

async function overload(world: World): Promise<boolean> {
  const outcomes = [];
  let seeded: Seed | undefined;
  for (const file of [serveFile, undefined]) {
    const settings = { ...world.settings, NEXUS_DATA_DIR: world.directory };
    const started = file ? run(file, world.directory, settings) : undefined;
    const nexus = started
      ? { url: await started.find(/Nexus serves (http\S+)\/graphql/), end: started.end }
      : await startNexus(world.directory, settings);
    seeded ??= await seed(nexus.url);
    await goodput(nexus.url, seeded, peakConnections);
    const peak = await goodput(nexus.url, seeded, peakConnections);
    const loaded = await goodput(nexus.url, seeded, overloadConnections);
    await nexus.end('SIGTERM');
    const ratio = loaded.perSecond / peak.perSecond;
    console.info(
      `${file ? 'without' : 'with'} shedding: peak ${peak.perSecond.toFixed(0)}/s, p99 ${peak.p99} ms; ten times the load ` +
        `${loaded.perSecond.toFixed(0)}/s (${(ratio * 100).toFixed(0)} %), ${loaded.refused} refused, p99 ${loaded.p99} ms`,
    );
    outcomes.push(ratio);
  }
  return verdict('goodput under ten times the load', (outcomes[1] ?? 0) >= minGoodput);
}

function verdict(what: string, isKept: boolean): boolean {
  console.info(`${what}: ${isKept ? 'kept' : 'NOT KEPT'}`);
  return isKept;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function drill(chosen: string[]): Promise<boolean> {
  const isChosen = (part: string) => chosen.length === 0 || chosen.includes(part);
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-documents-'));
  const services = await startServices({ arePrivate: true });
  const settings: Settings = {
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    BOOTSTRAP_ADMIN_EMAIL: admin.email,
    BOOTSTRAP_ADMIN_PASSWORD: admin.password,
    LOG_LEVEL: 'error',
  };
  const world = { settings, directory };
  const kept: boolean[] = [];
  try {
    if (isChosen('cpu')) kept.push(await measureRequests(world));
    if (isChosen('requests') || isChosen('sockets')) {
      const nexus = await startNexus(directory, settings);
      const seeded = await seed(nexus.url);
      const attacks = { requests: ['requests', nexus.url, seeded.attacker], sockets: ['sockets', nexus.url] };
      for (const [name, args] of Object.entries(attacks))
        if (isChosen(name)) kept.push(await comparePhases(name, nexus.url, seeded, args));
      await nexus.end('SIGTERM');
    }
    if (isChosen('overload')) kept.push(await overload(world));
  } finally {
    await services.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return kept.every(Boolean);
}

if (!(await drill(process.argv.slice(2)))) process.exitCode = 1;
