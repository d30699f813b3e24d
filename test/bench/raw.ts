import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { createRedisCounters } from '../../src/limits/redisCounters.ts';

/**
 * What Nexus is measured against: node:http and postgres.js with the same SQL, the same limit script and a key look-up
 * that is kept in a Map; no GraphQL, no policy, no validation, no log.
 */
const sql = postgres(process.env.DATABASE_URL ?? '', { max: 10 });
const counters = createRedisCounters(new Redis(process.env.REDIS_URL ?? ''), console.error);
const callers = new Map<string, string>();

const taskColumns = sql`id, name, type, priority, status, assigned_to, description, parameters, result, error, deadline,
  attempts, max_attempts, created_by, created_at, updated_at, started_at, finished_at`;

type Reading = { agentId: string; timestamp: string; metrics: Record<string, number>; status: string };

const insertReadings = (readings: Reading[]) => sql`
  with readings as (
    select distinct on ("agentId", timestamp) "agentId" as agent_id, timestamp, metrics, status
    from jsonb_to_recordset(${JSON.stringify(readings.map((reading, position) => ({ ...reading, position })))}::text::jsonb)
      as reading("agentId" text, timestamp timestamptz, metrics jsonb, status text, position integer)
    order by "agentId", timestamp, position
  ), inserted as (
    insert into telemetry (agent_id, timestamp, metrics, status)
    select agent_id, timestamp, metrics, status from readings order by agent_id, timestamp
    on conflict do nothing
    returning 1
  ), moved as (
    insert into agents (id, status, last_seen_at)
    select distinct on (agent_id) agent_id, status, timestamp from readings order by agent_id, timestamp desc
    on conflict (id) do update set status = excluded.status, last_seen_at = excluded.last_seen_at
    where agents.last_seen_at is null or agents.last_seen_at < excluded.last_seen_at
  )
  select count(*)::integer as count from inserted`;

const routes: Record<string, { max: number; run(body: never): Promise<unknown> }> = {
  '/task': {
    max: 5000,
    run: async ({ id }: { id: string }) => (await sql`select ${taskColumns} from tasks where id = ${id}`)[0],
  },
  '/tasks': {
    max: 1200,
    run: ({ first }: { first: number }) =>
      sql`select ${taskColumns} from tasks order by created_at desc, id desc limit ${first + 1}`,
  },
  '/telemetry': { max: 5000, run: async ({ input }: { input: Reading }) => (await insertReadings([input]))[0] },
  '/telemetry/batch': { max: 600, run: async ({ inputs }: { inputs: Reading[] }) => (await insertReadings(inputs))[0] },
};

async function callerOf(req: IncomingMessage): Promise<string> {
  const secret = req.headers.authorization?.slice('Bearer '.length) ?? '';
  const hash = createHash('sha256').update(secret).digest('hex');
  const known = callers.get(hash);
  if (known) return known;
  const [key] = await sql`select id from api_keys where secret_hash = ${hash} and revoked_at is null`;
  if (!key) throw new Error('There is no such key.');
  callers.set(hash, key.id);
  return key.id;
}

async function bodyOf(req: IncomingMessage): Promise<never> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as never;
}

const server = createServer(async (req, res) => {
  const route = routes[req.url ?? ''];
  try {
    if (!route) throw new Error('There is no such route.');
    const [caller, body] = await Promise.all([callerOf(req), bodyOf(req)]);
    const limit = { subject: caller, key: `raw|${req.url}`, max: route.max, windowMs: 60_000 };
    const reservation = await counters.reserve([{ limit, units: 1 }]);
    if (!reservation.allowed) return res.writeHead(429).end();
    reservation.settle([0]);
    const text = JSON.stringify({ data: await route.run(body) });
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
  } catch (error) {
    res.writeHead(500).end(String(error));
  }
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}\n`);
});

process.once('SIGTERM', () => process.exit(0));
