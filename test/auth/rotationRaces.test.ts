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
