import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { getIntrospectionQuery, print } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, startApp, type TestApp } from '../support/app.ts';
import { entryOf, hashOf, manifestOf, writeManifest } from '../support/manifest.ts';
import { codesOf, problemFieldsOf } from '../support/operations.ts';
import { readLog } from '../support/readLog.ts';
import { type Answer, sendBody } from '../support/send.ts';

const trusted = 'query WhoAmI { me { kind } }';
const trustedTasks =
  'query Tasks($first: Int) { tasks(first: $first) { edges { node { ...Name } } } } fragment Name on Task { name }';
const trustedWrite = 'mutation Make { createTask(input: { name: "made", type: ANALYSIS }) { task { id } } }';
const other = 'query WhoAmI { me { kind } } ';
const trap = 'query WhoAmI { me { kind } } query Users { users { edges { node { email } } } }';

let app: TestApp;
let enforcing: { url: string; stop(): Promise<void> };
let file: string;
let admin: Credential;

beforeAll(async () => {
  file = await writeManifest(manifestOf([trusted, trustedTasks, trustedWrite].map(entryOf)), (end) => afterAll(end));
  app = await startApp({ env: { TRUSTED_DOCUMENTS: file } });
  enforcing = await app.startAnother({ env: { TRUSTED_DOCUMENTS_MODE: 'enforce' } });
  admin = { bearer: app.admin.accessToken };
});
afterAll(async () => {
  await enforcing.stop();
  await app.stop();
});

const send = (query: string, credential: Credential, body: object = {}, url = enforcing.url) =>
  sendBody(url, { query, ...body }, credential);
const sendHash = (sha256Hash: unknown, credential: Credential, body: object = {}, url = enforcing.url) =>
  sendBody(url, { extensions: { persistedQuery: { version: 1, sha256Hash } }, ...body }, credential);
const outcome = (answer: Answer) => [answer.status, ...codesOf(answer)];

const untrusted = [400, 'GRAPHQL_VALIDATION_FAILED'];
const forbidden = [403, 'FORBIDDEN'];
const malformed = [400, 'BAD_REQUEST'];

describe('where they are enforced', () => {
  test('a trusted document runs, as text and as hash, with its variables', async () => {
    expect((await send(trusted, admin)).data).toEqual({ me: { kind: 'ACCESS_TOKEN' } });
    expect((await sendHash(hashOf(trusted), admin)).data).toEqual({ me: { kind: 'ACCESS_TOKEN' } });
    expect((await sendHash(hashOf(trustedWrite), admin)).data.createTask.task.id).toMatch(/^task_/);
    expect((await sendHash(hashOf(trustedTasks), admin, { variables: { first: 1 } })).data.tasks.edges).toEqual([
      { node: { name: 'made' } },
    ]);
    expect(outcome(await send(trusted, admin, { query: trusted, operationName: 'WhoAmI' }))).toEqual([200]);
  });

  test.each([
    ['another space', other],
    ['a comment', `#\n${trusted}`],
    ['a byte order mark', `\ufeff${trusted}`],
    ['an alias', 'query WhoAmI { a: me { kind } }'],
    ['one field more', 'query WhoAmI { me { kind roles } }'],
    ['a fragment', 'query WhoAmI { me { ...F } } fragment F on Me { kind }'],
    ['another operation beside', trap],
    ['another name', 'query Other { me { kind } }'],
    ['only its name', 'query WhoAmI { __typename }'],
    ['introspection', getIntrospectionQuery()],
    ['__typename', '{ __typename }'],
    ['a mutation', 'mutation WhoAmI { logout { session { id } } }'],
    ['a text that cannot be read', 'query WhoAmI {'],
    ['a field that does not exist', '{ userz { id } }'],
    ['the empty text of a document', '#'],
  ])('a document with %s is refused to everybody', async (_, query) => {
    const key = await app.createKey({ scopes: ['tasks:read'] });
    const session = { cookie: app.admin.cookie };
    for (const credential of [null, admin, session, { bearer: key.secret }]) {
      const answer = await send(query, credential);
      expect([query, ...outcome(answer)]).toEqual([query, ...untrusted]);
      expect(answer.errors?.[0]?.message).toBe('The document is not one of the trusted documents.');
      expect(answer.data ?? null).toBeNull();
    }
  });

  test('nothing of an untrusted mutation runs', async () => {
    const count = async () => (await app.sql`select count(*)::int as n from tasks`)[0]?.n;
    const before = await count();
    await send(trustedWrite.replace('made', 'smuggled'), admin);
    expect(await count()).toBe(before);
  });

  test('a bad credential is 401, whatever the document', async () => {
    for (const query of [trusted, other, 'query {'])
      expect(outcome(await send(query, { bearer: 'nxk_test_bad' }))).toEqual([401, 'UNAUTHENTICATED']);
    expect(outcome(await sendHash(hashOf(other), { bearer: 'x' }))).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('the policy decides beside: a trusted document gives nobody more', async () => {
    const viewer = { bearer: (await app.createPerson('VIEWER')).accessToken };
    expect(outcome(await sendHash(hashOf(trustedWrite), viewer))).toEqual(forbidden);
    expect(outcome(await sendHash(hashOf(trusted), null))).toEqual([401, 'UNAUTHENTICATED']);
  });

  test('operationName chooses nothing that is not in the document', async () => {
    expect(outcome(await send(trap, admin, { operationName: 'Users' }))).toEqual(untrusted);
    expect(outcome(await send(trap, admin, { operationName: 'None' }))).toEqual(untrusted);
    expect(outcome(await sendHash(hashOf(trusted), admin, { operationName: 'Users' }))).toEqual([
      400,
      'OPERATION_RESOLUTION_FAILURE',
    ]);
  });

  test('an unknown hash is not found, and sending its text registers nothing', async () => {
    for (const _ of [1, 2]) {
      expect(outcome(await sendHash(hashOf(other), admin))).toEqual([200, 'PERSISTED_QUERY_NOT_FOUND']);
      expect(outcome(await sendHash(hashOf(other), admin, { query: other }))).toEqual(untrusted);
    }
  });

  test('the hash of a trusted document with another text is refused', async () => {
    expect(outcome(await sendHash(hashOf(trusted), admin, { query: other }))).toEqual(malformed);
    expect(outcome(await sendHash([hashOf(other)], admin, { query: other }))).toEqual(malformed);
  });

  test.each([
    ['in capitals', hashOf(trusted).toUpperCase(), [200, 'PERSISTED_QUERY_NOT_FOUND']],
    ['with a prefix', `apq:${hashOf(trusted)}`, [200, 'PERSISTED_QUERY_NOT_FOUND']],
    ['as a list', [hashOf(trusted)], [200, 'PERSISTED_QUERY_NOT_FOUND']],
    ['as an object', { toString: 'x' }, [200, 'PERSISTED_QUERY_NOT_FOUND']],
    ['that is null', null, [200, 'PERSISTED_QUERY_NOT_FOUND']],
    ['of a prototype', '__proto__', [200, 'PERSISTED_QUERY_NOT_FOUND']],
  ])('a hash %s finds nothing that runs', async (_, hash, expected) => {
    const answer = await sendHash(hash, admin);
    expect(answer.data ?? null).toBeNull();
    expect(outcome(answer)).toEqual(expected);
  });

  test.each([[2], ['1'], [null]])('version %j of the extension is refused', async (version) => {
    const extensions = { persistedQuery: { version, sha256Hash: hashOf(trusted) } };
    expect(outcome(await sendBody(enforcing.url, { extensions }, admin))).toEqual(malformed);
  });

  test('GET serves none of them', async () => {
    const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: hashOf(trusted) } });
    for (const search of [new URLSearchParams({ extensions }), new URLSearchParams({ query: trusted })]) {
      const { status } = await fetch(`${enforcing.url}/graphql?${search}`, {
        headers: { authorization: `Bearer ${app.admin.accessToken}`, 'content-type': 'application/json' },
      });
      expect(status).toBe(405);
    }
  });

  test('a text with a lone surrogate is not the one with a replacement character, whose hash it has', async () => {
    const bound = await app.createKey({ scopes: ['tasks:read'], documents: [hashOf('{ me { kind } } #\ufffd')] });
    const answers = ['\\ufffd', '\\ud800'].map(async (character) => {
      const { status } = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bound.secret}`, 'content-type': 'application/json' },
        body: `{"query":"{ me { kind } } #${character}"}`,
      });
      return status;
    });
    expect(await Promise.all(answers)).toEqual([200, 403]);
  });
});

describe('a key with a list of documents', () => {
  const read = 'query Mine { tasks(first: 1) { pageInfo { hasNextPage } } }';
  const two = 'query First { me { kind } } query Second { me { roles } }';
  let bound: Credential;

  beforeAll(async () => {
    const documents = [hashOf(read), hashOf(two), hashOf(trusted)];
    const key = await app.createKey({ scopes: ['tasks:read', 'apiKeys:write'], documents });
    bound = { bearer: key.secret };
  });

  test('sends those alone, whatever else is trusted, as text and as hash', async () => {
    for (const document of [read, trusted]) expect(outcome(await send(document, bound, {}, app.url))).toEqual([200]);
    expect(outcome(await sendHash(hashOf(trusted), bound, {}, app.url))).toEqual([200]);
    for (const url of [app.url, enforcing.url]) {
      for (const query of [other, trustedTasks, `${read} `, '{ __typename }', 'query {', '{ userz { id } }', trap])
        expect([query, ...outcome(await send(query, bound, {}, url))]).toEqual([query, ...forbidden]);
      expect(outcome(await sendHash(hashOf(trustedTasks), bound, {}, url))).toEqual(forbidden);
    }
  });

  test('sends no untrusted document where they are enforced: whoever makes a key does not make a document trusted', async () => {
    expect(outcome(await send(read, bound))).toEqual(untrusted);
    expect(outcome(await send(trusted, bound))).toEqual([200]);
  });

  test('chooses among the operations of its documents, and of no other', async () => {
    for (const operationName of ['First', 'Second'])
      expect(outcome(await send(two, bound, { operationName }, app.url))).toEqual([200]);
    expect(outcome(await send(trap, bound, { operationName: 'WhoAmI' }, app.url))).toEqual(forbidden);
  });

  test('is bound in every process, and after a rotation', async () => {
    const key = await app.createKey({ scopes: ['tasks:read'], documents: [hashOf(trusted)] });
    const { rotateApiKey } = await app.succeed(
      'mutation($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 60) { secret } }',
      { id: key.id },
      admin,
    );
    for (const url of [app.url, enforcing.url])
      for (const secret of [key.secret, rotateApiKey.secret]) {
        expect(outcome(await send(trusted, { bearer: secret }, {}, url))).toEqual([200]);
        expect(outcome(await send(trustedTasks, { bearer: secret }, {}, url))).toEqual(forbidden);
      }
  });

  test('shows its list, and a key without one shows null', async () => {
    const query = 'query($id: ID!) { apiKey(id: $id) { documents } }';
    const listed = await app.createKey({ scopes: ['tasks:read'], documents: [hashOf(trusted)] });
    const free = await app.createKey({ scopes: ['tasks:read'] });
    expect((await app.succeed(query, { id: listed.id }, admin)).apiKey.documents).toEqual([hashOf(trusted)]);
    expect((await app.succeed(query, { id: free.id }, admin)).apiKey.documents).toBeNull();
  });

  test('makes keys that are bound to no more', async () => {
    const make = 'mutation Make($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
    const maker = await app.createKey({
      ...{ scopes: ['tasks:read', 'apiKeys:write'], documents: [hashOf(make), hashOf(trusted)] },
    });
    const tryMake = (documents: string[] | null) =>
      send(
        make,
        { bearer: maker.secret },
        { variables: { input: { name: 'made', scopes: ['tasks:read'], documents } } },
        app.url,
      );
    for (const documents of [null, [hashOf(read)], [hashOf(trusted), hashOf(read)]])
      expect(problemFieldsOf(await tryMake(documents))).toEqual(['input.documents']);
    expect(codesOf(await tryMake([hashOf(trusted)]))).toEqual([]);
  });
});

describe('where they are logged', () => {
  test('an untrusted document runs, and is in the log once, by its hash and name alone', async () => {
    const secret = `query Planted { apiKey(id: "planted-literal") { id } me { kind } }`;
    const good = 'query Logged { me { kind } }';
    for (const _ of [1, 2, 3]) expect(outcome(await send(good, admin, {}, app.url))).toEqual([200]);
    await send(secret, admin, {}, app.url);
    await send(trusted, admin, {}, app.url);
    await send('query Refused { me { kind } }', null, {}, app.url);
    await send('query Broken {', admin, {}, app.url);
    const lines = (await readLog(app)).split('\n').filter((line) => line.includes('document that is not trusted'));
    const notes = lines.map((line) => JSON.parse(line));
    const noteOf = (query: string) => notes.filter(({ document }) => document === hashOf(query));
    expect(noteOf(good)).toEqual([expect.objectContaining({ level: 'warn', operationName: 'Logged' })]);
    expect(noteOf(secret)).toHaveLength(1);
    for (const query of [trusted, 'query Refused { me { kind } }', 'query Broken {']) expect(noteOf(query)).toEqual([]);
    expect(lines.join('\n')).not.toMatch(/planted-literal|me \{/);
  });

  test('a hash that is unknown finds nothing, also after its text has run', async () => {
    expect(outcome(await sendHash(hashOf(other), admin, { query: other }, app.url))).toEqual([200]);
    expect(outcome(await sendHash(hashOf(other), admin, {}, app.url))).toEqual([200, 'PERSISTED_QUERY_NOT_FOUND']);
  });
});

test('Apollo Client with its link for persisted queries sends hashes alone', async () => {
  const document = gql(trusted);
  const sent: string[] = [];
  const client = new ApolloClient({
    cache: new InMemoryCache({ addTypename: false } as object),
    link: ApolloLink.from([
      new PersistedQueryLink({ generateHash: () => hashOf(trusted) }),
      new HttpLink({
        uri: `${enforcing.url}/graphql`,
        headers: { authorization: `Bearer ${app.admin.accessToken}` },
        fetch: (url, init) => {
          sent.push(String(init?.body));
          return fetch(url, init);
        },
      }),
    ]),
  });
  const { data } = await client.query({ query: document, fetchPolicy: 'no-cache' });
  expect(data).toMatchObject({ me: { kind: 'ACCESS_TOKEN' } });
  expect(sent.map((body) => JSON.parse(body).query)).toEqual([undefined]);
  expect(print(document)).not.toBe(trusted);
});

test('without TRUSTED_DOCUMENTS hashes are not supported, and any document runs', async () => {
  const plain = await app.startAnother({ env: { TRUSTED_DOCUMENTS: '' } });
  try {
    expect(outcome(await sendHash(hashOf(trusted), admin, {}, plain.url))).toEqual([
      200,
      'PERSISTED_QUERY_NOT_SUPPORTED',
    ]);
    expect(outcome(await send(other, admin, {}, plain.url))).toEqual([200]);
  } finally {
    await plain.stop();
  }
});
