/** Longer texts are no address, in whatever spelling: the time of their normalisation grows with the square of it. */
export const maxSpellingLength = 500;

/**
 * The one form in which an e-mail address is stored and looked up: without space around it, NFKC, in lower case, without
 * dots at the end of the domain. Applying it again changes nothing, and a text of more than 500 characters stays as it is.
 */
export function canonicalEmail(email: string): string {
  if (email.length > maxSpellingLength) return email;
  const text = email.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
  let end = text.length;
  // Not /\.+$/: its time grows with the square of a run of dots, and this runs before anybody has logged in.
  while (text[end - 1] === '.') end--;
  return text.slice(0, end);
}
