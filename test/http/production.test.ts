import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

const kibibyte = 1024;
const origin = 'https://console.example.com';
const submitBatch = `mutation($inputs: [TelemetryInput!]!) {
  submitTelemetryBatch(inputs: $inputs) { accepted duplicates rejected { index } }
}`;

let app: TestApp;
let agent: { bearer: string };

beforeAll(async () => {
  app = await startApp({ env: { NODE_ENV: 'production', MASTER_KEY: 'ab'.repeat(32), CORS_ORIGINS: origin } });
  agent = { bearer: (await app.createKey({ agentId: 'agent-1', scopes: ['telemetry:write'] })).secret };
});
afterAll(() => app?.stop());

/** A batch of 1,000 readings whose request has about so many bytes. */
function batchOf(bytes: number) {
  const perReading = Math.floor(bytes / 1000) - 120;
  const metrics = Object.fromEntries(
    Array.from({ length: Math.max(1, Math.floor(perReading / 35)) }, (_, index) => [
      `metric_${String(index).padStart(20, '_')}`,
      0.25,
    ]),
  );
  return Array.from({ length: 1000 }, (_, index) => ({
    agentId: 'agent-1',
    timestamp: new Date(Date.now() - index * 1000).toISOString(),
    metrics,
    status: 'ACTIVE',
  }));
}

const sizeOf = (query: string, variables: object) => Buffer.byteLength(JSON.stringify({ query, variables }));

describe('in production', () => {
  test('the schema does not show itself, by introspection or by suggestion', async () => {
    const introspection = await app.request('{ __schema { types { name } } }');
    expect({ status: introspection.status, data: introspection.data }).toEqual({ status: 400, data: undefined });
    const credential = { bearer: app.admin.accessToken };
    expect((await app.request('{ __type(name: "Task") { name } }', {}, credential)).status).toBe(400);
    const mistake = await app.request('{ task(id: "x") { nam } tasksss { x } }');
    expect(mistake.text).not.toMatch(/did you mean/i);
    expect(mistake.text).not.toContain('"name"');
  });

  test.each(['text/html', 'application/json', '*/*'])('GET /graphql is nothing: Accept: %s', async (accept) => {
    const response = await fetch(`${app.url}/graphql?query={__typename}`, { headers: { accept } });
    expect({ status: response.status, allow: response.headers.get('allow') }).toEqual({ status: 405, allow: 'POST' });
    expect(await response.text()).not.toMatch(/sandbox|__typename|<html/i);
  });

  test('cookies, keys and headers are those of production', async () => {
    const { email, password } = app.admin;
    const query = `mutation($email: EmailAddress!, $password: String!) { login(email: $email, password: $password) { session { id } } }`;
    const { headers } = await app.request(query, { email, password });
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-nexus\.sid=\S+; .*HttpOnly; Secure; SameSite=Strict/),
    ]);
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
    expect(agent.bearer).toMatch(/^nxk_live_/);
    const me = await app.request('{ me { kind } }', {}, { cookie: app.admin.cookie });
    expect(me.data).toEqual({ me: { kind: 'SESSION' } });
  });

  test('answers are for the named origin and for no other', async () => {
    const ask = (from: string) => app.request('{ __typename }', {}, null, { origin: from });
    const allowed = (await ask(origin)).headers;
    expect(allowed.get('access-control-allow-origin')).toBe(origin);
    expect(allowed.get('access-control-allow-credentials')).toBe('true');
    for (const other of [
      'https://evil.example',
      'null',
      `${origin}.evil.example`,
      'http://console.example.com',
      'https://studio.apollographql.com',
    ])
      expect((await ask(other)).headers.get('access-control-allow-origin'), other).toBeNull();
    const preflight = await fetch(`${app.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('bodies', () => {
  test('a stranger may send 256 KiB and no more', async () => {
    const fill = (bytes: number) => ({ filler: 'x'.repeat(bytes - sizeOf('{ __typename }', { filler: '' })) });
    expect((await app.request('{ __typename }', fill(256 * kibibyte))).status).toBe(200);
    const { status, errors } = await app.request('{ __typename }', fill(256 * kibibyte + 1));
    expect({ status, errors }).toEqual({
      status: 413,
      errors: [{ message: 'The body is too large.', extensions: { code: 'BAD_REQUEST' } }],
    });
  });

  test('an agent sends 1,000 readings of nearly 2 MiB at once, and over 2 MiB none', async () => {
    const inputs = batchOf(1900 * kibibyte);
    expect(sizeOf(submitBatch, { inputs })).toBeGreaterThan(1700 * kibibyte);
    expect(sizeOf(submitBatch, { inputs })).toBeLessThan(2048 * kibibyte);
    expect(await app.succeed(submitBatch, { inputs }, agent)).toEqual({
      submitTelemetryBatch: { accepted: 1000, duplicates: 0, rejected: [] },
    });
    const over = { inputs, filler: 'x'.repeat(2048 * kibibyte) };
    expect((await app.request(submitBatch, over, agent)).status).toBe(413);
  });

  test('nobody sends anything else of more than 256 KiB, or with a credential that is bad', async () => {
    const filler = 'x'.repeat(300 * kibibyte);
    const inputs = batchOf(300 * kibibyte);
    const admin = { bearer: app.admin.accessToken };
    expect((await app.request('{ me { kind } }', { filler }, admin)).status).toBe(413);
    const beside = `mutation($inputs: [TelemetryInput!]!) { logout { session { id } } submitTelemetryBatch(inputs: $inputs) { accepted } }`;
    expect((await app.request(beside, { inputs }, admin)).status).toBe(413);
    expect((await app.request(submitBatch, { inputs })).status).toBe(413);
    expect([401, 413]).toContain((await app.request(submitBatch, { inputs }, { bearer: 'nxk_live_x' })).status);
    expect((await app.request('{ me { kind } }', {}, admin)).errors).toBeUndefined();
  });
});
