import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Person, send, startApp, type TestApp } from '../support/app.ts';
import { codesOf } from '../support/operations.ts';

const rounds = 5;
const parallelRotations = 50;

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

const rotation = 'mutation($id: ID!, $overlap: Int) { rotateApiKey(id: $id, overlapSeconds: $overlap) { secret } }';
const revocation = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }';
const statusAt = async (url: string, secret: string) =>
  (await send(url, '{ me { kind } }', {}, { bearer: secret })).status;

async function createKey(): Promise<{ owner: Person; id: string; secret: string }> {
  const owner = await app.createPerson('OPERATOR');
  const scopes = ['apiKeys:write'];
  return { owner, ...(await app.createKey({ role: 'OPERATOR', scopes }, { bearer: owner.accessToken })) };
}

/** Where it was not ended itself, a secret may work for a moment more. */
async function expectEnd(secret: string): Promise<void> {
  for (const url of [app.url, other.url])
    await expect.poll(() => statusAt(url, secret), { interval: 20, timeout: 1_000 }).toBe(401);
}

test('of many rotations at once that a key makes of itself one succeeds, and its secret alone works', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const { id, secret: old } = await createKey();
    const answers = await Promise.all(
      Array.from({ length: parallelRotations }, (_, index) =>
        send(index % 2 === 0 ? app.url : other.url, rotation, { id, overlap: 0 }, { bearer: old }),
      ),
    );
    const [winner, ...others] = answers.filter(({ errors }) => !errors);
    expect(others).toEqual([]);
    const refusals = new Set(answers.filter((answer) => answer !== winner).flatMap(codesOf));
    expect(['CONFLICT', 'UNAUTHENTICATED']).toEqual(expect.arrayContaining([...refusals]));
    const secret = winner?.data.rotateApiKey.secret;
    expect([await statusAt(app.url, secret), await statusAt(other.url, secret)]).toEqual([200, 200]);
    await expectEnd(old);
  }
});

test('of many rotations at once that people make, with sessions and tokens, one succeeds and the others are CONFLICT', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const { owner, id, secret: old } = await createKey();
    const credentials = [owner, { bearer: owner.accessToken }];
    const credentialOf = (index: number) => credentials[index % credentials.length] ?? null;
    // Over connections that are there already: a request that comes once another one was answered comes after it.
    const urls = Array.from({ length: parallelRotations }, (_, index) => (index % 4 < 2 ? app.url : other.url));
    await Promise.all(urls.map((url, index) => send(url, '{ me { kind } }', {}, credentialOf(index))));
    const answers = await Promise.all(
      urls.map((url, index) => send(url, rotation, { id, overlap: 600 }, credentialOf(index))),
    );
    const [winner, ...others] = answers.filter(({ errors }) => !errors);
    expect(others).toEqual([]);
    expect(new Set(answers.filter((answer) => answer !== winner).flatMap(codesOf))).toEqual(new Set(['CONFLICT']));
    const secret = winner?.data.rotateApiKey.secret;
    expect([await statusAt(app.url, secret), await statusAt(other.url, old)]).toEqual([200, 200]);
  }
});

test('whoever rotates one time after the other gets a secret each time', async () => {
  const { owner, id } = await createKey();
  const secrets = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const { errors, data } = await send(app.url, rotation, { id, overlap: 600 }, owner);
    expect(errors).toBeUndefined();
    secrets.push(data.rotateApiKey.secret);
  }
  const statuses = await Promise.all(secrets.map((secret) => statusAt(app.url, secret)));
  expect(statuses).toEqual([...Array(8).fill(401), 200, 200]);
});

test('a rotation and a revocation at once leave no secret that works', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const { owner, id, secret: old } = await createKey();
    const [revokingUrl, rotatingUrl] = round % 2 === 0 ? [app.url, other.url] : [other.url, app.url];
    const [revoked, rotated] = await Promise.all([
      send(revokingUrl, revocation, { id }, { bearer: app.admin.accessToken }),
      send(rotatingUrl, rotation, { id, overlap: 600 }, { bearer: owner.accessToken }),
    ]);
    expect(revoked.errors).toBeUndefined();
    await expectEnd(old);
    if (!rotated.errors) await expectEnd(rotated.data.rotateApiKey.secret);
  }
});
