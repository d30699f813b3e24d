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
    LOG_LEVEL: 'error',
  };
  both = await Promise.all([startNexus(directory, settings), startNexus(directory, settings)]);
  // Cold code and connections that have yet to be opened would make the burst one of time-outs.
  await repeat(50, (turn) => fail(1, `198.51.100.${turn}`, turn));
  return async () => {
    await Promise.all(both.map((nexus) => nexus.end('SIGTERM')));
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  };
}, slow);

/** Logs in as each of them in one request, from an address, at one process or the other by turns. */
function logIn(addressees: { email: string; password: string }[], from: string, turn: number): Promise<Answer> {
  const parameters = addressees.map((_, index) => `$email${index}: EmailAddress!, $password${index}: String!`);
  const fields = addressees.map(
    (_, index) => `a${index}: login(email: $email${index}, password: $password${index}) { user { id } }`,
  );
  const query = `mutation(${parameters.join(', ')}) { ${fields.join(' ')} }`;
  const entries = addressees.flatMap(({ email, password }, index) => [
    [`email${index}`, email],
    [`password${index}`, password],
  ]);
  const url = both[turn % both.length]?.url ?? '';
  return send(url, query, Object.fromEntries(entries), null, { 'x-forwarded-for': from });
}

let strangers = 0;

/** As many log-ins that fail, each for another address, so that the limit of one address has no part in it. */
function fail(count: number, from: string, turn = 0): Promise<Answer> {
  const addressees = Array.from({ length: count }, () => {
    strangers += 1;
    return { email: `stranger${strangers}@example.com`, password: wrong };
  });
  return logIn(addressees, from, turn);
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
  const answers = await repeat(1000, (turn) => fail(1, '192.0.2.1', turn));
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

test('each alias counts: of 1,005 calls in 67 requests as many pass', { timeout: slow }, async () => {
  const answers = await repeat(67, (turn) => fail(15, '192.0.2.2', turn));
  expect(countCodes(...answers)).toEqual({ UNAUTHENTICATED: max, RATE_LIMITED: 67 * 15 - max });
});

test('15 aliases are 15 attempts: 5 more are let in, by whichever process, and then none, with 429', async () => {
  const from = '192.0.2.3';
  expect(countCodes(await fail(15, from))).toEqual({ UNAUTHENTICATED: 15 });
  for (let turn = 0; turn < 5; turn++) expect(countCodes(await fail(1, from, turn))).toEqual({ UNAUTHENTICATED: 1 });
  for (const turn of [0, 1]) {
    const { status, headers, errors } = await fail(1, from, turn);
    expect({ status, code: errors?.[0]?.extensions.code }).toEqual({ status: 429, code: 'RATE_LIMITED' });
    expect(headers.get('retry-after')).toBe(String(errors?.[0]?.extensions.retryAfterSeconds));
  }
  expect(countCodes(await logIn([admin], from, 0))).toEqual({ RATE_LIMITED: 1 });
  expect(countCodes(await fail(1, '192.0.2.4'))).toEqual({ UNAUTHENTICATED: 1 });
});

test('a log-in that succeeds gives its place back', async () => {
  const from = '192.0.2.5';
  for (let turn = 0; turn < max + 2; turn++) expect(countCodes(await logIn([admin], from, turn))).toEqual({});
  expect(countCodes(await fail(15, from))).toEqual({ UNAUTHENTICATED: 15 });
  for (let turn = 0; turn < 6; turn++) expect(countCodes(await logIn([admin], from, turn))).toEqual({});
  const rest = await repeat(10, (turn) => fail(1, from, turn));
  expect(countCodes(...rest)).toEqual({ UNAUTHENTICATED: 5, RATE_LIMITED: 5 });
});

test('more than 15 aliases are refused, and none of them is counted', async () => {
  const from = '192.0.2.6';
  for (const count of [16, 100]) {
    const alias = (_: unknown, index: number) =>
      `a${index}: login(email: "x${index}@example.com", password: "x") { user { id } }`;
    const query = `mutation { ${Array.from({ length: count }, alias).join(' ')} }`;
    const answer = await send(both[0]?.url ?? '', query, {}, null, { 'x-forwarded-for': from });
    expect({ status: answer.status, data: answer.data }).toEqual({ status: 400, data: undefined });
    expect(countCodes(answer)).toEqual({ TOO_MANY_ALIASES: 1 });
  }
  expect(countCodes(await fail(15, from), await fail(6, from))).toEqual({ UNAUTHENTICATED: max, RATE_LIMITED: 1 });
});
