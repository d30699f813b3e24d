import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Credential, type Person, send, startApp, type TestApp } from '../support/app.ts';

const parallel = 20;

let app: TestApp;
let redis: Redis;
let person: Person;
beforeAll(async () => {
  app = await startApp();
  redis = new Redis(app.redisUrl);
  person = await app.createPerson('OPERATOR');
});
afterAll(async () => {
  redis.disconnect();
  await app.stop();
});

const isLetIn = async (credential: Credential, headers?: Record<string, string>) =>
  (await send(app.url, '{ me { kind } }', {}, credential, headers)).status === 200;

/** One credential of each kind, all in use, so that whatever is kept of them is there. */
async function useEverything(): Promise<Credential[]> {
  const bearer = { bearer: person.accessToken };
  const key = await app.createKey({ role: 'OPERATOR', scopes: ['tasks:read', 'apiKeys:write'] }, bearer);
  const { rotateApiKey } = await app.succeed(
    'mutation($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 600) { secret } }',
    { id: key.id },
    bearer,
  );
  const { refreshAccessToken } = await app.succeed('mutation { refreshAccessToken { accessToken } }', {}, person);
  return [
    person,
    bearer,
    { bearer: key.secret },
    { bearer: rotateApiKey.secret },
    { bearer: refreshAccessToken.accessToken },
  ];
}

/** Every text in Postgres and in Redis, whole, and in each part that separators leave of it. */
async function dump(): Promise<Set<string>> {
  const texts: string[] = [];
  const tables = await app.sql`
    select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`;
  for (const { name } of tables) {
    for (const { row } of await app.sql.unsafe(`select to_jsonb(t) as row from ${name} as t`)) collect(row, texts);
  }
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    const value = await contentOf(redis, key, type);
    collect([key, value], texts);
    if (typeof value === 'string' && value.startsWith('{')) collect(JSON.parse(value), texts);
  }
  return new Set(texts.flatMap((text) => [text, ...text.split(/[^\w.~+/=-]+/), ...text.split(/\W+/)]));
}

async function contentOf(redis: Redis, key: string, type: string): Promise<unknown> {
  if (type === 'string') return redis.get(key);
  if (type === 'hash') return redis.hgetall(key);
  if (type === 'zset') return redis.zrange(key, '0', '-1');
  throw new Error(`Say here how to read a ${type}.`);
}

function collect(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  if (typeof value !== 'object' || value === null) return;
  texts.push(...Object.keys(value));
  for (const inner of Object.values(value)) collect(inner, texts);
}

/** Those of the texts that let somebody in, in whatever place of a request. */
async function usable(texts: Iterable<string>): Promise<string[]> {
  const ids = (await app.sql`select id from sessions`).map(({ id }) => id);
  const found: string[] = [];
  const waiting = [...texts].filter((text) => /^[\x21-\x7e]{1,4096}$/.test(text));
  const tryThem = async () => {
    for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
      const cookies = [text, ...ids.map((id) => `${id}.${text}`)].filter((value) => !/[;,]/.test(value));
      const attempts = [
        () => isLetIn({ bearer: text }),
        () => isLetIn(null, { 'x-api-key': text }),
        ...cookies.map((value) => () => isLetIn({ cookie: `nexus.sid=${value}` })),
      ];
      for (const attempt of attempts) if (await attempt()) found.push(text);
    }
  };
  await Promise.all(Array.from({ length: parallel }, tryThem));
  return found;
}

test('nothing that stands in Postgres or in Redis lets anybody in', async () => {
  const credentials = await useEverything();
  for (const credential of credentials) expect(await isLetIn(credential)).toBe(true);
  const texts = await dump();
  const { sessions } = (await app.sql`select count(*)::integer as sessions from sessions`)[0] ?? {};
  expect(sessions).toBeGreaterThan(1);
  expect([...texts].some((text) => text.startsWith('nexus:session:'))).toBe(true);
  expect(await usable(texts)).toEqual([]);
});

test('a credential that did stand there would be found', async () => {
  const { secret } = await app.createKey({ scopes: ['tasks:read'] });
  await redis.set('planted', JSON.stringify({ note: `the key is ${secret}, really` }));
  await app.succeed('mutation { createTask(input: { name: "x", type: ANALYSIS }) { task { id } } }', {}, person);
  await app.sql`update tasks set description = ${`<b>${person.cookie.split('.').at(-1)}</b>`}`;
  expect(new Set(await usable(await dump()))).toEqual(new Set([secret, person.cookie.split('.').at(-1)]));
});

test('no hash of a password is a password', async () => {
  const [row] = await app.sql`select password_hash from users where id = ${person.id}`;
  const login =
    'mutation($email: EmailAddress!, $password: String!) { login(email: $email, password: $password) { accessToken } }';
  const { errors } = await app.request(login, { email: person.email, password: row?.password_hash });
  expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
});
