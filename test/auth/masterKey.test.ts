import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMasterKey, parseMasterKeys } from '../../src/auth/masterKey.ts';
import { loadMasterKey } from '../../src/auth/masterKeyFile.ts';

const first = `first:${'1f'.repeat(32)}`;
const second = `second:${'2e'.repeat(32)}`;
const keyOf = (setting: string) => createMasterKey(parseMasterKeys(setting).keys);
const plain = Buffer.from('what nobody may read');

describe('encryption', () => {
  test('is undone for the same context, under whichever of the keys it was done', () => {
    const text = keyOf(first).encrypt(plain, 'context');
    expect(text).toMatch(/^first\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/);
    for (const setting of [first, `${first},${second}`, `${second},${first}`])
      expect(keyOf(setting).decrypt(text, 'context')).toEqual(plain);
    expect(keyOf(`${second},${first}`).encrypt(plain, 'context')).toMatch(/^second\./);
    expect(keyOf(first).decrypt(keyOf(first).encrypt(Buffer.alloc(0), ''), '')).toEqual(Buffer.alloc(0));
  });

  test('is another text each time', () => {
    const key = keyOf(first);
    const texts = Array.from({ length: 1_000 }, () => key.encrypt(plain, 'context').split('.')[1]);
    expect(new Set(texts).size).toBe(1_000);
  });

  test('does not open for another context, another key of the same name, or with any one character changed', () => {
    const text = keyOf(first).encrypt(plain, 'context');
    const changed = /^What is encrypted here was changed, or another key had the name of the master key `first`\.$/;
    expect(() => keyOf(first).decrypt(text, 'contexts')).toThrow(changed);
    expect(() => keyOf(`first:${'00'.repeat(32)}`).decrypt(text, 'context')).toThrow(changed);
    const opened = [...text].flatMap((character, at) => {
      const other = text.slice(0, at) + (character === 'A' ? 'Q' : 'A') + text.slice(at + 1);
      try {
        return [keyOf(first).decrypt(other, 'context').toString()];
      } catch {
        return [];
      }
    });
    expect(opened).toEqual([]);
  });

  test('names the key that is missing, and never what it is or what it hides', () => {
    const text = keyOf(first).encrypt(plain, 'context');
    expect(() => keyOf(second).decrypt(text, 'context')).toThrow(
      /^The master key `first` is needed, and is not among those of MASTER_KEY\.$/,
    );
    for (const broken of ['', 'first', 'first...', `${text}.`, `${text}=`, text.slice(0, -1), ` ${text}`])
      expect(() => keyOf(first).decrypt(broken, 'context')).toThrow(/^This is not what a master key has encrypted\.$/);
  });

  test('is AES-256-GCM as other implementations know it', async () => {
    const { webcrypto } = await import('node:crypto');
    const raw = Buffer.from('1f'.repeat(32), 'hex');
    const [, nonce = '', encrypted = '', tag = ''] = keyOf(first).encrypt(plain, 'kid').split('.');
    const key = await webcrypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']);
    const bytes = (part: string) => Buffer.from(part, 'base64url');
    const opened = await webcrypto.subtle.decrypt(
      { name: 'AES-GCM', iv: bytes(nonce), additionalData: Buffer.from('kid'), tagLength: 128 },
      key,
      Buffer.concat([bytes(encrypted), bytes(tag)]),
    );
    expect(Buffer.from(opened)).toEqual(plain);
  });
});

describe('the file', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'nexus-key-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const load = (changes: Partial<Parameters<typeof loadMasterKey>[0]> = {}) =>
    loadMasterKey({ masterKeys: undefined, directory, allowGenerate: true, ...changes });
  const file = () => path.join(directory, 'keys', 'master.key');

  test('is made once and kept, for its owner alone, and holds what MASTER_KEY takes', async () => {
    const text = (await load()).encrypt(plain, 'context');
    expect((await load({ allowGenerate: false })).decrypt(text, 'context')).toEqual(plain);
    expect((await stat(path.dirname(file()))).mode & 0o777).toBe(0o700);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const { keys, problems } = parseMasterKeys(await readFile(file(), 'utf8'));
    expect(problems).toEqual([]);
    expect(createMasterKey(keys).decrypt(text, 'context')).toEqual(plain);
  });

  test('is one and the same for twenty who come at once, and nothing is left beside it', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => load()));
    const text = keys[0]?.encrypt(plain, 'context') ?? '';
    for (const key of keys) expect(key.decrypt(text, 'context')).toEqual(plain);
    expect(await readdir(path.dirname(file()))).toEqual(['master.key']);
  });

  test('is not made where that is not allowed, and a sentence says so', async () => {
    await expect(load({ allowGenerate: false })).rejects.toThrow(
      `There is no master key: set MASTER_KEY, since ${file()} does not exist.`,
    );
    expect(await readdir(directory)).toEqual([]);
  });

  test('is neither read nor made where the setting has keys', async () => {
    const text = (await load({ masterKeys: parseMasterKeys(first).keys })).encrypt(plain, 'context');
    expect(keyOf(first).decrypt(text, 'context')).toEqual(plain);
    expect(await readdir(directory)).toEqual([]);
  });

  test.each(['', 'planted secret', 'planted:ff', `${'ab'.repeat(32)}\nplanted`])(
    'that holds %j is refused without a word of it, and stays as it is',
    async (content) => {
      await load();
      await writeFile(file(), content);
      const error = await load().catch((reason) => reason);
      expect(error.message).toBe(`${file()} does not hold what MASTER_KEY takes.`);
      expect(await readFile(file(), 'utf8')).toBe(content);
    },
  );
});
