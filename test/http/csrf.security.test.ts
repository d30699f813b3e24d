import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { readLog } from '../support/readLog.ts';

const allowedOrigin = 'https://console.example.com';
const query = 'mutation { createTask(input: { name: "forged", type: ANALYSIS }) { task { id } } }';
const json = { 'content-type': 'application/json' };
const body = JSON.stringify({ query });

let app: TestApp;
let cookie: string;
let accessToken: string;
let own: string;

beforeAll(async () => {
  app = await startApp({ env: { CORS_ORIGINS: allowedOrigin } });
  ({ cookie, accessToken } = await app.createPerson('OPERATOR'));
  own = new URL(app.url).host;
});
afterAll(() => app.stop());
beforeEach(async () => void (await app.sql`delete from tasks`));

/** Sends it with a living session's cookie, as a browser would. */
const forge = (init: RequestInit, path = '/graphql') =>
  fetch(`${app.url}${path}`, { method: 'POST', ...init, headers: { cookie, ...init.headers } });
const tasks = async () => (await app.sql`select 1 from tasks`).length;

test('the cookie does create a task where nothing is wrong', async () => {
  expect((await forge({ headers: json, body })).status).toBe(200);
  expect(await tasks()).toBe(1);
});

describe('the cookie does nothing', () => {
  test.each(['GET', 'HEAD'])('with %s, for a query or for a mutation', async (method) => {
    for (const [what, accept] of [
      [query, 'application/json'],
      [query, 'text/html'],
      ['{me{kind}}', 'application/json'],
    ] as const) {
      const path = `/graphql?query=${encodeURIComponent(what)}`;
      const response = await forge({ method, headers: { accept, ...json } }, path);
      expect([response.status, response.headers.getSetCookie()]).toEqual([405, []]);
      expect(await response.text()).not.toContain('SESSION');
    }
    expect(await tasks()).toBe(0);
  });

  test.each<[string, Record<string, string>, NonNullable<RequestInit['body']>]>([
    ['the form of a page', {}, new URLSearchParams({ query })],
    ['the form of a page that is JSON by its text', { 'content-type': 'application/x-www-form-urlencoded' }, body],
    ['text', { 'content-type': 'text/plain' }, body],
    ['text that calls itself JSON', { 'content-type': 'text/plain; application/json' }, body],
    ['a form with files', {}, formOf({ query })],
    ['a form with files, as uploads to GraphQL are sent', {}, formOf({ operations: body, map: '{}' })],
    ['no type', { 'content-type': '' }, body],
  ])('in %s', async (_what, headers, sent) => {
    for (const origin of [{}, { origin: `http://${own}` }, { origin: allowedOrigin }]) {
      const response = await forge({ headers: { ...headers, ...origin }, body: sent });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    }
    expect(await tasks()).toBe(0);
  });

  test.each<[string, () => Record<string, string>]>([
    ['another site', () => ({ origin: 'https://evil.example' })],
    ['a page without an origin', () => ({ origin: 'null' })],
    ['an empty origin', () => ({ origin: '' })],
    ['another port of our host', () => ({ origin: 'http://127.0.0.1:1' })],
    ['a host that begins as ours', () => ({ origin: `http://${own}.evil.example` })],
    ['a host that ends as ours', () => ({ origin: `http://evil.example/${own}` })],
    ['our host as a user’s name', () => ({ origin: `http://${own}@evil.example` })],
    ['our host by another scheme', () => ({ origin: `ftp://${own}` })],
    ['an allowed origin by another scheme', () => ({ origin: allowedOrigin.replace('https', 'http') })],
    ['a host below an allowed one', () => ({ origin: allowedOrigin.replace('console', 'x.console') })],
    ['an allowed origin and another', () => ({ origin: `${allowedOrigin}, https://evil.example` })],
    ['another site that the browser tells of without an Origin', () => ({ 'sec-fetch-site': 'cross-site' })],
    [
      'another site, whatever Sec-Fetch-Site',
      () => ({ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }),
    ],
    [
      'another site that claims our host',
      () => ({ origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' }),
    ],
  ])('from %s', async (_where, headers) => {
    const requestId = crypto.randomUUID();
    const response = await forge({ headers: { ...json, 'x-request-id': requestId, ...headers() }, body });
    expect(response.status).toBe(403);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.json()).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'FORBIDDEN' } }],
    });
    expect(await tasks()).toBe(0);
    const events = (await readLog(app)).split('\n').filter((line) => line.includes(requestId));
    expect(events.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ event: 'request', status: 403, codes: ['FORBIDDEN'], callerKind: 'ANONYMOUS' }),
    ]);
  });
});

describe('the cookie works', () => {
  test.each<[string, () => Record<string, string>]>([
    ['our own page', () => ({ origin: `http://${own}`, 'sec-fetch-site': 'same-origin' })],
    ['our own page behind a proxy that ends TLS', () => ({ origin: `https://${own}` })],
    ['an allowed origin', () => ({ origin: allowedOrigin, 'sec-fetch-site': 'cross-site' })],
    ['what is no browser', () => ({})],
    ['a browser that sends no Origin from our own page', () => ({ 'sec-fetch-site': 'same-origin' })],
  ])('from %s', async (_where, headers) => {
    const response = await forge({ headers: { ...json, ...headers() }, body });
    expect([response.status, await tasks()]).toEqual([200, 1]);
  });

  test('from the page of the host that a trusted proxy names', async () => {
    const behind = await startApp({ env: { TRUST_PROXY: '127.0.0.0/8' } });
    try {
      const credential = { cookie: behind.admin.cookie };
      const ask = async (origin: string) =>
        (await behind.request('{ me { kind } }', {}, credential, { origin, 'x-forwarded-host': 'Nexus.example:443' }))
          .status;
      expect(await ask('https://nexus.example')).toBe(200);
      expect(await ask('https://evil.example')).toBe(403);
    } finally {
      await behind.stop();
    }
  });
});

test('a credential that browsers do not send by themselves works from everywhere, and so does none', async () => {
  const key = await app.createKey({ role: 'OPERATOR', scopes: ['tasks:write'] });
  const foreign = { ...json, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  for (const secret of [accessToken, key.secret]) {
    const headers = { ...foreign, authorization: `Bearer ${secret}` };
    expect((await fetch(`${app.url}/graphql`, { method: 'POST', headers, body })).status).toBe(200);
  }
  expect(await tasks()).toBe(2);
  expect((await app.request('{ __typename }', {}, null, foreign)).status).toBe(200);
});

function formOf(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}
