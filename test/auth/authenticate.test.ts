import { describe, expect, test } from 'vitest';
import { newApiKeySecret } from '../../src/apiKeys/secret.ts';
import { createAccessTokens } from '../../src/auth/accessToken.ts';
import { type Authentication, authenticate } from '../../src/auth/authenticate.ts';
import type { Basis } from '../../src/auth/credentialEpochs.ts';
import type { Credentials } from '../../src/auth/credentials.ts';
import { createKeySet } from '../../src/auth/keySet.ts';
import { type Role, type Scope, scopesOfRoles } from '../../src/auth/roles.ts';
import { AmbiguousCredentialsError } from '../../src/errors.ts';
import type { LiveSession } from '../../src/sessions/cache.ts';
import type { Db } from '../../src/storage/db.ts';
import { testKeys } from '../support/signingKeys.ts';

const accessTokens = createAccessTokens({
  keys: createKeySet(async () => testKeys()),
  issuer: 'nexus-api',
  audience: 'nexus-clients',
});

const origin = { ip: '192.0.2.1', userAgent: null, requestId: 'request-1' };

const basis: Basis = { subjects: ['global', 'user_1', 'sess_1'], epochs: [0, 0, 0] };

/** Stores that hold one session, or nothing, or fail with this error. */
function deps({ session, failure }: { session?: LiveSession; failure?: Error } = {}): Authentication {
  const answer = async <T>(value: T): Promise<T> => {
    if (failure) throw failure;
    return value;
  };
  return {
    db: {} as Db,
    apiKeyCache: { find: () => answer(null) },
    sessionCache: {
      find: (_db, id) => answer(session?.id === id ? session : null),
      touch: () => undefined,
    },
    accessTokens,
    announceRaises: () => undefined,
    revokeStolen: async () => undefined,
    foreignCallers: null,
    lastUsed: { note: () => undefined, flush: async () => undefined, close: async () => undefined },
  };
}

function liveSession(roles: Role[]): LiveSession {
  const now = Date.now();
  return {
    ...{ id: 'sess_1', secretHash: '', userId: 'user_1', roles, tier: 'PREMIUM', createdAt: now, lastSeenAt: now },
    ...{ epoch: 1, basis },
  };
}

async function tokenOf(roles: Role[], scopes: Iterable<Scope> = scopesOfRoles(roles)): Promise<Credentials> {
  const authenticatedAt = new Date();
  const { token } = await accessTokens.issue({ userId: 'user_1', sessionId: 'sess_1', roles, scopes, authenticatedAt });
  return { kind: 'ACCESS_TOKEN', secret: token };
}

const bad: Credentials[] = [
  { kind: 'API_KEY', secret: '' },
  { kind: 'API_KEY', secret: 'nxk_live_' },
  { kind: 'API_KEY', secret: newApiKeySecret('test') },
  { kind: 'ACCESS_TOKEN', secret: 'eyJ.eyJ.x' },
  { kind: 'SESSION', secret: '' },
  { kind: 'SESSION', secret: 'sess_1.guess' },
];

test('no credential is the anonymous caller', async () => {
  expect(await authenticate({ kind: 'NONE' }, origin, deps())).toEqual({ caller: null, refusal: null });
});

test('a refused credential stays refused', async () => {
  const refusal = new AmbiguousCredentialsError();
  expect(await authenticate({ kind: 'REFUSED', refusal }, origin, deps())).toEqual({ caller: null, refusal });
});

test.each(bad)('a bad one is UNAUTHENTICATED and never anonymous: %j', async (credentials) => {
  const { caller, refusal } = await authenticate(credentials, origin, deps());
  expect(caller).toBeNull();
  expect(refusal?.code).toBe('UNAUTHENTICATED');
});

test('a database that does not answer is DEPENDENCY_UNAVAILABLE, a bug is thrown', async () => {
  const credentials = { kind: 'API_KEY', secret: newApiKeySecret('live') } as const;
  const down = deps({ failure: Object.assign(new Error('down'), { code: 'ECONNREFUSED' }) });
  expect((await authenticate(credentials, origin, down)).refusal?.code).toBe('DEPENDENCY_UNAVAILABLE');
  const broken = deps({ failure: new TypeError('a bug') });
  await expect(authenticate(credentials, origin, broken)).rejects.toThrow('a bug');
});

describe('an access token', () => {
  const come = async (credentials: Credentials, session?: LiveSession) =>
    (await authenticate(credentials, origin, deps({ session }))).caller;

  test('is its user, of its session, with what it was given', async () => {
    const credentials = await tokenOf(['OPERATOR'], ['tasks:read']);
    expect(await come(credentials, liveSession(['OPERATOR']))).toEqual({
      ...{ kind: 'ACCESS_TOKEN', userId: 'user_1', roles: ['OPERATOR'], scopes: new Set(['tasks:read']) },
      ...{
        tier: 'PREMIUM',
        agentId: null,
        apiKeyId: null,
        keyHash: null,
        sessionId: 'sess_1',
        authenticatedAt: expect.any(Number),
        basis,
      },
    });
  });

  test.each<[Role[], Role[], Role[]]>([
    [['ADMIN'], ['OPERATOR'], ['OPERATOR']],
    [['ADMIN', 'VIEWER'], ['VIEWER'], ['VIEWER']],
    [['VIEWER'], ['ADMIN'], ['VIEWER']],
    [['ADMIN'], [], []],
  ])('given %j has no more than its user, who now is %j', async (given, now, roles) => {
    const caller = await come(await tokenOf(given), liveSession(now));
    expect(caller?.roles).toEqual(roles);
    const allowed = scopesOfRoles(now);
    expect([...(caller?.scopes ?? [])].filter((scope) => !allowed.has(scope))).toEqual([]);
  });

  test('is refused when its session is over, or is another user’s', async () => {
    const credentials = await tokenOf(['VIEWER']);
    expect(await come(credentials)).toBeNull();
    expect(await come(credentials, { ...liveSession(['VIEWER']), userId: 'user_2' })).toBeNull();
  });
});
