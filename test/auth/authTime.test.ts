import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

test('auth_time is the time of the log-in, and stays so in every later token of the session', async () => {
  const { sid } = decodeJwt(app.admin.accessToken);
  const createdAt = async () =>
    Number(
      (await app.sql`select floor(extract(epoch from created_at)) as at from sessions where id = ${String(sid)}`)[0]
        ?.at,
    );
  expect(decodeJwt(app.admin.accessToken).auth_time).toBe(await createdAt());

  await app.sql`update sessions set created_at = created_at - interval '30 minutes' where id = ${String(sid)}`;
  const { cookie } = app.admin;
  const { refreshAccessToken } = await app.succeed('mutation { refreshAccessToken { accessToken } }', {}, { cookie });
  const { auth_time, iat = 0 } = decodeJwt(refreshAccessToken.accessToken);
  expect(auth_time).toBe(await createdAt());
  expect(iat - Number(auth_time)).toBeGreaterThanOrEqual(1_800);
});
