import { generateKeyPairSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMasterKey, parseMasterKeys } from '../../src/auth/masterKey.ts';
import * as signingKeys from '../../src/auth/signingKeys.ts';
import type { Database } from '../../src/storage/db.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import { createDatabase } from '../support/databases.ts';

const masterKeyOf = (setting: string) => createMasterKey(parseMasterKeys(setting).keys);
const oldKey = `old:${'0d'.repeat(32)}`;
const newKey = `new:${'ae'.repeat(32)}`;
const masterKey = masterKeyOf(oldKey);
const hourAndMinuteMs = 3_660_000;

let database: Database;
let sql: postgres.Sql;
let drop: () => Promise<void>;

beforeEach(async () => {
  const created = await createDatabase();
  drop = created.drop;
  database = await openPostgres({ url: created.url });
  sql = postgres(created.url, { max: 1, onnotice: () => undefined });
  await migrate(database, { folder: fileURLToPath(new URL('../../drizzle', import.meta.url)) });
});
afterEach(async () => {
  await database.close();
  await sql.end();
  await drop();
});

const ensure = (key = masterKey) => database.db.transaction((tx) => signingKeys.ensure(tx, key));
const rotate = (options = {}, key = masterKey) => signingKeys.rotate(database.db, key, options);
const load = (key = masterKey) => signingKeys.load(database.db, key);
const loadedKids = async () => (await load()).published.map(({ kid }) => kid);
const epoch = async () =>
  Number((await sql`select epoch from credential_epochs where subject = ${signingKeys.signingKeysSubject}`)[0]?.epoch);

/** The names of the keys of each state. */
async function states() {
  const rows = await sql`select * from signing_keys order by activated_at, created_at`;
  const kidsWhere = (holds: (row: postgres.Row) => boolean) => rows.filter(holds).map(({ kid }) => kid);
  return {
    current: kidsWhere((row) => row.activated_at && !row.retired_at),
    next: kidsWhere((row) => !row.activated_at),
    retired: kidsWhere((row) => row.retired_at),
  };
}

test('of processes that start together one makes a pair of keys, and later ones keep it', async () => {
  await Promise.all(Array.from({ length: 8 }, () => ensure()));
  const made = await states();
  expect(made).toEqual({ current: [expect.any(String)], next: [expect.any(String)], retired: [] });
  const raised = await epoch();
  await ensure();
  expect(await states()).toEqual(made);
  expect(await epoch()).toBe(raised);
  const { current, published } = await load();
  expect(current.kid).toBe(made.current[0]);
  expect(published.map(({ kid, remainingMs }) => ({ kid, remainingMs }))).toContainEqual({
    kid: made.next[0],
    remainingMs: null,
  });
});

test('a rotation makes the next key the current one, retires the one before, and raises the epoch', async () => {
  await ensure();
  const before = await states();
  const raised = await epoch();
  const rotated = await rotate();
  expect(rotated.current).toBe(before.next[0]);
  expect(await states()).toEqual({ current: [rotated.current], next: [rotated.next], retired: before.current });
  expect(await epoch()).toBeGreaterThan(raised);
  expect((await load()).current.kid).toBe(rotated.current);
});

test('rotations at the same time follow one another, and none is lost', async () => {
  await ensure();
  const first = await states();
  const rotations = await Promise.all([...Array.from({ length: 6 }, () => rotate()), ensure(), ensure()]);
  const { current, next, retired } = await states();
  expect([current.length, next.length, retired.length]).toEqual([1, 1, 6]);
  const signed = rotations.flatMap((rotation) => (rotation ? [rotation.current] : []));
  expect(new Set([...first.current, ...signed])).toEqual(new Set([...retired, ...current]));
  expect(new Set(await loadedKids())).toEqual(new Set([...retired, ...current, ...next]));
});

test('a rotation of a database without keys makes them first', async () => {
  await rotate();
  const { current, next, retired } = await states();
  expect([current.length, next.length, retired.length]).toEqual([1, 1, 1]);
});

test('a retired key verifies for an hour and a minute by the clock of the database, and its row stays', async () => {
  await ensure();
  const [old] = (await states()).current;
  await rotate();
  const remainingMs = (await load()).published.find(({ kid }) => kid === old)?.remainingMs ?? 0;
  expect(remainingMs).toBeGreaterThan(hourAndMinuteMs - 30_000);
  expect(remainingMs).toBeLessThanOrEqual(hourAndMinuteMs);

  await sql`update signing_keys set retired_at = now() - interval '3655 seconds' where kid = ${old ?? ''}`;
  expect(await loadedKids()).toContain(old);
  await sql`update signing_keys set retired_at = now() - interval '3661 seconds' where kid = ${old ?? ''}`;
  expect(await loadedKids()).not.toContain(old);
  expect((await states()).retired).toEqual([old]);
});

test('a rotation that revokes leaves no key that has ever signed', async () => {
  await ensure();
  await rotate();
  const { next } = await states();
  const rotated = await rotate({ isRevoking: true });
  expect(rotated.current).toBe(next[0]);
  expect(await states()).toEqual({ current: [rotated.current], next: [rotated.next], retired: [] });
  expect(new Set(await loadedKids())).toEqual(new Set([rotated.current, rotated.next]));
});

test('with another master key nothing is read and nothing is rotated, and the reason names no key but by its name', async () => {
  await ensure();
  const before = await sql`select * from signing_keys order by kid`;
  const reason = 'The master key `old` is needed, and is not among those of MASTER_KEY.';
  await expect(load(masterKeyOf(newKey))).rejects.toThrow(reason);
  await expect(rotate({}, masterKeyOf(newKey))).rejects.toThrow(reason);
  await expect(rotate({ isRevoking: true }, masterKeyOf(newKey))).rejects.toThrow(reason);
  expect(await sql`select * from signing_keys order by kid`).toEqual(before);
});

test('a new master key before the old one reads all, and after two rotations the signing keys are its own', async () => {
  await ensure();
  const both = masterKeyOf(`${newKey},${oldKey}`);
  await rotate({}, both);
  await rotate({}, both);
  await sql`update signing_keys set retired_at = now() - interval '2 hours' where retired_at is not null`;
  expect((await load(masterKeyOf(newKey))).published).toHaveLength(2);
});

test('who can write the table, and has no master key, cannot make a key verify', async () => {
  await ensure();
  const [current = ''] = (await states()).current;
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  await sql`update signing_keys set public_key = ${x}`;
  expect((await load()).published.map((key) => key.x)).not.toContain(x);

  // The private half of one row under the name of another.
  await sql`insert into signing_keys select ${signingKeys.thumbprintOf(x)}, ${x}, encrypted_private_key, now(), now(), now()
    from signing_keys where kid = ${current}`;
  await expect(load()).rejects.toThrow('What is encrypted here was changed');
});

test('no private half is in the table as it is', async () => {
  await ensure();
  const { current } = await load();
  const { d = '' } = current.privateKey.export({ format: 'jwk' });
  const text = JSON.stringify(await sql`select * from signing_keys`);
  expect(text).toContain(current.kid);
  for (const encoding of ['base64', 'base64url', 'hex'] as const)
    expect(text).not.toContain(Buffer.from(d, 'base64url').toString(encoding).slice(0, 40));
});
