import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Credential, type Person, startApp, type TestApp } from '../support/app.ts';
import { codesOf, operation, saidBy } from '../support/operations.ts';
import { readLog } from '../support/readLog.ts';

let app: TestApp;
let admin: Credential;

beforeAll(async () => {
  app = await startApp({ env: { TRUST_PROXY: '127.0.0.0/8', AUTO_BLOCK_FAILED_AUTHENTICATIONS: '0' } });
  admin = { bearer: app.admin.accessToken };
});
afterAll(() => app.stop());

let addresses = 0;
/** Each test comes from an address of its own, since failing log-ins are counted by address. */
const newAddress = () => ({ 'x-forwarded-for': `198.51.100.${++addresses}` });

const login = (person: { email: string; password: string }, headers = newAddress(), credential: Credential = null) =>
  app.request(operation('Login'), { email: person.email, password: person.password }, credential, headers);
const statusOf = async (credential: Credential) => (await app.request(operation('Me'), {}, credential)).status;
const cookiesOf = ({ headers }: Answer) => headers.getSetCookie();
const cleared = [expect.stringMatching(/^nexus\.sid=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 /)];

test('an unknown address, a wrong password and a disabled user get the same answer, and no cookie', async () => {
  const [known, disabled] = [await app.createPerson('VIEWER'), await app.createPerson('VIEWER')];
  await app.succeed(operation('DisableUser'), { userId: disabled.id }, admin);
  const answers = [
    await login({ ...known, email: 'nobody@example.com' }),
    await login({ ...known, password: 'another password' }),
    await login({ ...known, password: 'x'.repeat(5_000) }),
    await login({ ...known, password: '' }),
    await login(disabled),
  ];
  for (const answer of answers) {
    expect([answer.status, codesOf(answer), cookiesOf(answer)]).toEqual([401, ['UNAUTHENTICATED'], []]);
    expect(answers.map(saidBy)).toEqual(answers.map(() => saidBy(answer)));
  }
});

describe('failing log-ins', () => {
  const wrong = ({ email }: Person) => ({ email, password: 'a wrong password' });

  test('of one user are refused from the sixth on, from every address and in every spelling, the right password too', async () => {
    const person = await app.createPerson('VIEWER');
    const spellings = [person.email, person.email.toUpperCase(), person.email.replace('person', 'Person')];
    for (let count = 0; count < 5; count++)
      expect(codesOf(await login({ ...wrong(person), email: spellings[count % 3] ?? '' }))).toEqual([
        'UNAUTHENTICATED',
      ]);
    for (const tried of [wrong(person), person, { ...person, email: person.email.toUpperCase() }]) {
      const answer = await login(tried);
      expect([answer.status, codesOf(answer)]).toEqual([429, ['RATE_LIMITED']]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(800);
    }
    expect(codesOf(await login(await app.createPerson('VIEWER')))).toEqual([]);
  });

  test('of one address are refused from the twenty-first on, whoever they name', async () => {
    const address = newAddress();
    const codes = [];
    for (let count = 0; count < 21; count++)
      codes.push(
        ...codesOf(await login({ email: `nobody${count}@example.com`, password: 'a wrong password' }, address)),
      );
    expect(codes).toEqual([...Array(20).fill('UNAUTHENTICATED'), 'RATE_LIMITED']);
  });

  test('at the same time are counted exactly', async () => {
    const person = await app.createPerson('VIEWER');
    const answers = await Promise.all(Array.from({ length: 15 }, () => login(wrong(person), newAddress())));
    expect(answers.filter((answer) => codesOf(answer)[0] === 'UNAUTHENTICATED')).toHaveLength(5);
    expect(answers.filter((answer) => codesOf(answer)[0] === 'RATE_LIMITED')).toHaveLength(10);
  });

  test('do not count those that succeed', async () => {
    const person = await app.createPerson('VIEWER');
    const address = newAddress();
    for (let count = 0; count < 7; count++) expect(codesOf(await login(person, address))).toEqual([]);
  });
});

describe('a session cookie that is no good', () => {
  const secret = 'A'.repeat(43);

  test('is 401 on a login too, and the answer clears the cookie', async () => {
    const id = app.admin.cookie.split(/[=.]/)[2];
    for (const cookie of [
      `nexus.sid=${id}.${secret}`,
      'nexus.sid=',
      'nexus.sid=x',
      `nexus.sid=sess_${'0'.repeat(26)}.${secret}`,
    ]) {
      const answer = await login(app.admin, newAddress(), { cookie });
      expect([answer.status, codesOf(answer), answer.data]).toEqual([401, ['UNAUTHENTICATED'], undefined]);
      expect(cookiesOf(answer)).toEqual(cleared);
    }
  });

  test('does not borrow the secret of another session', async () => {
    const other = await app.createPerson('VIEWER');
    const [id] = app.admin.cookie.split(/\.(?=[^.]*$)/);
    const cookie = `${id}.${other.cookie.split('.').at(-1)}`;
    expect([await statusOf({ cookie: app.admin.cookie }), await statusOf({ cookie })]).toEqual([200, 401]);
  });

  test('of another name is no credential at all', async () => {
    const cookie = app.admin.cookie.replace('nexus.sid', 'nexus_sid');
    expect(codesOf(await login(app.admin, newAddress(), { cookie }))).toEqual([]);
  });
});

test('an access token that was changed, or is of another session, is refused', async () => {
  const { accessToken } = await app.createPerson('VIEWER');
  const [header, claims = '', signature = ''] = accessToken.split('.');
  const read = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [, adminsClaims] = app.admin.accessToken.split('.');
  expect(await statusOf({ bearer: accessToken })).toBe(200);
  for (const bearer of [
    [header, encode({ ...read, roles: ['ADMIN'] }), signature],
    [header, adminsClaims, signature],
    [encode({ alg: 'none', typ: 'at+jwt' }), claims, ''],
    [header, claims, `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`],
    [header, claims, `${signature}=`],
  ])
    expect(await statusOf({ bearer: bearer.join('.') })).toBe(401);
});

describe("another user's sessions", () => {
  const unknown = { id: 'sess_00000000000000000000000000', userId: 'user_00000000000000000000000000' };
  let owner: Person;
  let strangers: Credential[];

  beforeAll(async () => {
    owner = await app.createPerson('OPERATOR');
    const stranger = await app.createPerson('OPERATOR');
    const scopes = ['sessions:read', 'sessions:write'];
    const theirKey = await app.createKey({ role: 'OPERATOR', scopes }, { bearer: stranger.accessToken });
    strangers = [{ bearer: stranger.accessToken }, { cookie: stranger.cookie }, { bearer: theirKey.secret }];
  });

  test.each(['Sessions', 'RevokeSession', 'RevokeAllUserSessions'])(
    'cannot be told by %s from those that do not exist, and stay alive',
    async (name) => {
      const known = { id: owner.cookie.split(/[=.]/)[2], userId: owner.id };
      for (const stranger of strangers) {
        const [foreign, nobodys] = [
          await app.request(operation(name), known, stranger),
          await app.request(operation(name), unknown, stranger),
        ];
        expect(codesOf(foreign)).toEqual(['NOT_FOUND']);
        expect([foreign.status, foreign.text]).toEqual([nobodys.status, nobodys.text]);
      }
      expect(await Promise.all([statusOf({ cookie: owner.cookie }), statusOf({ bearer: owner.accessToken })])).toEqual([
        200, 200,
      ]);
    },
  );

  test('are in no list of a stranger, from whichever cursor', async () => {
    const { sessions } = await app.succeed(operation('Sessions'), { first: 1 }, { cookie: owner.cookie });
    for (const stranger of strangers) {
      for (const variables of [{ first: 100 }, { after: sessions.edges[0].cursor }]) {
        const { text } = await app.request(operation('Sessions'), variables, stranger);
        expect(text).not.toMatch(new RegExp(`${owner.id}|${sessions.edges[0].node.id}`));
      }
    }
  });
});

test('the secret of a cookie is in no table, audit row or log', async () => {
  const person = await app.createPerson('VIEWER');
  const secret = person.cookie.split('.').at(-1) ?? '';
  await app.request(operation('Logout'), {}, { cookie: person.cookie });
  await login(app.admin, newAddress(), { cookie: person.cookie });
  const places = await Promise.all([
    app.sql`select * from sessions`.then(JSON.stringify),
    app.sql`select * from audit_events`.then(JSON.stringify),
    readLog(app),
  ]);
  expect(places.filter((text) => text.includes(secret) || text.includes(person.password))).toEqual([]);
});

test('in production the cookie is __Host-, and Secure', async () => {
  const production = await startApp({ env: { NODE_ENV: 'production', MASTER_KEY: 'ab'.repeat(32) } });
  try {
    const { email, password, cookie } = production.admin;
    const answer = await production.request(operation('Login'), { email, password });
    expect(cookiesOf(answer)).toEqual([
      expect.stringMatching(
        /^__Host-nexus\.sid=sess_\w+\.[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      ),
    ]);
    expect((await production.request(operation('Me'), {}, { cookie })).status).toBe(200);
    const unprefixed = { cookie: cookie.replace('__Host-', '') };
    expect((await production.request(operation('Me'), {}, unprefixed)).status).toBe(401);
  } finally {
    await production.stop();
  }
});
