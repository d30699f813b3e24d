import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createForeignTokens, type ForeignTokens } from '../../src/auth/oidc.ts';
import { scopesOfRoles } from '../../src/auth/roles.ts';
import { type Credential, send, startApp, type TestApp } from '../support/app.ts';
import { audience, startIssuer, type TestIssuer } from '../support/issuer.ts';
import { encodePart } from '../support/signingKeys.ts';

const jwksPath = '/jwks';
const discoveryPath = '/.well-known/openid-configuration';
const createTask = 'mutation { createTask(input: { name: "x", type: ANALYSIS }) { task { id } } }';
const whoAmI = '{ me { kind roles scopes tier user { id email } session { id } } }';

let issuer: TestIssuer & { stop(): Promise<void> };
let app: TestApp;
let other: Awaited<ReturnType<TestApp['startAnother']>>;
beforeAll(async () => {
  issuer = await startIssuer();
  app = await startApp({ env: { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: audience } });
  other = await app.startAnother();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(async () => {
  await other?.stop();
  await app?.stop();
  await issuer?.stop();
});

let subjects = 0;
const newSubject = () => `subject-${++subjects}`;
const bearer = (secret: string): Credential => ({ bearer: secret });
const me = async (token: string, url = app.url) => (await send(url, whoAmI, {}, bearer(token))).data?.me;
const status = async (token: string, url = app.url) => (await send(url, whoAmI, {}, bearer(token))).status;
const act = (query: string, variables: object) => app.succeed(query, variables, bearer(app.admin.accessToken));
const advanceClock = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });

/** A token whose `iat` is later than that of every token before. */
async function issueLater(claims: object): Promise<string> {
  advanceClock(1_000);
  return issuer.issue(claims);
}

describe('whom a token stands for', () => {
  test.each(['ADMIN', 'OPERATOR', 'VIEWER'] as const)('%s in the claim is the role', async (role) => {
    const found = await me(await issuer.issue({ sub: newSubject(), roles: [role] }));
    expect(found).toMatchObject({ kind: 'ACCESS_TOKEN', roles: [role], tier: 'STANDARD', session: null });
    expect(new Set(found.scopes)).toEqual(scopesOfRoles([role]));
  });

  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('%s is a signature', async (alg) => {
    expect(await status(await issuer.issue({ sub: newSubject(), roles: 'VIEWER' }, { alg }))).toBe(200);
  });

  test('what it makes belongs to its user, who is the same with the next token', async () => {
    const sub = newSubject();
    const first = await issuer.issue({ sub, roles: ['OPERATOR'] });
    const { createTask: created } = await app.succeed(createTask, {}, bearer(first));
    const [row] = await app.sql`select created_by from tasks where id = ${created.task.id}`;
    const second = await issuer.issue({ sub, roles: ['OPERATOR'] });
    expect(second).not.toBe(first);
    expect((await me(second)).user.id).toBe(row?.created_by);
    expect((await me(second, other.url)).user.id).toBe(row?.created_by);
    const identities = await app.sql`select issuer, subject from foreign_identities where user_id = ${row?.created_by}`;
    expect([...identities]).toEqual([{ issuer: issuer.issuer, subject: sub }]);
  });

  test('parallel first requests at two processes make one user, and one audit row', async () => {
    const sub = newSubject();
    const tokens = await Promise.all([1, 2, 3].map(() => issuer.issue({ sub, roles: ['VIEWER'] })));
    const found = await Promise.all(
      Array.from({ length: 24 }, (_, at) => me(tokens[at % 3] ?? '', at % 2 ? app.url : other.url)),
    );
    const ids = new Set(found.map(({ user }) => user.id));
    expect(ids.size).toBe(1);
    const [id] = ids;
    const rows = await app.sql`
      select action, outcome, actor_kind, actor_id, severity, detail, ip from audit_events
      where targets @> ${app.sql.json([{ type: 'user', id }])}`;
    expect([...rows]).toEqual([
      {
        ...{ action: 'user.provision', outcome: 'SUCCEEDED', actor_kind: 'SYSTEM', actor_id: null, ip: '127.0.0.1' },
        ...{ severity: 'WARNING', detail: { issuer: issuer.issuer, subject: sub, roles: ['VIEWER'] } },
      },
    ]);
    const [{ count } = { count: -1 }] = await app.sql`
      select count(*)::int from users where id not in (select user_id from foreign_identities) and email like '%oidc.invalid'`;
    expect(count).toBe(0);
  });

  test('a verified address that nobody has is the user’s, in its canonical form', async () => {
    const claims = { sub: newSubject(), roles: ['VIEWER'], email: 'New.Person@Example.COM.', email_verified: true };
    expect((await me(await issuer.issue(claims))).user.email).toBe('new.person@example.com');
  });

  test.each([
    ['of an existing user', { email: 'admin@example.com', email_verified: true }],
    ['of an existing user in another spelling', { email: ' ADMIN@Example.com', email_verified: true }],
    ['that is not verified', { email: 'unverified@example.com', email_verified: false }],
    ['that is verified in text', { email: 'unverified@example.com', email_verified: 'true' }],
    ['without a word of that', { email: 'unverified@example.com' }],
    ['that is none', { email: 'nobody', email_verified: true }],
    ['that is no text', { email: { admin: true }, email_verified: true }],
  ])('an address %s makes a user with a made-up one', async (_name, claims) => {
    const { user } = await me(await issuer.issue({ sub: newSubject(), roles: ['ADMIN'], ...claims }));
    expect(user.email).toMatch(/^[0-9a-f]{32}@oidc\.invalid$/);
    expect(user.id).not.toBe(app.admin.id);
    expect((await app.sql`select roles from users where id = ${app.admin.id}`)[0]?.roles).toEqual(['ADMIN']);
  });

  test('nobody can log in as such a user with a password', async () => {
    const { user } = await me(await issuer.issue({ sub: newSubject(), roles: ['VIEWER'] }));
    const login = 'mutation($email: EmailAddress!) { login(email: $email, password: "") { accessToken } }';
    expect((await app.request(login, { email: user.email })).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
  });

  test('names that are no role of ours, AGENT among them, are not read', async () => {
    const roles = ['AGENT', 'admin', 'VIEWER', 7, null, 'offline_access', 'VIEWER'];
    expect((await me(await issuer.issue({ sub: newSubject(), roles }))).roles).toEqual(['VIEWER']);
  });

  test('scopes of ours in the token restrict it, others do not', async () => {
    const scopesFor = async (scope: unknown) =>
      (await me(await issuer.issue({ sub: newSubject(), roles: ['OPERATOR'], scope })))?.scopes;
    expect(await scopesFor('openid tasks:read users:write')).toEqual(['tasks:read']);
    expect(new Set(await scopesFor('openid profile'))).toEqual(scopesOfRoles(['OPERATOR']));
  });

  test('our own tokens, keys and sessions work beside it', async () => {
    const key = await app.createKey({ role: 'VIEWER', scopes: ['tasks:read'] });
    for (const credential of [bearer(app.admin.accessToken), { cookie: app.admin.cookie }, bearer(key.secret)])
      expect((await app.request(whoAmI, {}, credential)).data.me.user.id).toBe(app.admin.id);
  });
});

describe('fields that need more than the token', () => {
  const code = async (query: string, claims: object = {}) => {
    const token = await issuer.issue({ sub: newSubject(), roles: ['VIEWER'], ...claims });
    const { status, errors } = await send(app.url, query, {}, bearer(token));
    return [status, errors?.[0]?.extensions.code, errors?.[0]?.message];
  };
  const wrongPassword = [401, 'UNAUTHENTICATED', 'The current password is wrong.'];
  const oldLogin = [401, 'REAUTHENTICATION_REQUIRED', 'This needs a recent login. Log in again.'];
  const change = 'mutation { changePassword(currentPassword: "a", newPassword: "a new and long one") { user { id } } }';

  test('a session', async () => {
    expect(await code('mutation { logout { session { id } } }')).toEqual([
      403,
      'FORBIDDEN',
      'This needs a session of Nexus.',
    ]);
    expect(await code('mutation { refreshAccessToken { accessToken } }')).toEqual([
      403,
      'FORBIDDEN',
      'The credential does not allow this.',
    ]);
    expect(await code('{ sessions(first: 5) { edges { node { id } } } }')).toEqual([200, undefined, undefined]);
  });

  test('a recent log-in: auth_time says when it was, and without it there was none', async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(await code(change)).toEqual(oldLogin);
    expect(await code(change, { auth_time: now - 700 })).toEqual(oldLogin);
    expect(await code(change, { auth_time: now })).toEqual(wrongPassword);
  });

  test('a log-in is no later than its token', async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = await issuer.sign({ sub: newSubject(), iat: now - 3_000, auth_time: now + 90_000 });
    expect((await send(app.url, change, {}, bearer(token))).errors?.[0]?.extensions.code).toBe(
      'REAUTHENTICATION_REQUIRED',
    );
  });
});

const seconds = () => Math.floor(Date.now() / 1000);
const foreign = generateKeyPairSync('rsa', { modulusLength: 2_048 });

const refused: [name: string, token: () => string | Promise<string>][] = [
  ['another audience', () => issuer.issue({ roles: ['ADMIN'] }, { audience: 'https://other.example' })],
  ['no audience of ours in a list', () => issuer.sign({ aud: ['https://other.example', 'nexus-clients'] })],
  ['another issuer', () => issuer.sign({ iss: 'https://other.example' })],
  ['our issuer', () => issuer.sign({ iss: 'nexus-api' })],
  ['our issuer and audience', () => issuer.sign({ iss: 'nexus-api', aud: 'nexus-clients' })],
  ['the issuer with a slash', () => issuer.sign({ iss: `${issuer.issuer}/` })],
  ['the issuer in a list', () => issuer.sign({ iss: [issuer.issuer] })],
  ['no issuer', () => issuer.sign({ iss: undefined })],
  ['an end in the past', () => issuer.sign({ iat: seconds() - 100, exp: seconds() - 1 })],
  ['no end', () => issuer.sign({ exp: undefined })],
  ['an end in text', () => issuer.sign({ exp: '9999999999' })],
  ['no beginning', () => issuer.sign({ iat: undefined })],
  ['a beginning in the future', () => issuer.sign({ iat: seconds() + 600 })],
  ['a beginning two days ago', () => issuer.sign({ iat: seconds() - 172_800, exp: seconds() + 600 })],
  ['not before the future', () => issuer.sign({ nbf: seconds() + 600 })],
  ['no roles', () => issuer.issue()],
  ['roles of nobody', () => issuer.issue({ roles: ['AGENT', 'root', 'admin'] })],
  ['roles in an object', () => issuer.issue({ roles: { ADMIN: true } })],
  ['an empty subject', () => issuer.sign({ sub: '' })],
  ['a subject of 256 characters', () => issuer.sign({ sub: 's'.repeat(256) })],
  ['a subject that is an object', () => issuer.sign({ sub: { id: 'x' } })],
  ['a subject with a NUL', () => issuer.sign({ sub: 'a\0b' })],
  ['a subject with a lone surrogate', () => issuer.sign({ sub: 'a\uD800' })],
  ['no subject', () => issuer.sign({ sub: undefined })],
  ['scopes in a list', () => issuer.sign({ scope: ['tasks:read'] })],
  ['a time of the log-in in text', () => issuer.sign({ auth_time: 'now' })],
  ['an ID token', () => issuer.sign({ at_hash: 'x' }, { typ: 'JWT' })],
  ['a log-out token', () => issuer.sign({ events: {} }, { typ: 'JWT' })],
  ['the type of a log-out token', () => issuer.sign({}, { typ: 'logout+jwt' })],
  ['a token that is bound to a key', () => issuer.sign({ cnf: { jkt: 'x' } })],
  ['more than 8,192 characters', () => issuer.sign({ padding: 'x'.repeat(6_500) })],
  ['HS256', () => new SignJWT(rights()).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(Buffer.alloc(32, 1))],
  ['HS256 with the public key', withPublicKeyAsSecret],
  ['RS512', () => new SignJWT(rights()).setProtectedHeader({ alg: 'RS512', kid: 'key-1' }).sign(foreign.privateKey)],
  ['alg none', () => `${encodePart({ alg: 'none' })}.${encodePart(rights())}.`],
  ['alg none with something behind', () => `${encodePart({ alg: 'none' })}.${encodePart(rights())}.AAAA`],
  ['another key under a kid of the issuer', () => signAs({})],
  ['another key in the header', () => signAs({ jwk: foreign.publicKey.export({ format: 'jwk' }) })],
  ['another key at a URL', () => signAs({ jku: `${issuer.issuer}/elsewhere`, x5u: `${issuer.issuer}/elsewhere` })],
  ['crit with a name that nobody knows', () => issuer.sign({}, { crit: ['exp2'], exp2: 1 }).catch(() => withCrit())],
  ['claims that are no JSON', () => `${encodePart({ alg: 'RS256' })}.${encodePart('{')}.AAAA`],
  ['claims that are null', () => `${encodePart({ alg: 'RS256' })}.${encodePart('null')}.AAAA`],
  ['a changed role', async () => withChange(await issuer.issue({ roles: ['VIEWER'] }), { roles: ['ADMIN'] })],
];

function rights() {
  const times = { iat: seconds(), exp: seconds() + 600 };
  return { iss: issuer.issuer, aud: audience, sub: 'anybody', roles: ['ADMIN'], ...times };
}

function signAs(header: object): Promise<string> {
  return new SignJWT(rights()).setProtectedHeader({ alg: 'RS256', kid: 'key-1', ...header }).sign(foreign.privateKey);
}

/** With a critical extension, which jose does not write either. */
function withCrit(): string {
  return `${encodePart({ alg: 'RS256', kid: 'key-1', crit: ['exp2'], exp2: 1 })}.${encodePart(rights())}.AAAA`;
}

async function withPublicKeyAsSecret(): Promise<string> {
  const { keys } = (await (await fetch(`${issuer.issuer}${jwksPath}`)).json()) as { keys: { kid: string }[] };
  const [key] = keys;
  const signed = `${encodePart({ alg: 'HS256', kid: key?.kid })}.${encodePart(rights())}`;
  return `${signed}.${createHmac('sha256', JSON.stringify(key)).update(signed).digest('base64url')}`;
}

function withChange(token: string, changes: object): string {
  const [header, claims = '', signature] = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), ...changes };
  return `${header}.${encodePart(changed)}.${signature}`;
}

describe('refused with 401', () => {
  test.each(refused)('%s', async (_name, token) => {
    const before = await app.sql`select count(*)::int from users`;
    const { status, errors } = await send(app.url, whoAmI, {}, bearer(await token()));
    expect([status, errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(await app.sql`select count(*)::int from users`).toEqual(before);
    expect(issuer.asked('/elsewhere')).toBe(0);
  });

  test('the same token without the fault works', async () => {
    expect(await status(await issuer.sign({ sub: newSubject() }))).toBe(200);
    expect(await status(await issuer.sign({ sub: newSubject() }, { typ: undefined }))).toBe(200);
    expect(await status(await issuer.sign({ sub: newSubject() }, { typ: 'JWT' }))).toBe(200);
    expect(await status(await issuer.sign({ sub: 's'.repeat(255) }, { typ: 'application/at+jwt' }))).toBe(200);
    expect(await status(await issuer.sign({ sub: newSubject(), aud: ['https://other.example', audience] }))).toBe(200);
    expect(await status(await issuer.sign({ sub: newSubject(), padding: 'x'.repeat(5_000) }))).toBe(200);
  });

  test('a token that ends, from that second on', async () => {
    const token = await issuer.issue({ sub: newSubject(), roles: ['VIEWER'] }, { ttlSeconds: 60 });
    expect(await status(token)).toBe(200);
    advanceClock(61_000);
    expect(await status(token)).toBe(401);
  });
});

/** Until a statement of the app waits for a lock. */
async function waitForLock({ sql }: TestApp): Promise<void> {
  await vi.waitUntil(async () => {
    const waiting = await sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return waiting.length > 0;
  });
}

describe('the rights of its user', () => {
  test('disableUser takes them at once, and within a second at another process', async () => {
    const token = await issuer.issue({ sub: newSubject(), roles: ['OPERATOR'] });
    const { user } = await me(token);
    expect(await status(token, other.url)).toBe(200);
    await act('mutation($id: ID!) { disableUser(userId: $id) { user { id } } }', { id: user.id });
    const acknowledgedAt = performance.now();
    expect(await status(token)).toBe(401);
    while ((await status(token, other.url)) !== 401) expect(performance.now() - acknowledgedAt).toBeLessThan(1_000);
  });

  test('a disabled user stays so, whatever newer tokens say', async () => {
    const sub = newSubject();
    const { user } = await me(await issuer.issue({ sub, roles: ['VIEWER'] }));
    await act('mutation($id: ID!) { disableUser(userId: $id) { user { id } } }', { id: user.id });
    expect(await status(await issueLater({ sub, roles: ['ADMIN'] }))).toBe(401);
    const [row] = await app.sql`select roles, disabled_at from users where id = ${user.id}`;
    expect(row).toEqual({ roles: ['VIEWER'], disabled_at: expect.any(Date) });
  });

  test('setUserRoles takes them from a token that was issued before, within a second everywhere', async () => {
    const token = await issuer.issue({ sub: newSubject(), roles: ['OPERATOR'] });
    const { user } = await me(token);
    expect((await me(token, other.url)).roles).toEqual(['OPERATOR']);
    await act('mutation($id: ID!) { setUserRoles(userId: $id, roles: [VIEWER]) { user { id } } }', { id: user.id });
    const acknowledgedAt = performance.now();
    expect((await me(token)).roles).toEqual(['VIEWER']);
    while ((await me(token, other.url)).roles[0] !== 'VIEWER')
      expect(performance.now() - acknowledgedAt).toBeLessThan(1_000);
  });

  test('setUserTier holds for a token that was issued before, within a second everywhere', async () => {
    const token = await issuer.issue({ sub: newSubject(), roles: ['OPERATOR'] });
    const tierAt = async (url: string) => (await send(url, '{ me { tier } }', {}, { bearer: token })).data.me.tier;
    const { user } = await me(token);
    expect(await tierAt(other.url)).toBe('STANDARD');
    await act('mutation($id: ID!) { setUserTier(userId: $id, tier: PREMIUM) { user { id } } }', { id: user.id });
    const acknowledgedAt = performance.now();
    expect(await tierAt(app.url)).toBe('PREMIUM');
    while ((await tierAt(other.url)) !== 'PREMIUM') expect(performance.now() - acknowledgedAt).toBeLessThan(1_000);
  });

  test('a newer token changes them for the older ones too, here at once and elsewhere within a second', async () => {
    const sub = newSubject();
    const older = await issuer.issue({ sub, roles: ['ADMIN'] });
    expect((await me(older, other.url)).roles).toEqual(['ADMIN']);
    const { user } = await me(older);
    const newer = await issueLater({ sub, roles: ['VIEWER'] });
    expect((await me(newer)).roles).toEqual(['VIEWER']);
    const acceptedAt = performance.now();
    expect((await me(older)).roles).toEqual(['VIEWER']);
    while ((await me(older, other.url)).roles[0] !== 'VIEWER')
      expect(performance.now() - acceptedAt).toBeLessThan(1_000);
    const rows = await app.sql`
      select action, actor_kind, detail->'roles' as roles from audit_events
      where targets @> ${app.sql.json([{ type: 'user', id: user.id }])} order by sequence desc limit 1`;
    expect([...rows]).toEqual([{ action: 'user.setRoles', actor_kind: 'SYSTEM', roles: ['VIEWER'] }]);
  });

  test('an older token never gives more back, nor takes anything', async () => {
    const sub = newSubject();
    const older = await issuer.issue({ sub, roles: ['ADMIN'] });
    const newer = await issueLater({ sub, roles: ['OPERATOR'] });
    expect((await me(newer)).roles).toEqual(['OPERATOR']);
    expect((await me(older)).roles).toEqual(['OPERATOR']);
    expect((await me(newer)).roles).toEqual(['OPERATOR']);
  });

  test('a newer token with the same roles makes those between count as old', async () => {
    const sub = newSubject();
    const first = await issuer.issue({ sub, roles: ['OPERATOR'] });
    const between = await issueLater({ sub, roles: ['VIEWER'] });
    const last = await issueLater({ sub, roles: ['OPERATOR'] });
    expect((await me(first)).roles).toEqual(['OPERATOR']);
    expect((await me(last)).roles).toEqual(['OPERATOR']);
    expect((await me(between)).roles).toEqual(['VIEWER']);
    expect((await me(last)).roles).toEqual(['OPERATOR']);
  });

  test('no write commits that began before a demotion', async () => {
    const sub = newSubject();
    const older = await issuer.issue({ sub, roles: ['OPERATOR'] });
    const { user } = await me(older, other.url);
    const newer = await issueLater({ sub, roles: ['VIEWER'] });
    let pending: ReturnType<typeof send> | undefined;
    await app.sql.begin(async (tx) => {
      await tx`lock table tasks in access exclusive mode`;
      pending = send(other.url, createTask, {}, bearer(older));
      await waitForLock(app);
      expect((await me(newer)).roles).toEqual(['VIEWER']);
    });
    expect((await pending)?.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(await app.sql`select 1 from tasks where created_by = ${user.id}`).toHaveLength(0);
  });

  test('what is withdrawn from everybody is withdrawn from tokens that were issued before, and from their writes', async () => {
    const withdrawing = await startApp({ env: { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: audience } });
    onTestFinished(() => withdrawing.stop());
    const sub = newSubject();
    const token = await issuer.issue({ sub, roles: ['OPERATOR'] });
    expect(await status(token, withdrawing.url)).toBe(200);
    let pending: ReturnType<typeof send> | undefined;
    await withdrawing.sql.begin(async (tx) => {
      await tx`lock table tasks in access exclusive mode`;
      pending = send(withdrawing.url, createTask, {}, bearer(token));
      await waitForLock(withdrawing);
      await withdrawing.sql`select raise_credential_epochs(array['global'])`;
    });
    expect((await pending)?.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    await vi.waitUntil(async () => (await status(token, withdrawing.url)) === 401, { timeout: 2_000 });
    expect(await status(await issueLater({ sub, roles: ['VIEWER'] }), withdrawing.url)).toBe(200);
  });
});

describe('without OIDC_ISSUER', () => {
  test('a foreign token is 401, and nobody is asked', async () => {
    const closed = await startApp();
    onTestFinished(() => closed.stop());
    const token = await issuer.issue({ roles: ['ADMIN'] });
    const before = issuer.asked(discoveryPath) + issuer.asked(jwksPath);
    expect(await status(token, closed.url)).toBe(401);
    expect(issuer.asked(discoveryPath) + issuer.asked(jwksPath)).toBe(before);
  });
});

describe('the issuer’s keys', () => {
  /** An issuer of its own, and a verifier that has not asked it yet. */
  async function start(roleClaim = 'roles'): Promise<{ own: TestIssuer; tokens: ForeignTokens; faults: unknown[] }> {
    const own = await startIssuer();
    onTestFinished(() => own.stop());
    const faults: unknown[] = [];
    const onError = (error: unknown) => faults.push(error);
    return { own, faults, tokens: createForeignTokens({ issuer: own.issuer, audience, roleClaim, onError }) };
  }
  const viewer = { sub: 'somebody', roles: ['VIEWER'] };

  test('are asked for once, when they are first needed', async () => {
    const { own, tokens } = await start();
    const all = await Promise.all(Array.from({ length: 10 }, () => own.issue(viewer)));
    expect(own.asked(discoveryPath)).toBe(0);
    expect(await Promise.all(all.map((token) => tokens.verify(token)))).not.toContain(null);
    expect([own.asked(discoveryPath), own.asked(jwksPath)]).toEqual([1, 1]);
  });

  test('a flood of unknown names is refused, fast, with at most one question in 30 seconds', async () => {
    await status(await issuer.issue({ sub: newSubject(), roles: ['VIEWER'] }));
    const before = issuer.asked(jwksPath);
    const tokens = await Promise.all(
      Array.from({ length: 200 }, (_, at) => issuer.sign({ sub: newSubject() }, { kid: `unknown-${at}` })),
    );
    const begunAt = performance.now();
    const answers = await Promise.all(tokens.map((token) => status(token)));
    expect(performance.now() - begunAt).toBeLessThan(3_000);
    expect(new Set(answers)).toEqual(new Set([401]));
    expect(issuer.asked(jwksPath) - before).toBeLessThanOrEqual(1);
    advanceClock(31_000);
    for (const token of tokens.slice(0, 20)) expect(await status(token)).toBe(401);
    expect(issuer.asked(jwksPath) - before).toBeLessThanOrEqual(2);
  });

  test('new ones are picked up, and those that are gone are not believed', async () => {
    const { own, tokens } = await start();
    const old = await own.issue(viewer);
    const unseen = await own.issue(viewer);
    expect(await tokens.verify(old)).not.toBeNull();
    await own.rotate();
    advanceClock(31_000);
    expect(await tokens.verify(await own.issue(viewer))).not.toBeNull();
    expect(await tokens.verify(unseen)).toBeNull();
    expect(own.asked(jwksPath)).toBe(2);
  });

  test('an issuer that is down when it is first needed: 503, when to try again, and then it works', async () => {
    const token = await issuer.issue({ sub: newSubject(), roles: ['VIEWER'] });
    const fresh = await app.startAnother();
    onTestFinished(() => fresh.stop());
    await issuer.goDown();
    const answer = await send(fresh.url, whoAmI, {}, bearer(token)).finally(() => issuer.comeUp());
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.errors?.[0]).toMatchObject({
      message: 'The issuer of the access token does not answer. Try again later.',
      extensions: { code: 'DEPENDENCY_UNAVAILABLE' },
    });
    expect((await send(fresh.url, whoAmI, {}, bearer(app.admin.accessToken))).status).toBe(200);
    advanceClock(6_000);
    expect(await status(token, fresh.url)).toBe(200);
  });

  test('an issuer that is down later: known keys go on for a day, unknown ones are refused, and it is hardly asked', async () => {
    const { own, tokens, faults } = await start();
    const known = await own.issue(viewer);
    const unseen = await own.issue(viewer, { ttlSeconds: 80_000 });
    const unknown = await own.sign({}, { kid: 'unknown' });
    expect(await tokens.verify(known)).not.toBeNull();
    await own.goDown();
    expect(await tokens.verify(known)).not.toBeNull();
    advanceClock(400_000);
    for (let at = 0; at < 50; at++) expect(await tokens.verify(unknown)).toBeNull();
    expect(await tokens.verify(unseen)).not.toBeNull();
    expect(faults).toHaveLength(1);
    const later = await own.sign({ iat: seconds() + 86_000, exp: seconds() + 90_000 });
    advanceClock(86_500_000);
    await expect(tokens.verify(later)).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });

  test('an issuer that hangs costs two seconds, once', async () => {
    const { own, tokens } = await start();
    const token = await own.issue(viewer);
    own.intercept(discoveryPath, () => undefined);
    const begunAt = performance.now();
    for (let at = 0; at < 3; at++)
      await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
    expect(performance.now() - begunAt).toBeLessThan(3_000);
    expect(own.asked(discoveryPath)).toBe(1);
  });

  const answers: [string, string, (own: TestIssuer) => { status?: number; headers?: object; body?: string }][] = [
    [
      'another issuer',
      discoveryPath,
      (own) => ({ body: configuration('https://other.example', own.issuer + jwksPath) }),
    ],
    [
      'the issuer with a slash',
      discoveryPath,
      (own) => ({ body: configuration(`${own.issuer}/`, own.issuer + jwksPath) }),
    ],
    ['keys over plain http', discoveryPath, (own) => ({ body: configuration(own.issuer, 'http://192.0.2.1/jwks') })],
    ['keys in a file', discoveryPath, (own) => ({ body: configuration(own.issuer, 'file:///etc/passwd') })],
    ['no keys', discoveryPath, (own) => ({ body: JSON.stringify({ issuer: own.issuer }) })],
    ['no JSON', discoveryPath, () => ({ body: '<html>' })],
    ['a redirect', discoveryPath, (own) => ({ status: 302, headers: { location: `${own.issuer}/elsewhere` } })],
    ['a redirect to the keys', jwksPath, (own) => ({ status: 302, headers: { location: `${own.issuer}/elsewhere` } })],
    ['an error', jwksPath, () => ({ status: 500, body: '{"keys":[]}' })],
    ['no set of keys', jwksPath, () => ({ body: '{"keys":[7]}' })],
    ['a megabyte', jwksPath, () => ({ body: `{"keys":[],"padding":"${'x'.repeat(1_000_000)}"}` })],
  ];
  const configuration = (name: string, jwks_uri: string) => JSON.stringify({ issuer: name, jwks_uri });

  test.each(answers)('%s in the answer is not believed', async (_name, path, answer) => {
    const { own, tokens, faults } = await start();
    const token = await own.issue(viewer);
    const { status = 200, headers = {}, body = '' } = answer(own);
    own.intercept(path, (_request, response) => void response.writeHead(status, { ...headers }).end(body));
    own.intercept('/elsewhere', (_request, response) => void response.end('{"keys":[]}'));
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
    expect(faults).toHaveLength(1);
    expect(own.asked('/elsewhere')).toBe(0);
  });

  test('a key that is too short is not used', async () => {
    const { own, tokens, faults } = await start();
    const short = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const keys = [{ ...short.publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' }];
    own.intercept(jwksPath, (_request, response) => void response.end(JSON.stringify({ keys })));
    const signed = `${encodePart({ alg: 'RS256', kid: 'short' })}.${encodePart({ ...rights(), iss: own.issuer })}`;
    const token = `${signed}.${sign('sha256', Buffer.from(signed), short.privateKey).toString('base64url')}`;
    expect(await tokens.verify(token)).toBeNull();
    expect(faults).toHaveLength(1);
  });

  test.each([
    ['realm_access.roles', { realm_access: { roles: ['OPERATOR'] } }],
    ['https://example.com/roles', { 'https://example.com/roles': ['OPERATOR'] }],
    ['groups', { groups: 'staff OPERATOR' }],
  ])('roles are read from %s', async (roleClaim, claims) => {
    const { own, tokens } = await start(roleClaim);
    expect((await tokens.verify(await own.issue({ sub: 'x', ...claims })))?.roles).toEqual(['OPERATOR']);
    expect(await tokens.verify(await own.issue({ sub: 'x', roles: ['ADMIN'] }))).toBeNull();
  });

  test.each(['__proto__.roles', 'constructor.name', 'toString', 'roles.length', ''])(
    'no roles are read from %s',
    async (roleClaim) => {
      const { own, tokens } = await start(roleClaim);
      expect(await tokens.verify(await own.issue(viewer))).toBeNull();
    },
  );
});
