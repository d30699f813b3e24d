import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { verifyPassword } from '../../src/auth/password.ts';
import { type Answer, type Credential, type Person, send, startApp, type TestApp } from '../support/app.ts';
import { freshRedisUrl } from '../support/databases.ts';
import { codesOf, operation } from '../support/operations.ts';
import { startStallingProxy } from '../support/stallingProxy.ts';

/** The limits are what is tested here, so no address is blocked before they are reached. */
const env = { TRUST_PROXY: '127.0.0.0/8', AUTO_BLOCK_FAILED_AUTHENTICATIONS: '0', AUTO_BLOCK_RATE_LIMIT_REFUSALS: '0' };
const wrong = 'a wrong password';
/** Of an account, and of an address, in 15 minutes. */
const [maxOfAccount, maxOfAddress] = [5, 20];
/** What hashes at once, and what may wait for its turn. */
const maxHashes = 66;

let app: TestApp;
let other: Awaited<ReturnType<TestApp['startAnother']>>;
beforeAll(async () => {
  app = await startApp({ env });
  other = await app.startAnother();
  // Cold code and connections that have yet to be opened would make the bursts ones of time-outs.
  await inParallel(20, (turn) => logIn({ email: `warm${turn}@example.com`, password: wrong }, { turn }));
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});

let person: Person;
beforeEach(async () => {
  person = await app.createPerson('VIEWER');
});

type How = { address?: string; credential?: Credential; turn?: number; query?: string };
let addresses = 0;
const newAddress = () => `198.51.${100 + (++addresses >> 8)}.${addresses & 255}`;

/** Logs in, from an address of its own, at one app or the other by turns. */
function logIn({ email, password }: { email: string; password: string }, how: How = {}): Promise<Answer> {
  const { address = newAddress(), credential = null, turn = 0, query = operation('Login') } = how;
  const url = turn % 2 === 0 ? app.url : other.url;
  return send(url, query, { email, password }, credential, { 'x-forwarded-for': address });
}
const guess = (email: string, how?: How) => logIn({ email, password: wrong }, how);

function inParallel<Result>(times: number, call: (turn: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: times }, (_, turn) => call(turn)));
}

/** How often each status stands in the answers. */
function countStatuses(answers: Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** So many guesses that nobody gets further with this account. */
async function lockOut({ email }: Person): Promise<void> {
  for (let count = 0; count < maxOfAccount; count++) expect((await guess(email)).status).toBe(401);
  expect((await guess(email)).status).toBe(429);
}

/** All of these are one address (NFKC, case, space, dots at the end). */
const spellings: [string, (email: string) => string][] = [
  ['capitals', (email) => email.toUpperCase()],
  ['a dot at the end', (email) => `${email}.`],
  ['several dots at the end', (email) => `${email}...`],
  ['space around it', (email) => ` ${email}\t`],
  ['full-width letters', (email) => email.replace('person', 'ｐｅｒｓｏｎ')],
  ['a full-width @ and dot', (email) => email.replace('@', '＠').replace('.com', '．ｃｏｍ')],
];
const spellingOf = (email: string, turn: number) => spellings[turn % spellings.length]?.[1](email) ?? email;

test('an address that is too long is refused before anything is done with it, as a variable and as a literal', async () => {
  const email = `a${'\u0315'.repeat(30_000)}${'\u0316'.repeat(30_000)}@example.com`;
  const literal = `mutation { login(email: "${email}", password: "x") { accessToken } }`;
  const [asVariable, asLiteral] = [await guess(email), await app.request(literal)];
  expect(codesOf(asVariable)).toEqual(['BAD_USER_INPUT']);
  expect(codesOf(asLiteral)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
});

describe('guesses at one account', () => {
  test('of 200 at the same time exactly 5 reach the hash, from as many addresses', async () => {
    const answers = await inParallel(200, () => guess(person.email));
    expect(countStatuses(answers)).toEqual({ 401: maxOfAccount, 429: 200 - maxOfAccount });
  });

  test('of 200 at the same time exactly 5 reach the hash, over two apps and in every spelling', async () => {
    const answers = await inParallel(200, (turn) => guess(spellingOf(person.email, turn >> 1), { turn }));
    expect(countStatuses(answers)).toEqual({ 401: maxOfAccount, 429: 200 - maxOfAccount });
  });

  test('count in all, whoever comes in between with the right password', async () => {
    for (let count = 0; count < maxOfAccount; count++) {
      expect((await guess(spellingOf(person.email, count), { turn: count })).status).toBe(401);
      expect((await logIn(person)).status).toBe(count < maxOfAccount - 1 ? 200 : 429);
    }
  });

  test('are given back by nobody who logs in from their address', async () => {
    const address = newAddress();
    for (let turn = 0; turn < maxOfAddress; turn++) {
      expect((await guess(`nobody${turn}@example.net`, { address })).status).toBe(401);
      expect((await logIn(person, { address })).status).toBe(turn < maxOfAddress - 1 ? 200 : 429);
    }
  });

  test('leave other accounts alone', async () => {
    await lockOut(person);
    expect((await logIn(await app.createPerson('VIEWER'))).status).toBe(200);
  });
});

describe('spellings of an address', () => {
  test.each(spellings)(
    '%s is the same account, in variables and in literals, for the first time and the 30th',
    async (_name, spell) => {
      const email = spell(person.email);
      const literal = `mutation($password: String!) { login(email: ${JSON.stringify(email)}, password: $password) { user { id } } }`;
      for (let count = 0; count < 30; count++)
        for (const query of [operation('Login'), literal])
          expect((await logIn({ email, password: person.password }, { query })).data?.login.user.id).toBe(person.id);
      await lockOut(person);
      for (const query of [operation('Login'), literal])
        expect((await logIn({ email, password: person.password }, { query })).status).toBe(429);
    },
  );

  test('are one in the audit log', async () => {
    await guess(spellingOf(person.email, 1));
    await logIn({ ...person, email: spellingOf(person.email, 2) });
    const rows = await app.sql`
      select detail->'arguments'->>'email' as email from audit_events
      where action = 'session.create' order by sequence desc limit 2`;
    expect(rows.map(({ email }) => email)).toEqual([person.email, person.email]);
  });
});

describe('the owner of an account', () => {
  const credentials = (): [string, Credential][] => [
    ['session', { cookie: person.cookie }],
    ['access token', { bearer: person.accessToken }],
  ];

  test('who comes with a live session or a token of it logs in while others are locked out', async () => {
    await lockOut(person);
    for (const [name, credential] of credentials()) {
      expect([name, (await logIn(person, { credential })).status]).toEqual([name, 200]);
      expect((await logIn({ ...person, email: spellingOf(person.email, 0) }, { credential })).status).toBe(200);
    }
    expect((await logIn(person)).status).toBe(429);
  });

  test('is not locked out by the guesses of a neighbour at the same address', async () => {
    const address = newAddress();
    for (let count = 0; count < maxOfAddress; count++) await guess(`nobody${count}@example.com`, { address });
    expect((await logIn(person, { address })).status).toBe(429);
    expect((await logIn(person, { address, credential: { cookie: person.cookie } })).status).toBe(200);
  });

  test('has 5 wrong attempts too, over all sessions and tokens, and they are not those of others', async () => {
    for (let count = 0; count < maxOfAccount; count++)
      expect((await guess(person.email, { credential: credentials()[count % 2]?.[1] ?? null })).status).toBe(401);
    for (const [, credential] of credentials()) expect((await logIn(person, { credential })).status).toBe(429);
    expect((await logIn(person)).status).toBe(200);
  });

  test('is who has a session of that account: an attacker’s own does not help, nor does an API key of the account', async () => {
    const attacker = await app.createPerson('VIEWER');
    const key = await app.createKey({ scopes: ['tasks:read'] }, { bearer: person.accessToken });
    await lockOut(person);
    for (const credential of [{ cookie: attacker.cookie }, { bearer: attacker.accessToken }, { bearer: key.secret }])
      expect((await guess(person.email, { credential })).status).toBe(429);
  });

  test('whose session is over is a stranger', async () => {
    await app.succeed(operation('Logout'), {}, { cookie: person.cookie });
    expect((await logIn(person, { credential: { cookie: person.cookie } })).status).toBe(401);
    for (let count = 0; count < 2 * maxOfAccount; count++)
      await guess(person.email, { credential: { cookie: person.cookie } });
    expect((await logIn(person)).status).toBe(200); // Such calls are refused before anything is checked or counted.
  });
});

describe('guesses from one address', () => {
  const fill = async (addressOf: (turn: number) => string) => {
    const statuses = [];
    for (let turn = 0; turn < maxOfAddress; turn++)
      statuses.push((await guess(`nobody${turn}@example.org`, { address: addressOf(turn) })).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
  };

  test('are counted by the /64 of IPv6', async () => {
    await fill((turn) => `2001:db8:1:2::${(turn + 1).toString(16)}:1`);
    expect((await logIn(person, { address: '2001:db8:1:2:ffff::7' })).status).toBe(429);
    expect((await logIn(person, { address: '2001:db8:1:3::1' })).status).toBe(200);
  });

  test('are counted together for IPv4 and its IPv4-mapped form', async () => {
    const [ip, neighbour] = [newAddress(), newAddress()];
    await fill((turn) => (turn % 2 === 0 ? ip : `::ffff:${ip}`));
    expect((await logIn(person, { address: ip })).status).toBe(429);
    expect((await logIn(person, { address: `::ffff:${neighbour}` })).status).toBe(200);
  });

  test('at an account that is locked already do not use up the address', async () => {
    const address = newAddress();
    await lockOut(person);
    for (let count = 0; count < 2 * maxOfAddress; count++)
      expect((await guess(person.email, { address })).status).toBe(429);
    expect((await logIn(await app.createPerson('VIEWER'), { address })).status).toBe(200);
  });
});

describe('password hashes', () => {
  test('that are too many are 503 with Retry-After, and no failed attempt', async () => {
    const stop = await fillQueue();
    try {
      for (let count = 0; count < 2 * maxOfAccount; count++) {
        const answer = await guess(person.email);
        expect([answer.status, codesOf(answer)]).toEqual([503, ['DEPENDENCY_UNAVAILABLE']]);
        expect(answer.headers.get('retry-after')).toBe('1');
      }
    } finally {
      await stop();
    }
    await lockOut(person);
  });

  test('that wait hold no connection, so that somebody else is answered', async () => {
    const burst = inParallel(100, (turn) => guess(`sleeper${turn}@example.com`));
    const held: number[] = [];
    for (let count = 0; count < 10; count++) {
      const { me } = await app.succeed('{ me { user { email } } }', {}, { cookie: person.cookie });
      expect(me.user.email).toBe(person.email);
      const [row] = await app.sql`
        select count(*)::integer as held from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction'`;
      held.push(row?.held);
    }
    // A pool has 10: log-ins that waited in their transactions would hold nearly all of them all the time.
    expect(Math.min(...held)).toBeLessThan(5);
    expect(Object.keys(countStatuses(await burst)).filter((status) => status !== '401' && status !== '503')).toEqual(
      [],
    );
  });

  /** Keeps every place in the queue taken until it is stopped. */
  async function fillQueue(): Promise<() => Promise<void>> {
    let isOver = false;
    const hashing = inParallel(maxHashes, async () => {
      while (!isOver) await verifyPassword(null, wrong).catch(() => undefined);
    });
    return async () => {
      isOver = true;
      await hashing;
    };
  }
});

test('an unknown address, a wrong password and a disabled user take the same time', { retry: 3 }, async () => {
  const pairs = 40;
  const [{ passwordHash }] = await app.sql<[{ passwordHash: string }]>`
    select password_hash as "passwordHash" from users where id = ${person.id}`;
  const prefix = crypto.randomUUID();
  await app.sql`
    insert into users (id, email, password_hash, roles, tier, disabled_at)
    select 'timed' || ${prefix} || n || kind, n || kind || ${prefix} || '@example.com', ${passwordHash}, '{VIEWER}', 'FREE',
      case when kind = 'disabled' then now() end
    from generate_series(1, ${pairs}) n, unnest(array['known', 'disabled']) kind`;
  const kinds: [string, string][] = [
    ['unknown', wrong],
    ['known', wrong],
    ['disabled', wrong],
    ['disabled', person.password], // Whoever knows the password learns no more either.
  ];
  const times = kinds.map((): number[] => []);
  for (let n = 1; n <= pairs; n++)
    for (const [index, [kind, password]] of kinds.entries()) {
      const started = performance.now();
      const { status } = await logIn({ email: `${n}${kind}${prefix}@example.com`, password });
      times[index]?.push(performance.now() - started);
      expect(status).toBe(401);
    }
  const [unknown = Number.NaN, ...others] = times.map(median);
  for (const one of others) {
    expect(one / unknown).toBeGreaterThan(0.7);
    expect(one / unknown).toBeLessThan(1.4);
  }
});

test('without Redis nobody can guess: a log-in is 503', async () => {
  const proxy = await startStallingProxy(await freshRedisUrl(), 6379);
  const without = await startApp({ env: { REDIS_URL: proxy.url } });
  try {
    const { email, password } = without.admin;
    proxy.hangUp();
    for (const tried of [password, wrong]) {
      const answer = await without.request(operation('Login'), { email, password: tried });
      expect([answer.status, codesOf(answer)]).toEqual([503, ['DEPENDENCY_UNAVAILABLE']]);
    }
    proxy.resume();
    await expect
      .poll(async () => (await without.request(operation('Login'), { email, password })).status, { timeout: 10_000 })
      .toBe(200);
  } finally {
    await without.stop();
    await proxy.close();
  }
});

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
