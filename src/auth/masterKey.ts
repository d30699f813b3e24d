import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
/** NIST SP 800-38D, 8.2.2: a random nonce serves for 2^32 texts under one key. */
const nonceBytes = 12;
const tagBytes = 16;
/** Who needs no second key needs no name for the first one. */
const defaultKid = 'default';

const namedKey = /^(?:([\w-]{1,64}):)?([\da-f]{64})$/i;
/** The key's name, the nonce, what is encrypted, and the tag. */
const encryptedText = /^([\w-]{1,64})\.([\w-]{16})\.([\w-]*)\.([\w-]{22})$/;

/** One of the master keys, as its setting names it. */
export type NamedKey = { kid: string; key: KeyObject };

/** Encrypts what the database keeps and must not tell. */
export type MasterKey = {
  /** The bytes under the first key, for this context alone. */
  encrypt(plain: Uint8Array, context: string): string;
  /**
   * What was encrypted for this context, under any of the keys. Throws an Error that says what is wrong, and nothing of
   * the keys or the text, where the key is not among ours or any bit has changed.
   */
  decrypt(text: string, context: string): Buffer;
};

/** Comma-separated `kid:hex`, each of 32 bytes; or what is wrong with which of them, without a word of what it holds. */
export function parseMasterKeys(text: string): { keys: NamedKey[]; problems: string[] } {
  const keys = new Map<string, NamedKey>();
  const problems: string[] = [];
  for (const [index, item] of text.split(',').entries()) {
    const [, kid = defaultKid, hex] = namedKey.exec(item.trim()) ?? [];
    if (hex === undefined) problems.push(`key ${index + 1} is not a name, a colon and ${keyBytes * 2} hex digits`);
    else if (keys.has(kid)) problems.push(`key ${index + 1} has the name of another one`);
    else keys.set(kid, { kid, key: createSecretKey(Buffer.from(hex, 'hex')) });
  }
  return { keys: [...keys.values()], problems };
}

/** AES-256-GCM (NIST SP 800-38D) under the first of these keys; all of them decrypt. */
export function createMasterKey(keys: readonly NamedKey[]): MasterKey {
  const [first] = keys;
  if (!first) throw new Error('There is no master key.');
  const byKid = new Map(keys.map(({ kid, key }) => [kid, key]));

  return {
    encrypt(plain, context) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, first.key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
      return [first.kid, ...[nonce, encrypted, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join(
        '.',
      );
    },

    decrypt(text, context) {
      const [, kid = '', ...parts] = encryptedText.exec(text) ?? [];
      const [nonce, encrypted, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
      if (!nonce || !encrypted || !tag) throw new Error('This is not what a master key has encrypted.');
      const key = byKid.get(kid);
      if (!key) throw new Error(`The master key \`${kid}\` is needed, and is not among those of MASTER_KEY.`);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(tag);
      const start = decipher.update(encrypted);
      try {
        return Buffer.concat([start, decipher.final()]);
      } catch (error) {
        throw new Error(
          `What is encrypted here was changed, or another key had the name of the master key \`${kid}\`.`,
          { cause: error },
        );
      }
    },
  };
}
