import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Answer, post } from '../post.ts';
import type { Client, World } from './world.ts';

const decisionMs = 250;
const awaySeconds = 10;
/** A process alone has its part of the limit, of three that were seen, and that must do. */
const pauseMs = 60;
const backWithinMs = 5_000;
const login = 'mutation { login(email: "admin@example.com", password: "the first admin of a drill") { user { id } } }';
const createKey = 'mutation { createApiKey(input: { name: "drill", scopes: ["tasks:read"] }) { secret } }';
const createTask = 'mutation { createTask(input: { name: "drill", type: ANALYSIS }) { task { id } } }';
const read = '{ tasks(first: 1) { edges { node { id } } } }';
const blockedAddress = '203.0.113.7';

type Probe = { name: string; expected: string; send(): Promise<Answer> };
type Line = { probe: string; sent: number; unexpected: number; p50: number; p99: number; max: number };

/** Redis is frozen, then killed: a decision all the same, at once, and nobody comes in who must not. */
export async function goWithoutRedis(world: World): Promise<boolean> {
  const [client, victim] = [await world.createClient('ENTERPRISE'), await world.createClient('ENTERPRISE')];
  await revokeAndBlock(world, client, victim);
  const { pid, port, password } = await serverOf(world.redisUrl);
  let another: ChildProcess | undefined;
  try {
    process.kill(pid, 'SIGSTOP');
    const isFrozenRight = await probeWhileAway(world, client, victim, 'frozen');
    process.kill(pid, 'SIGCONT');
    const isBack = await waitUntilBack(world, client);
    process.kill(pid, 'SIGKILL');
    const isDeadRight = await probeWhileAway(world, client, victim, 'killed');
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--databases', '4096'];
    another = spawn('redis-server', [...options, '--requirepass', password], { stdio: 'ignore' });
    const isBackAgain = await waitUntilBack(world, client);
    return isFrozenRight && isBack && isDeadRight && isBackAgain;
  } finally {
    another?.kill('SIGKILL');
  }
}

async function revokeAndBlock({ urls, sql }: World, client: Client, victim: Client): Promise<void> {
  const [key] = await sql`select id from api_keys where owner_id = ${victim.userId}`;
  const cidr = `${blockedAddress}/32`;
  const answers = [
    await post(urls[0], victim.key, '{ me { kind } }'),
    await post(urls[0], client.person, 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
      id: key?.id,
    }),
    await post(
      urls[0],
      client.person,
      'mutation($input: BlockIpInput!) { blockIp(input: $input) { ipBlock { id } } }',
      {
        input: { cidr, reason: 'drill' },
      },
    ),
  ];
  const failed = answers.find(({ code }) => code !== 'OK');
  if (failed) throw new Error(`The drill could not begin: ${failed.code} ${failed.message}`);
}

async function probeWhileAway({ urls }: World, client: Client, victim: Client, how: string): Promise<boolean> {
  const via = (turn: number) => urls[turn % 2] ?? '';
  let turn = 0;
  const probe = (name: string, expected: string, credential: Client['key'], query: string, headers = {}): Probe => ({
    ...{ name, expected },
    send: () => post(via(turn++), credential, query, {}, headers),
  });
  const probes = [
    probe('read', 'OK', client.person, read),
    probe('task write', 'OK', client.person, createTask),
    probe('login', 'DEPENDENCY_UNAVAILABLE', null, login),
    probe('createApiKey', 'DEPENDENCY_UNAVAILABLE', client.person, createKey),
    probe('revoked key', 'UNAUTHENTICATED', victim.key, read),
    probe('blocked address', 'IP_BLOCKED', client.person, read, { 'x-forwarded-for': blockedAddress }),
  ];
  const endAt = performance.now() + awaySeconds * 1_000;
  const lines = await Promise.all(probes.map((one) => repeat(one, endAt)));
  console.info(`Redis ${how}, ${awaySeconds} s, from the first moment on (ms):`);
  console.table(lines);
  const ready = await Promise.all(urls.map((url) => readiness(url)));
  const metrics = await Promise.all(urls.map((url) => degradedMetric(url)));
  console.info(`/health/ready: ${ready.join(', ')}; nexus_limits_degraded: ${metrics.join(', ')}`);
  return (
    lines.every(({ unexpected, max }) => unexpected === 0 && max <= decisionMs) &&
    ready.every((status) => status === '200 degraded') &&
    metrics.every((value) => value === '1')
  );
}

async function repeat({ name, expected, send }: Probe, endAt: number): Promise<Line> {
  const times: number[] = [];
  let unexpected = 0;
  while (performance.now() < endAt) {
    const startedAt = performance.now();
    const { code } = await send();
    times.push(performance.now() - startedAt);
    if (code !== expected) unexpected += 1;
    await setTimeout(pauseMs);
  }
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0);
  return { probe: `${name}: ${expected}`, sent: times.length, unexpected, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Without a restart the counts are shared again, and log-in works. */
async function waitUntilBack({ urls }: World, client: Client): Promise<boolean> {
  const startedAt = performance.now();
  for (;;) {
    const answers = await Promise.all(urls.map((url) => post(url, client.person, createKey)));
    const ready = await Promise.all(urls.map((url) => readiness(url)));
    const ms = Math.round(performance.now() - startedAt);
    const isBack = answers.every(({ code }) => code === 'OK') && ready.every((status) => status === '200 ok');
    if (isBack) console.info(`Redis is back: everything works after ${ms} ms.`);
    if (isBack || ms > backWithinMs) return isBack;
    await setTimeout(50);
  }
}

async function readiness(url: string): Promise<string> {
  const response = await fetch(`${url}/health/ready`);
  const { status } = (await response.json()) as { status: string };
  return `${response.status} ${status}`;
}

async function degradedMetric(url: string): Promise<string | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return /^nexus_limits_degraded (\d)/m.exec(text)?.[1];
}

async function serverOf(redisUrl: string): Promise<{ pid: number; port: number; password: string }> {
  const redis = new Redis(redisUrl);
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
  redis.disconnect();
  const { port, password } = new URL(redisUrl);
  return { pid: Number(pid), port: Number(port), password };
}
