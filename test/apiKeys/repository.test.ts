import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLastUsed, type LastUsed } from '../../src/apiKeys/lastUsed.ts';
import * as apiKeys from '../../src/apiKeys/repository.ts';
import { hashApiKey, newApiKeySecret, startOf } from '../../src/apiKeys/secret.ts';
import { authenticateApiKey } from '../../src/apiKeys/strategy.ts';
import { apiKeys as table } from '../../src/apiKeys/table.ts';
import { createCredentialEpochs } from '../../src/auth/credentialEpochs.ts';
import type { Role } from '../../src/auth/roles.ts';
import { createVerdictCache } from '../../src/auth/verdictCache.ts';
import type { Database, Db } from '../../src/storage/db.ts';
import { newId } from '../../src/storage/id.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { users } from '../../src/users/table.ts';
import { createDatabase } from '../support/databases.ts';

describe.each(['postgres', 'embedded'] as const)('on %s', (kind) => {
  let directory: string;
  let server: Awaited<ReturnType<typeof createDatabase>> | undefined;
  let database: Database;
  let db: Db;
  let lastUsed: LastUsed;
  const errors: unknown[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'nexus-keys-'));
    server = kind === 'postgres' ? await createDatabase() : undefined;
    database = await openDatabase({ databaseUrl: server?.url, dataDirectory: directory });
    await migrate(database, { folder: 'drizzle' });
    db = database.db;
  });
  afterAll(async () => {
    await database.close();
    await server?.drop();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    errors.length = 0;
    lastUsed = createLastUsed(db, (error) => errors.push(error));
  });
  afterEach(() => lastUsed.close());

  async function newUser(roles: Role[] = ['OPERATOR']): Promise<string> {
    const id = newId('user');
    await db.insert(users).values({ id, email: `${id}@nexus.example`, passwordHash: '', roles, tier: 'STANDARD' });
    return id;
  }

  async function newKey(changes: Partial<apiKeys.NewApiKey> = {}) {
    const secret = newApiKeySecret('test');
    const apiKey = await apiKeys.create(db, {
      ...{ name: 'a key', role: 'OPERATOR', scopes: ['tasks:read', 'tasks:write'], tier: 'FREE', agentId: null },
      ...{ allowedIps: [], documents: null, expiresAt: null, secretHash: hashApiKey(secret), start: startOf(secret) },
      ownerId: changes.ownerId ?? (await newUser()),
      ...changes,
    });
    return { secret, apiKey };
  }

  const createCache = () => createVerdictCache<apiKeys.ApiKeyRecord>(createCredentialEpochs(() => true));

  /** As the first request of a process would find it. */
  const authenticate = (secret: string, ip = '192.0.2.1') =>
    authenticateApiKey({ db, cache: createCache(), lastUsed }, secret, ip);

  const rotate = (id: string, present: string, next: string, overlapSeconds: number) =>
    apiKeys.rotate(db, id, hashApiKey(present), {
      secretHash: hashApiKey(next),
      start: startOf(next),
      overlapSeconds,
      askedAt: performance.now(),
    });

  test('a key comes in with what it was given', async () => {
    const { secret, apiKey } = await newKey({
      role: 'AGENT',
      scopes: ['tasks:work'],
      agentId: 'agent-7',
      tier: 'PREMIUM',
    });
    expect(await authenticate(secret)).toEqual({
      ...{ kind: 'API_KEY', userId: apiKey.owner.id, roles: ['AGENT'], scopes: new Set(['tasks:work']) },
      ...{ tier: 'PREMIUM', agentId: 'agent-7', apiKeyId: apiKey.id, sessionId: null },
      keyHash: hashApiKey(secret),
      authenticatedAt: null,
      basis: { subjects: ['global', apiKey.owner.id, apiKey.id], epochs: [0, 0, 0] },
    });
    await newKey({ role: 'AGENT', agentId: 'agent-7' });
  });

  test('what the API shows holds no hash', async () => {
    const { secret, apiKey } = await newKey();
    expect(JSON.stringify(await apiKeys.findById(db, apiKey.id, null))).not.toContain(hashApiKey(secret));
    expect(Object.keys(apiKey).filter((name) => /hash/i.test(name))).toEqual([]);
  });

  test('a malformed key asks no store', async () => {
    const cache = { find: () => Promise.reject(new Error('asked')) };
    expect(await authenticateApiKey({ db, cache, lastUsed }, 'nxk_test_guess', '192.0.2.1')).toBeNull();
  });

  test('an unknown key is refused', async () => {
    expect(await authenticate(newApiKeySecret('test'))).toBeNull();
  });

  test('a revoked key is refused, its old secret too, and stays revoked since the first time', async () => {
    const { secret, apiKey } = await newKey();
    const next = newApiKeySecret('test');
    await rotate(apiKey.id, secret, next, 60);
    const revoked = await apiKeys.revoke(db, apiKey.id, apiKey.owner.id);
    expect(revoked?.revokedAt).toBeInstanceOf(Date);
    expect(await apiKeys.revoke(db, apiKey.id, null)).toEqual(revoked);
    expect(await authenticate(secret)).toBeNull();
    expect(await authenticate(next)).toBeNull();
    expect(await rotate(apiKey.id, next, newApiKeySecret('test'), 0)).toBeNull();
  });

  test('a key ends at its instant, from the cache too', async () => {
    const { secret } = await newKey({ expiresAt: new Date(Date.now() + 60_000) });
    const cache = createCache();
    const again = () => authenticateApiKey({ db, cache, lastUsed }, secret, '192.0.2.1');
    expect(await again()).not.toBeNull();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_001 });
    try {
      expect(await again()).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  test('a key is refused from an address that it does not allow', async () => {
    const { secret } = await newKey({ allowedIps: ['192.0.2.0/24'] });
    expect(await authenticate(secret, '::ffff:192.0.2.9')).not.toBeNull();
    expect(await authenticate(secret, '198.51.100.1')).toBeNull();
  });

  test('a key of a disabled owner is refused', async () => {
    const { secret, apiKey } = await newKey();
    await db.update(users).set({ disabledAt: new Date() }).where(eq(users.id, apiKey.owner.id));
    expect(await authenticate(secret)).toBeNull();
    expect(await apiKeys.findOwner(db, apiKey.owner.id)).toBeNull();
  });

  test.each<[Role, Role[], object | null]>([
    ['OPERATOR', ['VIEWER'], { roles: ['VIEWER'], scopes: new Set(['tasks:read']) }],
    ['OPERATOR', ['ADMIN'], { roles: ['OPERATOR'], scopes: new Set(['tasks:read', 'tasks:write']) }],
    ['AGENT', ['VIEWER'], null],
  ])('a key of %s whose owner is now %j has no more than both', async (role, roles, expected) => {
    const ownerId = await newUser(['ADMIN']);
    const { secret } = await newKey({ role, ownerId, agentId: role === 'AGENT' ? 'agent-1' : null });
    await db.update(users).set({ roles }).where(eq(users.id, ownerId));
    const principal = await authenticate(secret);
    if (expected) expect(principal).toMatchObject(expected);
    else expect(principal).toBeNull();
  });

  test('the old secret works during the overlap, the one before it never', async () => {
    const { secret, apiKey } = await newKey();
    const [second, third] = [newApiKeySecret('test'), newApiKeySecret('test')];
    const rotated = await rotate(apiKey.id, secret, second, 60);
    expect(rotated).toMatchObject({ id: apiKey.id, start: startOf(second), rotatedAt: expect.any(Date) });
    const overlapMs = (rotated?.previousExpiresAt?.getTime() ?? 0) - (rotated?.rotatedAt?.getTime() ?? 0);
    expect(Math.abs(overlapMs - 60_000)).toBeLessThan(1_000);
    expect(await authenticate(secret)).not.toBeNull();
    expect(await authenticate(second)).not.toBeNull();
    await rotate(apiKey.id, second, third, 60);
    expect(await authenticate(secret)).toBeNull();
    expect(await authenticate(second)).not.toBeNull();
    await db.update(table).set({ previousExpiresAt: sql`now() - interval '1 second'` }).where(eq(table.id, apiKey.id));
    expect(await authenticate(second)).toBeNull();
    expect(await authenticate(third)).not.toBeNull();
  });

  test('without an overlap the old secret ends at once', async () => {
    const { secret, apiKey } = await newKey();
    const next = newApiKeySecret('test');
    expect(await rotate(apiKey.id, secret, next, 0)).toMatchObject({ previousExpiresAt: null });
    expect(await authenticate(secret)).toBeNull();
    expect(await authenticate(next)).not.toBeNull();
  });

  test('of twenty rotations of one secret one succeeds', async () => {
    const { secret, apiKey } = await newKey();
    const attempts = Array.from({ length: 20 }, () => rotate(apiKey.id, secret, newApiKeySecret('test'), 0));
    expect((await Promise.all(attempts)).filter((rotated) => rotated !== null)).toHaveLength(1);
  });

  test('another owner finds, lists and revokes nothing', async () => {
    const { secret, apiKey } = await newKey();
    const neighbour = await newUser();
    expect(await apiKeys.findById(db, apiKey.id, neighbour)).toBeNull();
    expect(await apiKeys.findWithHash(db, apiKey.id, neighbour)).toBeNull();
    expect(await apiKeys.revoke(db, apiKey.id, neighbour)).toBeNull();
    expect(await apiKeys.list(db, neighbour, { size: 10, after: null })).toEqual([]);
    expect(await authenticate(secret)).not.toBeNull();
  });

  test('pages hold every key once, the newest first, where many were made at one instant too', async () => {
    const ownerId = await newUser();
    const made = [];
    for (let count = 0; count < 7; count++) made.push((await newKey({ ownerId })).apiKey.id);
    await db
      .update(table)
      .set({ createdAt: new Date(1e12) })
      .where(eq(table.ownerId, ownerId));
    const seen: string[] = [];
    for (let after: [string, string] | null = null; ; ) {
      const page = (await apiKeys.list(db, ownerId, { size: 3, after })).slice(0, 3);
      const last = page.at(-1);
      if (!last) break;
      seen.push(...page.map(({ id }) => id));
      after = [last.createdAt.toISOString(), last.id];
    }
    expect(seen).toEqual(made.toReversed());
  });

  describe('the last use of a key', () => {
    const lastUseOf = async (id: string) => (await apiKeys.findById(db, id, null))?.lastUsedAt ?? null;

    test('is written in one statement for many, and never goes back', async () => {
      const [first, second] = [await newKey(), await newKey()];
      const later = new Date(Date.now() + 3_600_000);
      await db.update(table).set({ lastUsedAt: later }).where(eq(table.id, second.apiKey.id));
      await authenticate(first.secret);
      await authenticate(second.secret);
      await lastUsed.flush();
      expect(errors).toEqual([]);
      expect(Math.abs(Date.now() - ((await lastUseOf(first.apiKey.id))?.getTime() ?? 0))).toBeLessThan(10_000);
      expect(await lastUseOf(second.apiKey.id)).toEqual(later);
    });

    test('is noted once a minute', async () => {
      const { apiKey, secret } = await newKey();
      await authenticate(secret);
      await lastUsed.flush();
      const written = await lastUseOf(apiKey.id);
      await authenticate(secret);
      await lastUsed.flush();
      expect(written).not.toBeNull();
      expect(await lastUseOf(apiKey.id)).toEqual(written);
    });

    test('is not noted where the key is refused', async () => {
      const { apiKey, secret } = await newKey({ allowedIps: ['10.0.0.0/8'] });
      await authenticate(secret);
      await lastUsed.flush();
      expect(await lastUseOf(apiKey.id)).toBeNull();
    });

    test('waits for the next flush where one fails, and close writes it', async () => {
      const { apiKey } = await newKey();
      const execute = vi.spyOn(db, 'execute').mockRejectedValueOnce(new Error('down'));
      lastUsed.note(apiKey.id);
      await lastUsed.flush();
      expect(errors).toEqual([new Error('down')]);
      expect(await lastUseOf(apiKey.id)).toBeNull();
      execute.mockRestore();
      await lastUsed.close();
      expect(await lastUseOf(apiKey.id)).not.toBeNull();
    });
  });
});
