import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../storage/failures.ts';

export type SigningKeyOptions = {
  /** A PKCS#8 PEM file with an Ed25519 private key; where undefined, the key is kept in `directory`. */
  file: string | undefined;
  /** The data directory. */
  directory: string;
  /** Whether a missing key in `directory` may be made up. */
  allowGenerate: boolean;
};

/** The Ed25519 key that signs access tokens. Rejects, with the file's name and nothing of the key, where there is none. */
export async function loadSigningKey({ file, directory, allowGenerate }: SigningKeyOptions): Promise<KeyObject> {
  if (file !== undefined) return parseKey(file, await readFile(file, 'utf8'));
  const kept = path.join(directory, 'keys', 'access-token.pem');
  if (allowGenerate) await generateUnlessThere(kept);
  return parseKey(kept, await readFile(kept, 'utf8'));
}

function parseKey(file: string, pem: string): KeyObject {
  const key = tryParse(pem);
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new Error(`${file} does not hold an Ed25519 private key in PKCS#8 PEM.`);
  return key;
}

/** Whatever OpenSSL dislikes about it, the answer is the same sentence. */
function tryParse(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

/** The key appears whole and once: of processes that start together, the first link wins, and all read that one. */
async function generateUnlessThere(file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(draft, pem, { flag: 'wx', mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft);
  }
}
