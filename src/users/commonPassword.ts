import { createRequire } from 'node:module';

const maxUnits = 400;
const maxPatternLength = 4;
let loaded: Set<string> | undefined;

/** The 49,000 most used passwords, in lower case; loaded when the first password is set, not at each start. */
function commonPasswords(): Set<string> {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  const { dictionary }: typeof import('@zxcvbn-ts/language-common') = require('@zxcvbn-ts/language-common');
  loaded = new Set(dictionary['passwords-common']);
  return loaded;
}

/**
 * Whether a password is among the first that somebody would try: one of the most used in any case of letters, the same
 * with digits and signs around it, or one of these or up to four characters over and over. The list alone knows few of
 * twelve characters and more, because people pad the short ones until they are long enough.
 */
export function isCommonPassword(password: string): boolean {
  // Longer ones are refused for their length, and would take long in the patterns below.
  if (password.length > maxUnits) return false;
  const folded = password.normalize('NFKC').toLowerCase();
  const bare = folded.replace(/^\P{L}+|\P{L}+$/gu, '');
  return [folded, bare].some((text) => commonPasswords().has(text) || isRepeated(text));
}

function isRepeated(text: string): boolean {
  const part = /^(.+?)\1+$/s.exec(text)?.[1];
  return part !== undefined && (part.length <= maxPatternLength || commonPasswords().has(part));
}
