import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../storage/failures.ts';
import { createMasterKey, type MasterKey, type NamedKey, parseMasterKeys } from './masterKey.ts';

export type MasterKeyOptions = {
  /** Those of the settings; where undefined, the key is kept in `directory`. */
  masterKeys: readonly NamedKey[] | undefined;
  /** The data directory. */
  directory: string;
  /** Whether a missing key in `directory` may be made up. */
  allowGenerate: boolean;
};

/** The master key. Rejects, with the file's name and nothing of the key, where there is none. */
export async function loadMasterKey({ masterKeys, directory, allowGenerate }: MasterKeyOptions): Promise<MasterKey> {
  if (masterKeys) return createMasterKey(masterKeys);
  const file = path.join(directory, 'keys', 'master.key');
  if (allowGenerate) await generateUnlessThere(file);
  const { keys, problems } = parseMasterKeys(await read(file));
  if (problems.length > 0) throw new Error(`${file} does not hold what MASTER_KEY takes.`);
  return createMasterKey(keys);
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new Error(`There is no master key: set MASTER_KEY, since ${file} does not exist.`, { cause: error });
  }
}

/** The key appears whole and once: of processes that start together, the first link wins, and all read that one. */
async function generateUnlessThere(file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft);
  }
}
