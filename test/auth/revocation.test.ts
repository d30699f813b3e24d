import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, type Person, send, startApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let other: Awaited<ReturnType<TestApp['startAnother']>>;
beforeAll(async () => {
  app = await startApp();
  other = await app.startAnother();
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});

const createTask = 'mutation { createTask(input: { name: "x", type: ANALYSIS }) { task { id } } }';
const status = async (url: string, credential: Credential) =>
  (await send(url, '{ me { roles } }', {}, credential)).status;
const rolesAt = async (url: string, credential: Credential) =>
  (await send(url, '{ me { roles } }', {}, credential)).data.me.roles;

type Victim = { person: Person; key: { id: string; secret: string }; sessionId: string };

const bearer = (secret: string) => ({ bearer: secret });
const people = ({ person }: Victim): Credential[] => [{ cookie: person.cookie }, bearer(person.accessToken)];
const act = (field: string, id: string) =>
  app.succeed(`mutation($id: ID!) { ${field} }`, { id }, bearer(app.admin.accessToken));
const actAs = (person: Person, field: string, id: string) =>
  app.succeed(`mutation($id: ID!) { ${field} }`, { id }, bearer(person.accessToken));

/** What takes a credential away, and the credentials that it takes. */
const revocations: [string, (victim: Victim) => Promise<unknown>, (victim: Victim) => Credential[]][] = [
  [
    'revokeApiKey',
    ({ key }) => act('revokeApiKey(id: $id) { apiKey { id } }', key.id),
    ({ key }) => [bearer(key.secret)],
  ],
  [
    'rotateApiKey without overlap',
    ({ key }) => act('rotateApiKey(id: $id) { secret }', key.id),
    ({ key }) => [bearer(key.secret)],
  ],
  [
    'revokeSession',
    ({ person, sessionId }) => actAs(person, 'revokeSession(id: $id) { session { id } }', sessionId),
    people,
  ],
  [
    'revokeAllUserSessions',
    ({ person }) => act('revokeAllUserSessions(userId: $id) { revokedCount }', person.id),
    people,
  ],
  [
    'disableUser',
    ({ person }) => act('disableUser(userId: $id) { user { id } }', person.id),
    (victim) => [...people(victim), bearer(victim.key.secret)],
  ],
];

async function createVictim(): Promise<Victim> {
  const person = await app.createPerson('OPERATOR');
  const key = await app.createKey(
    { role: 'OPERATOR', scopes: ['tasks:read', 'tasks:write'] },
    bearer(person.accessToken),
  );
  const { me } = await app.succeed('{ me { session { id } } }', {}, bearer(person.accessToken));
  return { person, key, sessionId: me.session.id };
}

describe.each(revocations)('%s', (_name, revoke, taken) => {
  test('is true at once where it was acknowledged, and within a second elsewhere', async () => {
    const victim = await createVictim();
    const credentials = taken(victim);
    for (const credential of credentials) {
      expect(await status(app.url, credential)).toBe(200);
      expect(await status(other.url, credential)).toBe(200);
    }
    await revoke(victim);
    const acknowledgedAt = performance.now();
    expect(await Promise.all(credentials.map((credential) => status(app.url, credential)))).toEqual(
      credentials.map(() => 401),
    );
    for (const credential of credentials) {
      while ((await status(other.url, credential)) !== 401)
        expect(performance.now() - acknowledgedAt).toBeLessThan(1_000);
    }
  });

  test('lets no write commit that began before it', async () => {
    const victim = await createVictim();
    const [credential = null] = taken(victim);
    // A write under way, which has read its rights: it waits for the table that it writes to.
    let pending: Promise<{ status: number }> | undefined;
    await app.sql.begin(async (tx) => {
      await tx`lock table tasks in access exclusive mode`;
      pending = send(other.url, createTask, {}, credential);
      await waitForLocks(1);
      await revoke(victim);
    });
    expect((await pending)?.status).toBe(401);
    expect(await app.sql`select 1 from tasks where created_by = ${victim.person.id}`).toEqual([]);
  });
});

test('fewer roles are true at once where it was acknowledged, and within a second elsewhere', async () => {
  const { person, key } = await createVictim();
  const credentials: Credential[] = [{ cookie: person.cookie }, bearer(person.accessToken), bearer(key.secret)];
  for (const credential of credentials) expect(await rolesAt(other.url, credential)).toEqual(['OPERATOR']);
  await act('setUserRoles(userId: $id, roles: [VIEWER]) { user { id } }', person.id);
  const acknowledgedAt = performance.now();
  for (const credential of credentials) {
    expect(await rolesAt(app.url, credential)).toEqual(['VIEWER']);
    while ((await rolesAt(other.url, credential))[0] !== 'VIEWER')
      expect(performance.now() - acknowledgedAt).toBeLessThan(1_000);
  }
});

test('another tier is true at once where it was acknowledged, and within a second elsewhere; a key keeps its own', async () => {
  const { person, key } = await createVictim();
  const tierAt = async (url: string, credential: Credential) =>
    (await send(url, '{ me { tier } }', {}, credential)).data.me.tier;
  const credentials: Credential[] = [{ cookie: person.cookie }, bearer(person.accessToken)];
  for (const credential of credentials) expect(await tierAt(other.url, credential)).toBe('STANDARD');
  await act('setUserTier(userId: $id, tier: PREMIUM) { user { id } }', person.id);
  const acknowledgedAt = performance.now();
  for (const credential of credentials) {
    expect(await tierAt(app.url, credential)).toBe('PREMIUM');
    while ((await tierAt(other.url, credential)) !== 'PREMIUM')
      expect(performance.now() - acknowledgedAt).toBeLessThan(1_000);
  }
  for (const { url } of [app, other]) expect(await tierAt(url, bearer(key.secret))).toBe('FREE');
});

test('a change of the roles lets a write go on that the new roles allow too', async () => {
  const { person } = await createVictim();
  let pending: ReturnType<typeof send> | undefined;
  await app.sql.begin(async (tx) => {
    await tx`lock table tasks in access exclusive mode`;
    pending = send(other.url, createTask, {}, { cookie: person.cookie });
    await waitForLocks(1);
    await act('setUserRoles(userId: $id, roles: [ADMIN]) { user { id } }', person.id);
  });
  expect((await pending)?.errors).toBeUndefined();
});

test('a right that is taken away is not taken back by a request that came before', async () => {
  const { id, accessToken } = await app.createPerson('ADMIN');
  const setRoles = (role: string) =>
    `mutation($id: ID!) { setUserRoles(userId: $id, roles: [${role}]) { user { id } } }`;
  const asVictim = bearer(accessToken);
  expect(await rolesAt(other.url, asVictim)).toEqual(['ADMIN']);
  let demotion: Promise<unknown> | undefined;
  let pending: ReturnType<typeof send> | undefined;
  await app.sql.begin(async (tx) => {
    await tx`select 1 from users where id = ${id} for update`;
    demotion = app.succeed(setRoles('VIEWER'), { id }, bearer(app.admin.accessToken));
    await waitForLocks(1);
    pending = send(other.url, setRoles('ADMIN'), { id }, asVictim);
    await waitForLocks(2);
  });
  await demotion;
  expect((await pending)?.status).toBe(401);
  expect(await rolesAt(app.url, asVictim)).toEqual(['VIEWER']);
});

test('a key in its overlap lets its write go on, and a second rotation ends that', async () => {
  const { key } = await createVictim();
  await act('rotateApiKey(id: $id, overlapSeconds: 60) { secret }', key.id);
  expect((await send(other.url, createTask, {}, bearer(key.secret))).errors).toBeUndefined();
  let pending: ReturnType<typeof send> | undefined;
  await app.sql.begin(async (tx) => {
    await tx`lock table tasks in access exclusive mode`;
    pending = send(other.url, createTask, {}, bearer(key.secret));
    await waitForLocks(1);
    await act('rotateApiKey(id: $id, overlapSeconds: 60) { secret }', key.id);
  });
  expect((await pending)?.status).toBe(401);
});

test('a reading of a key that is revoked meanwhile is not stored', async () => {
  const agentId = `agent-${Date.now()}`;
  const key = await app.createKey({ role: 'AGENT', agentId, scopes: ['telemetry:write'] });
  const submit = `mutation($input: TelemetryInput!) { submitTelemetry(input: $input) { telemetry { agentId } } }`;
  const input = { agentId, timestamp: new Date().toISOString(), metrics: { cpu: 1 }, status: 'ACTIVE' };
  let pending: ReturnType<typeof send> | undefined;
  await app.sql.begin(async (tx) => {
    await tx`lock table telemetry in access exclusive mode`;
    pending = send(other.url, submit, { input }, bearer(key.secret));
    await waitForLocks(1);
    await act('revokeApiKey(id: $id) { apiKey { id } }', key.id);
  });
  expect((await pending)?.status).toBe(401);
  expect(await app.sql`select 1 from telemetry where agent_id = ${agentId}`).toEqual([]);
});

test('a revocation waits for no more than the writes that are under way, however many follow', async () => {
  const { key, person } = await createVictim();
  let isOver = false;
  const hammer = async () => {
    while (!isOver) await send(other.url, createTask, {}, bearer(key.secret));
  };
  const hammering = Promise.all(Array.from({ length: 20 }, hammer));
  try {
    await act('revokeApiKey(id: $id) { apiKey { id } }', key.id);
    const revokedAt = (await app.sql`select now()`)[0]?.now;
    isOver = true;
    await hammering;
    expect(await app.sql`select 1 from tasks where created_by = ${person.id} and created_at > ${revokedAt}`).toEqual(
      [],
    );
  } finally {
    isOver = true;
  }
});

test.each<[string, (id: string) => Promise<unknown>]>([
  ['disableUser', (id) => act('disableUser(userId: $id) { user { id } }', id)],
  ['revokeAllUserSessions', (id) => act('revokeAllUserSessions(userId: $id) { revokedCount }', id)],
])('%s and a revokeSession of its user do not wait for each other', async (_name, brake) => {
  const { person, sessionId } = await createVictim();
  const revocation = 'mutation($id: ID!) { revokeSession(id: $id) { session { id } } }';
  const { braked, revoked } = await app.sql.begin(async (tx) => {
    // As a write of the user would that is about to commit.
    await tx`select pg_advisory_xact_lock_shared(credential_lock(${person.id}))`;
    const braked = brake(person.id);
    await waitForLocks(1);
    const revoked = send(app.url, revocation, { id: sessionId }, bearer(person.accessToken));
    await waitForLocks(2);
    // In an object, because a promise alone would be awaited before the transaction ends.
    return { braked, revoked };
  });
  await braked;
  expect((await revoked).status).toBe(401);
});

test('a log-in that meets a revocation of everything waits for it, and its session begins after it', async () => {
  const { email, password } = await app.createPerson('VIEWER');
  const login = `mutation($email: EmailAddress!, $password: String!) {
    login(email: $email, password: $password) { accessToken }
  }`;
  const { pending } = await app.sql.begin(async (tx) => {
    await tx`select raise_credential_epochs('{global}')`;
    const pending = send(app.url, login, { email, password });
    await waitForLocks(1);
    return { pending };
  });
  const { data } = await pending;
  expect(await status(app.url, bearer(data.login.accessToken))).toBe(200);
  // Those of before are worth nothing now: for the tests that follow.
  app.admin.accessToken = (await send(app.url, login, app.admin)).data.login.accessToken;
});

/** Until so many statements of the app wait for a lock. */
async function waitForLocks(count: number): Promise<void> {
  for (;;) {
    const waiting = await app.sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    if (waiting.length >= count) return;
  }
}
