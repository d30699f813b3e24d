import { dictionary } from '@zxcvbn-ts/language-common';

const maxUnits = 400;
const maxPatternLength = 4;
/** The 49,000 most used passwords, in lower case. */
const commonPasswords = new Set(dictionary['passwords-common']);

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
  return [folded, bare].some((text) => commonPasswords.has(text) || isRepeated(text));
}

function isRepeated(text: string): boolean {
  const part = /^(.+?)\1+$/s.exec(text)?.[1];
  return part !== undefined && (part.length <= maxPatternLength || commonPasswords.has(part));
}
