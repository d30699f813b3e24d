import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { createCertificate } from '../support/certificate.ts';

let app: TestApp;

beforeAll(async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-tls-'));
  const { cert, key } = createCertificate();
  const files = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
  const env: Record<string, string> = { NODE_ENV: 'production', MASTER_KEY: '5a'.repeat(32) };
  for (const [name, text] of Object.entries(files)) {
    env[name] = path.join(directory, `${name}.pem`);
    await writeFile(env[name], text);
  }
  setDefaultCACertificates([...getCACertificates('default'), cert]);
  app = await startApp({ env });
  await rm(directory, { recursive: true });
});
afterAll(() => app?.stop());

test('in production over TLS the session cookie has every flag, on the wire', async () => {
  const { email, password } = app.admin;
  const query =
    'mutation($email: EmailAddress!, $password: String!) { login(email: $email, password: $password) { user { id } } }';
  const rawHeaders = await post(JSON.stringify({ query, variables: { email, password } }));
  const cookies = rawHeaders.filter((_, index) => index % 2 === 1 && /^set-cookie$/i.test(rawHeaders[index - 1] ?? ''));
  expect(cookies).toHaveLength(1);
  const [pair = '', ...attributes] = (cookies[0] ?? '').split('; ');
  expect(pair).toMatch(/^__Host-nexus\.sid=sess_\w{26}\.[\w-]{43}$/);
  expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=86400', 'Path=/', 'SameSite=Strict', 'Secure']);
});

test('the cookie works over TLS from our own page, and a cleared one keeps its flags', async () => {
  const credential = { cookie: app.admin.cookie };
  const answer = await app.request('{ me { kind } }', {}, credential, { origin: app.url });
  expect(answer.data).toEqual({ me: { kind: 'SESSION' } });
  const out = await app.request('mutation { logout { session { id } } }', {}, credential, { origin: app.url });
  expect(out.headers.getSetCookie()).toEqual([
    '__Host-nexus.sid=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Strict',
  ]);
});

/** The headers of the answer, as they came. */
function post(body: string): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, agent: false };
  const sent = request(`${app.url}/graphql`, options, (response) => {
    response.resume().on('end', () => resolve(response.rawHeaders));
  });
  sent.on('error', reject).end(body);
  return promise;
}
