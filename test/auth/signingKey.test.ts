import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSigningKey } from '../../src/auth/signingKey.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'nexus-key-'));
});
afterEach(() => rm(directory, { recursive: true }));

const load = (changes: Partial<Parameters<typeof loadSigningKey>[0]> = {}) =>
  loadSigningKey({ file: undefined, directory, allowGenerate: true, ...changes });

test('a key that is made up is kept, for its owner alone', async () => {
  const first = await load();
  expect(first.asymmetricKeyType).toBe('ed25519');
  expect((await load({ allowGenerate: false })).equals(first)).toBe(true);
  expect((await stat(path.join(directory, 'keys'))).mode & 0o777).toBe(0o700);
  expect((await stat(path.join(directory, 'keys', 'access-token.pem'))).mode & 0o777).toBe(0o600);
});

test('twenty loads at the same time get one and the same key, and leave one file', async () => {
  const keys = await Promise.all(Array.from({ length: 20 }, () => load()));
  expect(keys.every((key) => key.equals(keys[0] ?? key))).toBe(true);
  expect(await readdir(path.join(directory, 'keys'))).toEqual(['access-token.pem']);
});

test('no key is made up where that is not allowed', async () => {
  await expect(load({ allowGenerate: false })).rejects.toThrow(/access-token\.pem/);
  expect(await readdir(directory)).toEqual([]);
});

test('a given file is read, and nothing is made up beside it', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = path.join(directory, 'own.pem');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect((await load({ file })).equals(privateKey)).toBe(true);
  expect(await readdir(directory)).toEqual(['own.pem']);
});

test('a missing file is an error, not a reason to make a key up', async () => {
  await expect(load({ file: path.join(directory, 'missing.pem') })).rejects.toThrow(/missing\.pem/);
  expect(await readdir(directory)).toEqual([]);
});

test.each<[string, string | Buffer]>([
  [
    'an RSA key',
    generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ],
  [
    'a P-256 key',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ],
  ['a public key', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })],
  ['no key', 'planted secret'],
  ['nothing', ''],
])('a file with %s is refused without a word of what it holds', async (_, content) => {
  const file = path.join(directory, 'wrong.pem');
  await writeFile(file, content);
  const error = await load({ file }).catch((reason) => reason);
  expect(error.message).toBe(`${file} does not hold an Ed25519 private key in PKCS#8 PEM.`);
  expect(await readFile(file, 'utf8')).toBe(content);
});
