import { setTimeout } from 'node:timers/promises';
import { hashApiKey } from '../../../src/apiKeys/secret.ts';
import { post, succeed } from '../post.ts';
import type { Victim, World } from './world.ts';

const parallelRotations = 50;
const roundsAtOnce = 5;
/** How long after its end a secret may still work in the process that did not end it. */
const endsWithinMs = 1_000;

/** What went otherwise than it must. */
export type Rotations = { rounds: number; codes: Map<string, number>; faults: string[] };

const rotateQuery = 'mutation($id: ID!, $overlap: Int) { rotateApiKey(id: $id, overlapSeconds: $overlap) { secret } }';

/**
 * Of 50 rotations of a key at once, sent with the key itself to both processes, one succeeds: the others come with a
 * secret that is no longer that of the key. Its secret alone works afterwards.
 */
export async function rotateInParallel(world: World, rounds: number): Promise<Rotations> {
  const result: Rotations = { rounds, codes: new Map(), faults: [] };
  for (const { key } of await world.createVictims(rounds, 'OPERATOR')) {
    const answers = await Promise.all(
      Array.from({ length: parallelRotations }, (_, index) =>
        post(world.urls[index % 2] ?? '', { bearer: key.secret }, rotateQuery, { id: key.id, overlap: 0 }),
      ),
    );
    for (const { code } of answers) result.codes.set(code, (result.codes.get(code) ?? 0) + 1);
    const secrets = answers.filter(({ code }) => code === 'OK').map(({ data }) => data.rotateApiKey.secret);
    if (secrets.length !== 1) result.faults.push(`${key.id}: ${secrets.length} of the rotations succeeded`);
    const [row] = await world.sql`select secret_hash, previous_secret_hash from api_keys where id = ${key.id}`;
    if (row?.secret_hash !== hashApiKey(secrets[0] ?? '') || row?.previous_secret_hash !== null)
      result.faults.push(`${key.id}: Postgres has another secret`);
    for (const url of world.urls) {
      if (!(await works(url, secrets[0]))) result.faults.push(`${key.id}: the new secret does not work`);
      if (!(await endsInTime(url, key.secret))) result.faults.push(`${key.id}: the old secret works`);
    }
  }
  return result;
}

/**
 * Of 50 rotations of a key at once, sent by its owner's session to both processes, one succeeds and the others are
 * CONFLICT; the secret from before works to the end of the overlap.
 */
export async function rotateByOwner(world: World, rounds: number): Promise<Rotations> {
  const result: Rotations = { rounds, codes: new Map(), faults: [] };
  for (const { key, cookie } of await world.createVictims(rounds, 'OPERATOR')) {
    const urls = Array.from({ length: parallelRotations }, (_, index) => world.urls[index % 2] ?? '');
    // The connections are there before: a request that comes when another one was answered comes after it.
    await Promise.all(urls.map((url) => post(url, { cookie }, '{ me { kind } }')));
    const answers = await Promise.all(
      urls.map((url) => post(url, { cookie }, rotateQuery, { id: key.id, overlap: 600 })),
    );
    for (const { code } of answers) result.codes.set(code, (result.codes.get(code) ?? 0) + 1);
    const winners = answers.filter(({ code }) => code === 'OK');
    const losers = answers.filter(({ code }) => code === 'CONFLICT');
    if (winners.length !== 1 || losers.length !== parallelRotations - 1)
      result.faults.push(`${key.id}: ${winners.length} of the rotations succeeded, ${losers.length} were CONFLICT`);
    for (const secret of [key.secret, winners[0]?.data.rotateApiKey.secret])
      if (!(await works(world.urls[0] ?? '', secret))) result.faults.push(`${key.id}: a secret does not work`);
  }
  return result;
}

/** A rotation and a revocation of a key at once leave no secret that works. */
export async function rotateAndRevoke(world: World, rounds: number): Promise<Rotations> {
  const result: Rotations = { rounds, codes: new Map(), faults: [] };
  const victims = await world.createVictims(rounds, 'OPERATOR');
  for (let at = 0; at < rounds; at += roundsAtOnce) {
    const batch = victims.slice(at, at + roundsAtOnce);
    await Promise.all(batch.map((victim, index) => rotateAndRevokeOne(world, victim, at + index, result)));
  }
  return result;
}

async function rotateAndRevokeOne(world: World, victim: Victim, turn: number, result: Rotations): Promise<void> {
  const { key, cookie } = victim;
  const [first, second] = turn % 2 === 0 ? world.urls : world.urls.toReversed();
  const rotation = { id: key.id, overlap: turn % 4 < 2 ? 0 : 600 };
  const revocation = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }';
  const [rotated] = await Promise.all([
    jitter().then(() => post(first ?? '', { cookie }, rotateQuery, rotation)),
    jitter().then(() => succeed(second ?? '', world.admin(turn), revocation, { id: key.id })),
  ]);
  result.codes.set(rotated.code, (result.codes.get(rotated.code) ?? 0) + 1);
  const secrets = [key.secret, ...(rotated.code === 'OK' ? [rotated.data.rotateApiKey.secret] : [])];
  for (const url of world.urls)
    for (const secret of secrets)
      if (!(await endsInTime(url, secret))) result.faults.push(`${key.id}: a secret works after the revocation`);
}

/** Either may come first, and they may meet. */
function jitter(): Promise<void> {
  return setTimeout(Math.random() * 8);
}

async function works(url: string, secret: string | undefined): Promise<boolean> {
  return secret !== undefined && (await post(url, { bearer: secret }, '{ me { kind } }')).code === 'OK';
}

async function endsInTime(url: string, secret: string): Promise<boolean> {
  const begunAt = performance.now();
  while (await works(url, secret)) if (performance.now() - begunAt > endsWithinMs) return false;
  return true;
}
