import { serverAudits } from 'graphql-http';
import { afterEach, expect, test } from 'vitest';
import { eventsOf, post, startServer, type TestServer } from './harness.ts';

const kibibyte = 1024;
const apiKey = { 'x-api-key': `nxk_test_${'a'.repeat(49)}` };
let server: TestServer | undefined;

async function start(...args: Parameters<typeof startServer>): Promise<TestServer> {
  server = await startServer(...args);
  return server;
}

async function stop() {
  const lines = (await server?.stop()) ?? [];
  server = undefined;
  return lines;
}

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

function queryOf(bytes: number): string {
  const body = { query: 'query ($text: String) { echo(text: $text) }', variables: { text: '' } };
  return JSON.stringify({ ...body, variables: { text: 'x'.repeat(bytes - JSON.stringify(body).length) } });
}

test('what the GraphQL-over-HTTP specification demands holds', async () => {
  const { url } = await start();
  for (const audit of serverAudits({ url: `${url}/graphql`, fetchFn: fetch })) {
    const result = await audit.fn();
    // What a server may do is reported as a notice, and what it should as a warning.
    expect(result.status, `${audit.id} ${audit.name}`).not.toBe('error');
  }
});

test('an anonymous body is at most 256 KiB, whether its length is announced or not', async () => {
  const { url } = await start();
  expect((await post(url, queryOf(256 * kibibyte))).status).toBe(200);
  const announced = await post(url, queryOf(256 * kibibyte + 1));
  const text = queryOf(256 * kibibyte + 1);
  const chunked = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new Blob([text]).stream(),
    duplex: 'half',
  });
  for (const response of [announced, chunked]) {
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({
      errors: [{ message: 'The body is too large.', extensions: { code: 'BAD_REQUEST' } }],
    });
  }
  expect(eventsOf(await stop()).map(({ status }) => status)).toEqual([200, 413, 413]);
});

test('with a credential a body may have 2 MiB, and its length is told to whoever decides', async () => {
  const { url, seen } = await start();
  expect((await post(url, queryOf(2048 * kibibyte), apiKey)).status).toBe(200);
  expect(seen.at(-1)?.bodyBytes).toBe(2048 * kibibyte);
  expect((await post(url, queryOf(2048 * kibibyte + 1), apiKey)).status).toBe(413);
});

test('the document is at most 256 KiB for everybody', async () => {
  const { url, seen } = await start();
  const query = `{ hello } #${'x'.repeat(256 * kibibyte)}`;
  expect((await post(url, { query }, apiKey)).status).toBe(413);
  expect(seen).toHaveLength(0);
});

test('credentials reach the context, and two of them as a refusal', async () => {
  const { url, seen } = await start();
  const cookie = 'nexus.sid=secret';
  await post(url, { query: '{ hello }' }, apiKey);
  await post(url, { query: '{ hello }' }, { cookie });
  await post(url, { query: '{ hello }' }, { cookie, ...apiKey });
  expect(seen.map(({ credentials }) => credentials.kind)).toEqual(['API_KEY', 'SESSION', 'REFUSED']);
});

test('what the GraphQL layer notes is in the event', async () => {
  const { url } = await start(
    {},
    {
      createContext: async (request) => {
        const nobody = { roles: [], scopes: new Set<never>(), tier: 'FREE', agentId: null, sessionId: null } as const;
        Object.assign(request.notes, {
          operationName: 'Hello',
          operationType: 'query',
          codes: ['FORBIDDEN'],
          caller: { ...nobody, kind: 'API_KEY', userId: 'user_1', apiKeyId: 'key_1' },
        });
        return { request };
      },
    },
  );
  await post(url, { query: '{ hello }' });
  expect(eventsOf(await stop())).toMatchObject([
    {
      operationName: 'Hello',
      operationType: 'query',
      codes: ['FORBIDDEN'],
      callerKind: 'USER',
      callerId: 'user_1',
      credentialId: 'key_1',
    },
  ]);
});

test('a bug in the context is a 500 that says nothing but the request id, and is logged', async () => {
  const { url } = await start(
    {},
    {
      createContext: () => Promise.reject(Object.assign(new Error('select hunter2 from users'), { query: 'select' })),
    },
  );
  const response = await post(url, { query: '{ hello }' }, { 'x-request-id': 'broken-1' });
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({
    errors: [
      {
        message: 'Internal server error.',
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'broken-1' },
      },
    ],
  });
  const lines = await stop();
  expect(lines).toMatchObject([
    { level: 'error', requestId: 'broken-1', error: { name: 'Error' } },
    { event: 'request', status: 500, codes: ['INTERNAL_SERVER_ERROR'] },
  ]);
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

test('the session cookie is for this server alone, and no script reads it', async () => {
  const { url } = await start();
  const setting = await post(url, { query: 'mutation { logIn(value: "a.b-c_d") }' });
  expect(setting.headers.getSetCookie()).toEqual([
    'nexus.sid=a.b-c_d; Max-Age=86400; Path=/; HttpOnly; SameSite=Strict',
  ]);
  const clearing = await post(url, { query: 'mutation { a: logIn(value: "x") b: logIn }' });
  expect(clearing.headers.getSetCookie()).toEqual([
    'nexus.sid=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict',
  ]);
});

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://db/x',
  REDIS_URL: 'redis://cache',
  MASTER_KEY: 'ab'.repeat(32),
};

test('in production cookies are Secure and browsers are told to stay with HTTPS', async () => {
  const { url } = await start(production);
  const response = await post(url, { query: 'mutation { logIn(value: "x") }' });
  expect(response.headers.getSetCookie()).toEqual([
    '__Host-nexus.sid=x; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Strict',
  ]);
  expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
});

const preflight = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
};

test('an allowed origin gets its preflight and its answers, with credentials', async () => {
  const { url } = await start({ ...production, CORS_ORIGINS: 'https://a.example,https://b.example' });
  const origin = 'https://b.example';
  const asked = await fetch(`${url}/graphql`, { method: 'OPTIONS', headers: { origin, ...preflight } });
  expect(asked.status).toBe(204);
  expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
  expect(asked.headers.get('access-control-allow-credentials')).toBe('true');
  expect(asked.headers.get('access-control-allow-methods')).toBe('POST');
  expect(asked.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
  expect(asked.headers.get('vary')).toContain('Origin');
  const answered = await post(url, { query: '{ hello }' }, { origin });
  expect(answered.headers.get('access-control-allow-origin')).toBe(origin);
  const exposed = answered.headers.get('access-control-expose-headers');
  for (const name of ['X-Request-Id', 'Retry-After', 'Nexus-Key-Deprecated']) expect(exposed).toContain(name);
  expect(eventsOf(await stop()).map(({ method, status }) => [method, status])).toEqual([
    ['OPTIONS', 204],
    ['POST', 200],
  ]);
});

test.each(['https://evil.example', 'https://a.example.evil.example', 'http://a.example', 'null'])(
  'the origin %s gets no header that allows anything',
  async (origin) => {
    for (const environment of [{ CORS_ORIGINS: 'https://a.example' }, {}, { NODE_ENV: 'development' }]) {
      const { url } = await start(environment);
      const asked = await fetch(`${url}/graphql`, { method: 'OPTIONS', headers: { origin, ...preflight } });
      const answered = await post(url, { query: '{ hello }' }, { origin });
      for (const { headers } of [asked, answered]) {
        expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
      expect(asked.status).toBe(405);
      await stop();
    }
  },
);

test('a browser gets Apollo Sandbox in development, whose policy lets it run and no more', async () => {
  const { url } = await start({ NODE_ENV: 'development' });
  const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
  const response = await fetch(`${url}/graphql`, { headers });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const policy = response.headers.get('content-security-policy') ?? '';
  const page = await response.text();
  expect(page).toContain('https://embeddable-sandbox.cdn.apollographql.com/');
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain('frame-src https://sandbox.embed.apollographql.com');
  expect(policy).not.toMatch(/unsafe|\*/);
  for (const element of ['script', 'style']) {
    const source = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(page)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(source));
    expect(policy).toContain(`${element}-src 'sha256-${Buffer.from(digest).toString('base64')}'`);
  }
  expect((await fetch(`${url}/graphql?query={hello}`)).status).toBe(405);
});

test.each([{}, production])('there is no Sandbox outside development', async (environment) => {
  const { url } = await start(environment);
  const response = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
  expect(response.status).toBe(405);
  expect(response.headers.get('content-type')).toContain('application/json');
});

test('X-Forwarded-For counts from a trusted proxy alone, and only where it is an address', async () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.9' };
  const trusting = await start({ TRUST_PROXY: '127.0.0.0/8' });
  await post(trusting.url, { query: '{ hello }' }, forwarded);
  await post(trusting.url, { query: '{ hello }' }, { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' });
  await post(trusting.url, { query: '{ hello }' }, { 'x-forwarded-for': 'hello' });
  expect(trusting.seen.map(({ ip }) => ip)).toEqual(['203.0.113.9', '203.0.113.9', '127.0.0.1']);
  await stop();
  for (const environment of [{}, { TRUST_PROXY: '10.0.0.0/8' }]) {
    const { url, seen } = await start(environment);
    await post(url, { query: '{ hello }' }, forwarded);
    expect(seen.map(({ ip }) => ip)).toEqual(['127.0.0.1']);
    await stop();
  }
});
