import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { createDatabase, freshRedisUrl } from '../support/databases.ts';
import { type NexusProcess, startNexus } from '../support/nexusProcess.ts';
import { type Answer, send } from '../support/send.ts';

const slow = 90_000;
/** Of `login`: so many failed ones in 15 minutes from one address. */
const max = 20;
const windowSeconds = 15 * 60;
const admin = { email: 'admin@example.com', password: 'the first admin of a test' };
const wrong = 'not the password';

let both: NexusProcess[];

beforeAll(async () => {
  const database = await createDatabase();
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-limits-'));
  const settings = {
    DATABASE_URL: database.url,
    REDIS_URL: await freshRedisUrl(),
    BOOTSTRAP_ADMIN_EMAIL: admin.email,
    BOOTSTRAP_ADMIN_PASSWORD: admin.password,
    TRUST_PROXY: '127.0.0.0/8',
    // The limits are what is tested here, so no address is blocked before they are reached.
    AUTO_BLOCK_FAILED_AUTHENTICATIONS: '0',
    AUTO_BLOCK_RATE_LIMIT_REFUSALS: '0',
    LOG_LEVEL: 'error',
  };
  both = await Promise.all([startNexus(directory, settings), startNexus(directory, settings)]);
  // Cold code and connections that have yet to be opened would make the burst one of time-outs.
  await repeat(50, (turn) => fail(`198.51.100.${turn}`, turn));
  return async () => {
    await Promise.all(both.map((nexus) => nexus.end('SIGTERM')));
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  };
}, slow);

/** Logs in from an address, at one process or the other by turns. */
function logIn({ email, password }: { email: string; password: string }, from: string, turn: number): Promise<Answer> {
  const query = `mutation($email: EmailAddress!, $password: String!) {
    login(email: $email, password: $password) { user { id } }
  }`;
  const url = both[turn % both.length]?.url ?? '';
  return send(url, query, { email, password }, null, { 'x-forwarded-for': from });
}

let strangers = 0;

/** A log-in that fails, each for another address, so that the limit of one address has no part in it. */
function fail(from: string, turn = 0): Promise<Answer> {
  strangers += 1;
  return logIn({ email: `stranger${strangers}@example.com`, password: wrong }, from, turn);
}

/** How often each code stands in the answers. */
function countCodes(...answers: Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { errors } of answers)
    for (const { extensions } of errors ?? []) counts[extensions.code] = (counts[extensions.code] ?? 0) + 1;
  return counts;
}

function repeat<Result>(times: number, call: (turn: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: times }, (_, turn) => call(turn)));
}

test('of 1,000 parallel calls over two processes exactly as many as the limit pass', { timeout: slow }, async () => {
  const answers = await repeat(1000, (turn) => fail('192.0.2.1', turn));
  expect(countCodes(...answers)).toEqual({ UNAUTHENTICATED: max, RATE_LIMITED: 1000 - max });
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(1000 - max);
  for (const { headers, errors } of refused) {
    const retryAfter = Number(headers.get('retry-after'));
    expect(retryAfter).toBe(errors?.[0]?.extensions.retryAfterSeconds);
    expect(retryAfter).toBeGreaterThan(windowSeconds * 0.9);
    expect(retryAfter).toBeLessThan(windowSeconds * 1.1);
  }
});

test('once 20 have failed none is let in, by whichever process, and the answer is 429', async () => {
  const from = '192.0.2.3';
  expect(countCodes(...(await repeat(max, (turn) => fail(from, turn))))).toEqual({ UNAUTHENTICATED: max });
  for (const turn of [0, 1]) {
    const { status, headers, errors } = await fail(from, turn);
    expect({ status, code: errors?.[0]?.extensions.code }).toEqual({ status: 429, code: 'RATE_LIMITED' });
    expect(headers.get('retry-after')).toBe(String(errors?.[0]?.extensions.retryAfterSeconds));
  }
  expect(countCodes(await logIn(admin, from, 0))).toEqual({ RATE_LIMITED: 1 });
  expect(countCodes(await fail('192.0.2.4'))).toEqual({ UNAUTHENTICATED: 1 });
});

test('a log-in that succeeds gives its place back', async () => {
  const from = '192.0.2.5';
  for (let turn = 0; turn < max + 2; turn++) expect(countCodes(await logIn(admin, from, turn))).toEqual({});
  expect(countCodes(...(await repeat(15, (turn) => fail(from, turn))))).toEqual({ UNAUTHENTICATED: 15 });
  for (let turn = 0; turn < 6; turn++) expect(countCodes(await logIn(admin, from, turn))).toEqual({});
  const rest = await repeat(10, (turn) => fail(from, turn));
  expect(countCodes(...rest)).toEqual({ UNAUTHENTICATED: 5, RATE_LIMITED: 5 });
});

test.each([
  ['two log-ins', 2],
  ['15 log-ins', 15],
  ['100 log-ins', 100],
])('%s in one request are refused, and none of them is counted', async (_name, count) => {
  const from = `192.0.2.${count + 100}`;
  const alias = (_: unknown, index: number) =>
    `a${index}: login(email: "x${index}@example.com", password: "x") { user { id } }`;
  const query = `mutation { ${Array.from({ length: count }, alias).join(' ')} }`;
  const answer = await send(both[0]?.url ?? '', query, {}, null, { 'x-forwarded-for': from });
  expect({ status: answer.status, data: answer.data }).toEqual({ status: 400, data: undefined });
  expect(countCodes(answer)).toEqual({ TOO_MANY_ALIASES: 1 });
  const after = await repeat(max + 1, (turn) => fail(from, turn));
  expect(countCodes(...after)).toEqual({ UNAUTHENTICATED: max, RATE_LIMITED: 1 });
});
