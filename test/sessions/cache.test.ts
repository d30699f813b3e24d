import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CredentialEpochs, createCredentialEpochs, raiseEpochs } from '../../src/auth/credentialEpochs.ts';
import { createSessionCache, type SessionCache } from '../../src/sessions/cache.ts';
import * as sessions from '../../src/sessions/repository.ts';
import { formatSessionCookie, hashSecret, newSessionSecret } from '../../src/sessions/secret.ts';
import { authenticateSession, findSessionPrincipal } from '../../src/sessions/strategy.ts';
import { sessions as sessionTable } from '../../src/sessions/table.ts';
import type { Database, Db } from '../../src/storage/db.ts';
import { createMemoryKeyValue, type KeyValue } from '../../src/storage/keyValue.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import * as users from '../../src/users/repository.ts';
import { createDatabase } from '../support/databases.ts';

const hourMs = 3_600_000;
let database: Database;
let drop: () => Promise<void>;
let db: Db;
let statements: string[] = [];

beforeAll(async () => {
  const created = await createDatabase();
  drop = created.drop;
  database = await openDatabase({
    databaseUrl: created.url,
    dataDirectory: '',
    onStatement: (statement) => void statements.push(statement),
  });
  await migrate(database, { folder: 'drizzle' });
  db = database.db;
});

afterAll(async () => {
  await database.close();
  await drop();
});

let store: KeyValue;
let errors: unknown[];
let epochs: CredentialEpochs;
let isTrusted = true;
const report = (error: unknown) => void errors.push(error);
/** What a change of the subject does. */
const raise = async (subject: string) => epochs.note(await raiseEpochs(db, [subject]));
let cache: SessionCache;

beforeEach(() => {
  statements = [];
  errors = [];
  store = createMemoryKeyValue();
  isTrusted = true;
  epochs = createCredentialEpochs(() => isTrusted);
  cache = createSessionCache(store, epochs, report);
});

async function logIn() {
  const email = `${crypto.randomUUID()}@example.com`;
  const user = await users.create(db, { email, passwordHash: 'x', roles: ['OPERATOR'], tier: 'STANDARD' });
  if (!user) throw new Error('The address is taken.');
  const secret = newSessionSecret();
  const session = await sessions.create(db, {
    userId: user.id,
    secretHash: hashSecret(secret),
    ip: '::1',
    userAgent: null,
  });
  statements = [];
  return { user, session, cookie: formatSessionCookie(session.id, secret) };
}

/** Who the cookie stands for; none of these sessions has another secret than its first. */
async function authenticate(cookie: string, now: number) {
  const revokeStolen = () => Promise.reject(new Error('Nothing was stolen.'));
  const strategy = { db, sessionCache: cache, announceRaises: () => undefined, revokeStolen };
  const verdict = await authenticateSession(strategy, cookie, now);
  return verdict?.principal ?? null;
}

async function age(id: string, columns: { createdAt?: string; lastSeenAt?: string }): Promise<void> {
  const { createdAt = '0', lastSeenAt = '0' } = columns;
  await db
    .update(sessionTable)
    .set({
      createdAt: sql`created_at - ${createdAt}::interval`,
      lastSeenAt: sql`last_seen_at - ${lastSeenAt}::interval`,
    })
    .where(eq(sessionTable.id, id));
}

describe('a session cookie', () => {
  test('stands for its user with every scope of the roles', async () => {
    const { user, session, cookie } = await logIn();
    const principal = await authenticate(cookie, Date.now());
    expect(principal).toMatchObject({ kind: 'SESSION', userId: user.id, sessionId: session.id, roles: ['OPERATOR'] });
    expect(principal?.scopes.has('tasks:write')).toBe(true);
    expect(principal?.scopes.has('users:write')).toBe(false);
  });

  test('with another secret is refused, from a copy too', async () => {
    const { session, cookie } = await logIn();
    const other = formatSessionCookie(session.id, newSessionSecret());
    expect(await authenticate(other, Date.now())).toBeNull();
    expect(await authenticate(cookie, Date.now())).not.toBeNull();
    expect(await authenticate(other, Date.now())).toBeNull();
  });

  test.each([
    ['24 hours after the log-in', { createdAt: '24 hours' }],
    ['after 2 hours without use', { lastSeenAt: '2 hours' }],
  ])('is refused %s', async (_name, columns) => {
    const { session, cookie } = await logIn();
    await age(session.id, columns);
    expect(await authenticate(cookie, Date.now())).toBeNull();
  });

  test('ends by the clock of the process as well, though a copy is there', async () => {
    const { cookie } = await logIn();
    expect(await authenticate(cookie, Date.now())).not.toBeNull();
    expect(await authenticate(cookie, Date.now() + 2 * hourMs)).toBeNull();
  });

  test('goes on where it was used after its copy was made', async () => {
    const { session, cookie } = await logIn();
    await age(session.id, { lastSeenAt: '1 hour 59 minutes' });
    expect(await authenticate(cookie, Date.now())).not.toBeNull();
    await vi.waitFor(async () => expect(Date.now() - (await lastSeen(session.id))).toBeLessThan(hourMs));
    expect(await authenticate(cookie, Date.now() + 90_000)).not.toBeNull();
  });

  test('of a disabled user is refused', async () => {
    const { user, cookie } = await logIn();
    await users.disable(db, user.id);
    expect(await authenticate(cookie, Date.now())).toBeNull();
  });

  test('notes its use once a minute, and never backwards', async () => {
    const { session, cookie } = await logIn();
    await authenticate(cookie, Date.now());
    await age(session.id, { lastSeenAt: '5 minutes' });
    await raise(session.id);
    statements = [];
    for (let use = 0; use < 5; use++) await authenticate(cookie, Date.now());
    await vi.waitFor(async () => expect(Date.now() - (await lastSeen(session.id))).toBeLessThan(60_000));
    expect(statements.filter((statement) => statement.startsWith('update'))).toHaveLength(1);
    const before = await lastSeen(session.id);
    await sessions.touch(db, session.id);
    expect(await lastSeen(session.id)).toBe(before);
  });
});

describe('the session behind a token', () => {
  test('counts only while it lives', async () => {
    const { user, session } = await logIn();
    expect(await findSessionPrincipal(db, cache, session.id)).toMatchObject({ userId: user.id });
    await sessions.revoke(db, session.id, null);
    await raise(session.id);
    expect(await findSessionPrincipal(db, cache, session.id)).toBeNull();
  });
});

describe('the cache', () => {
  test('answers the second time without Postgres', async () => {
    const { session } = await logIn();
    const first = await cache.find(db, session.id);
    statements = [];
    expect(await cache.find(db, session.id)).toEqual(first);
    expect(statements).toEqual([]);
  });

  test('does not keep what is not alive', async () => {
    const { session } = await logIn();
    await sessions.revoke(db, session.id, null);
    expect(await cache.find(db, session.id)).toBeNull();
    expect(await store.get(`nexus:session:${session.id}`)).toBeNull();
  });

  test('does not believe what was read before a session was revoked, wherever it comes from', async () => {
    const { session } = await logIn();
    const { promise: revoked, resolve: revoke } = Promise.withResolvers<void>();
    const slow = { ...store, set: (...entry: Parameters<KeyValue['set']>) => revoked.then(() => store.set(...entry)) };
    expect(await createSessionCache(slow, epochs, report).find(db, session.id)).not.toBeNull();
    await sessions.revoke(db, session.id, null);
    await raise(session.id);
    revoke();
    await vi.waitFor(async () => expect(await store.get(`nexus:session:${session.id}`)).not.toBeNull());
    expect(await cache.find(db, session.id)).toBeNull();
    expect(errors).toEqual([]);
  });

  test('of another process is of use to this one', async () => {
    const { session } = await logIn();
    await createSessionCache(store, epochs, report).find(db, session.id);
    statements = [];
    expect(await cache.find(db, session.id)).toMatchObject({ id: session.id });
    expect(statements).toEqual([]);
  });

  test('asks Postgres each time while the epochs are not to be trusted', async () => {
    const { session } = await logIn();
    await cache.find(db, session.id);
    isTrusted = false;
    await sessions.revoke(db, session.id, null);
    expect(await cache.find(db, session.id)).toBeNull();
  });

  test.each(['not JSON', '{}', '[]', 'null', '{"id":1}'])('takes %s for nothing', async (garbage) => {
    const { session } = await logIn();
    await store.set(`nexus:session:${session.id}`, garbage, 60_000);
    expect(await cache.find(db, session.id)).toMatchObject({ id: session.id });
  });

  test('reads Postgres where the store fails, and reports it', async () => {
    const { session } = await logIn();
    const down = { ...store, get: async () => Promise.reject(new Error('down')) };
    expect(await createSessionCache(down, epochs, report).find(db, session.id)).toMatchObject({ id: session.id });
    expect(errors).toEqual([new Error('down')]);
  });

  test('answers where a copy cannot be kept, and reports it', async () => {
    const { session } = await logIn();
    const full = { ...store, set: async () => Promise.reject(new Error('full')) };
    expect(await createSessionCache(full, epochs, report).find(db, session.id)).toMatchObject({ id: session.id });
    await vi.waitFor(() => expect(errors).toEqual([new Error('full')]));
  });
});

async function lastSeen(id: string): Promise<number> {
  const session = await sessions.findById(db, id, null, null);
  return session?.lastSeenAt.getTime() ?? Number.NaN;
}
