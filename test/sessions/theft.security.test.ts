import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Credential, type Person, send, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation } from '../support/operations.ts';
import { readLog } from '../support/readLog.ts';

let app: TestApp;
let other: Awaited<ReturnType<TestApp['startAnother']>>;
let admin: Credential;

beforeAll(async () => {
  app = await startApp();
  other = await app.startAnother();
  admin = { bearer: app.admin.accessToken };
});
afterAll(async () => {
  await other.stop();
  await app.stop();
});

const me = (cookie: string, url = app.url) => send(url, operation('Me'), {}, { cookie });
const statusOf = async (credential: Credential, url = app.url) =>
  (await send(url, operation('Me'), {}, credential)).status;
const idOf = (cookie: string) => cookie.split(/[=.]/)[2] ?? '';
const newCookieOf = ({ headers }: Answer) => headers.getSetCookie()[0]?.split(';')[0];
const setRoles = ({ id }: Person, ...roles: string[]) =>
  app.succeed(operation('SetUserRoles'), { userId: id, roles }, admin);

/** Somebody whose cookie was replaced, with both. */
async function promote(): Promise<{ person: Person; old: string; present: string }> {
  const person = await app.createPerson('VIEWER');
  await setRoles(person, 'OPERATOR');
  const present = newCookieOf(await me(person.cookie)) ?? '';
  expect(present).not.toBe('');
  return { person, old: person.cookie, present };
}

/** As if that much time had passed since the secrets were replaced. */
const passTime = (cookie: string, interval: string) =>
  app.sql`update replaced_session_secrets set replaced_at = replaced_at - ${interval}::interval
    where session_id = ${idOf(cookie)}`;

const theftsOf = (cookie: string) =>
  app.sql`select * from audit_events where action = 'session.theft' and targets @> ${app.sql.json([{ id: idOf(cookie) }])}`;

describe('a change of roles', () => {
  test('gives the session a new secret with the next request of its cookie, and not again', async () => {
    const person = await app.createPerson('VIEWER');
    expect(newCookieOf(await me(person.cookie))).toBeUndefined();
    await setRoles(person, 'OPERATOR');
    expect((await app.request(operation('Me'), {}, { bearer: person.accessToken })).headers.getSetCookie()).toEqual([]);
    const answer = await me(person.cookie);
    expect([answer.status, answer.data.me.roles]).toEqual([200, ['OPERATOR']]);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^nexus\.sid=sess_\w{26}\.[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    const present = newCookieOf(answer) ?? '';
    expect([idOf(present), present === person.cookie]).toEqual([idOf(person.cookie), false]);
    for (const url of [app.url, other.url]) {
      const again = await me(present, url);
      expect([again.status, newCookieOf(again)]).toEqual([200, undefined]);
    }
  });

  test('costs one read of the session, and no more', async () => {
    const { present } = await promote();
    await me(present);
    app.statements.length = 0;
    expect((await app.request('{ me { kind } }', {}, { cookie: present })).status).toBe(200);
    expect(app.statements.filter((statement) => statement.includes('from "sessions"'))).toEqual([]);
  });

  test('does so each time', async () => {
    const { person, present } = await promote();
    await setRoles(person, 'ADMIN');
    const third = newCookieOf(await me(present));
    expect(third).toEqual(expect.any(String));
    expect(new Set([person.cookie, present, third])).toHaveProperty('size', 3);
  });

  test('leaves other users’ sessions as they are', async () => {
    const bystander = await app.createPerson('VIEWER');
    await promote();
    expect(newCookieOf(await me(bystander.cookie))).toBeUndefined();
  });

  test('of somebody who sends many requests at once gives one new cookie, and refuses none', async () => {
    const person = await app.createPerson('VIEWER');
    await Promise.all([app.url, other.url].map((url) => me(person.cookie, url)));
    await setRoles(person, 'OPERATOR');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => me(person.cookie, index % 2 === 0 ? app.url : other.url)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const given = answers.flatMap((answer) => newCookieOf(answer) ?? []);
    expect(given).toHaveLength(1);
    expect(await statusOf({ cookie: given[0] ?? '' }, other.url)).toBe(200);
  });

  test('refuses no writes that come with the old cookie at once, and loses none', async () => {
    const person = await app.createPerson('OPERATOR');
    await setRoles(person, 'ADMIN');
    const input = { name: 'one of many', type: 'ANALYSIS' };
    const create = (url: string) => send(url, operation('CreateTask'), { input }, { cookie: person.cookie });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => create(index % 2 === 0 ? app.url : other.url)),
    );
    expect(answers.map(codesOf)).toEqual(answers.map(() => []));
    expect(answers.flatMap((answer) => newCookieOf(answer) ?? [])).toHaveLength(1);
    expect(await app.sql`select 1 from tasks where created_by = ${person.id}`).toHaveLength(20);
  });

  test('does the same on the embedded database', { timeout: 120_000 }, async () => {
    const embedded = await startApp({ env: { DATABASE_URL: '', REDIS_URL: '' } });
    try {
      const person = await embedded.createPerson('VIEWER');
      const bearer = { bearer: embedded.admin.accessToken };
      await embedded.succeed(operation('SetUserRoles'), { userId: person.id, roles: ['OPERATOR'] }, bearer);
      const answers = await Promise.all(Array.from({ length: 5 }, () => me(person.cookie, embedded.url)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      const given = answers.flatMap((answer) => newCookieOf(answer) ?? []);
      expect(given).toHaveLength(1);
      expect((await me(given[0] ?? '', embedded.url)).status).toBe(200);
    } finally {
      await embedded.stop();
    }
  });

  test('that is under way while the secret is replaced replaces it once more', async () => {
    const { person, present } = await promote();
    await setRoles(person, 'ADMIN');
    const { promise: isReplaced, resolve: goOn } = Promise.withResolvers<void>();
    const raising = app.sql.begin(async (tx) => {
      await tx`select raise_credential_epochs(array[${person.id}])`;
      await isReplaced;
    });
    await expect.poll(async () => (await app.sql`select 1 from pg_locks where locktype = 'advisory'`).length).toBe(1);
    const next = newCookieOf(await me(present)) ?? '';
    goOn();
    await raising;
    await expect.poll(async () => newCookieOf(await me(next))).toEqual(expect.any(String));
  });
});

test('a change of the password gives the session that changed it a new secret', async () => {
  const person = await app.createPerson('VIEWER');
  const passwords = { currentPassword: person.password, newPassword: 'quite another password' };
  await app.succeed(operation('ChangePassword'), passwords, { cookie: person.cookie });
  const present = newCookieOf(await me(person.cookie));
  expect(present).toEqual(expect.any(String));
  expect(present).not.toBe(person.cookie);
});

describe('a secret that was replaced', () => {
  test('works for half a minute, here and elsewhere, and is not replaced itself', async () => {
    const { old, present } = await promote();
    await passTime(old, '25 s');
    for (const url of [app.url, other.url]) {
      const answer = await me(old, url);
      expect([answer.status, newCookieOf(answer)]).toEqual([200, undefined]);
    }
    expect(await statusOf({ cookie: present })).toBe(200);
    expect(await theftsOf(old)).toEqual([]);
  });

  test.each(['here', 'elsewhere'])('ends the session where it comes later (%s): all its credentials', async (where) => {
    const { person, old, present } = await promote();
    const neighbour = await app.createPerson('VIEWER');
    const credentials = [{ cookie: present }, { cookie: old }, { bearer: person.accessToken }];
    for (const url of [app.url, other.url])
      for (const credential of credentials) expect(await statusOf(credential, url)).toBe(200);
    await passTime(old, '31 s');
    const url = where === 'here' ? app.url : other.url;
    const answer = await send(
      url,
      operation('Me'),
      {},
      { cookie: old },
      { 'user-agent': 'thief', 'x-request-id': old.slice(-9) },
    );
    expect([answer.status, codesOf(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^nexus\.sid=; Max-Age=0/)]);
    for (const credential of credentials) {
      expect(await statusOf(credential, url)).toBe(401);
      for (const both of [app.url, other.url])
        await expect.poll(() => statusOf(credential, both), { timeout: 1_000, interval: 20 }).toBe(401);
    }
    expect(await statusOf({ cookie: neighbour.cookie })).toBe(200);
    expect(await theftsOf(old)).toEqual([
      expect.objectContaining({
        ...{ outcome: 'SUCCEEDED', severity: 'CRITICAL', actor_kind: 'SYSTEM', actor_id: null, credential_id: null },
        ...{ ip: '127.0.0.1', user_agent: 'thief', request_id: old.slice(-9), detail: null },
        targets: [
          { type: 'session', id: idOf(old) },
          { type: 'user', id: person.id },
        ],
      }),
    ]);
    const log = await readLog(app);
    const warnings = log.split('\n').filter((line) => line.includes('"level":"warn"') && line.includes(idOf(old)));
    expect(warnings).toEqual([expect.stringContaining(old.slice(-9))]);
    for (const cookie of [old, present]) expect(log).not.toContain(cookie.split('.').at(-1));
  });

  test('is one theft, however often it comes at once', async () => {
    const { old } = await promote();
    await passTime(old, '31 s');
    const answers = await Promise.all(Array.from({ length: 8 }, () => me(old)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    expect(await theftsOf(old)).toHaveLength(1);
  });

  test('is in the audit log that an ADMIN reads', async () => {
    const { old } = await promote();
    await passTime(old, '31 s');
    await me(old);
    const filter = { action: 'session.theft', targetId: idOf(old) };
    const query =
      'query($filter: AuditFilter) { auditEvents(filter: $filter) { edges { node { severity actor { kind id } } } } }';
    expect((await app.succeed(query, { filter }, admin)).auditEvents.edges).toEqual([
      { node: { severity: 'CRITICAL', actor: { kind: 'SYSTEM', id: null } } },
    ]);
  });

  test('of one session ends no other that is named with it', async () => {
    const [{ old }, victim] = [await promote(), await promote()];
    await passTime(old, '31 s');
    const mixed = `${victim.present.split('.').slice(0, -1).join('.')}.${old.split('.').at(-1)}`;
    expect(await statusOf({ cookie: mixed })).toBe(401);
    expect(await statusOf({ cookie: victim.present })).toBe(200);
  });
});

test('a secret that the session never had is refused and ends nothing', async () => {
  const { old, present } = await promote();
  await passTime(old, '31 s');
  const guess = `${present.split('.').slice(0, -1).join('.')}.${'A'.repeat(43)}`;
  const answer = await me(guess);
  expect([answer.status, codesOf(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
  expect(await statusOf({ cookie: present })).toBe(200);
  expect(await theftsOf(present)).toEqual([]);
});

describe('a session that is over, though a copy says that it lives, gets no new secret', () => {
  test('where it was revoked', async () => {
    const person = await app.createPerson('VIEWER');
    await setRoles(person, 'OPERATOR');
    await app.request(operation('Me'), {}, { bearer: person.accessToken });
    await app.sql`update sessions set revoked_at = now() where id = ${idOf(person.cookie)}`;
    expect(await statusOf({ cookie: person.cookie })).toBe(401);
    expect(await app.sql`select 1 from replaced_session_secrets where session_id = ${idOf(person.cookie)}`).toEqual([]);
  });

  test('where everybody was logged out', async () => {
    const lone = await startApp();
    try {
      const person = await lone.createPerson('VIEWER');
      const bearer = { bearer: lone.admin.accessToken };
      await lone.succeed(operation('SetUserRoles'), { userId: person.id, roles: ['OPERATOR'] }, bearer);
      await lone.request(operation('Me'), {}, { bearer: person.accessToken });
      await lone.sql`select raise_credential_epochs(array['global'])`;
      expect((await me(person.cookie, lone.url)).status).toBe(401);
      expect(await lone.sql`select 1 from replaced_session_secrets`).toEqual([]);
    } finally {
      await lone.stop();
    }
  });
});

test('where the secret cannot be replaced now, the answer is DEPENDENCY_UNAVAILABLE and the cookie stays', async () => {
  const person = await app.createPerson('VIEWER');
  await setRoles(person, 'OPERATOR');
  await app.sql`create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'no room' using errcode = '53100'; end $$`;
  await app.sql`create trigger refuse before insert on replaced_session_secrets for each row execute function refuse()`;
  try {
    const answer = await me(person.cookie);
    expect([answer.status, codesOf(answer)]).toEqual([503, ['DEPENDENCY_UNAVAILABLE']]);
    expect(answer.headers.getSetCookie()).toEqual([]);
  } finally {
    await app.sql`drop trigger refuse on replaced_session_secrets`;
  }
  expect(newCookieOf(await me(person.cookie))).toEqual(expect.any(String));
});
