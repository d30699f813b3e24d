const maxLength = 8_192;

/** Cheap to ask of every text; only the few that hold one of these are looked at again. */
const suspicious = /nxk_|eyJ|sess_|\.sid=|:\/\/|bearer|basic|private key/i;

const secrets: readonly (readonly [RegExp, string])[] = [
  // An API key; the 13 characters that people recognise one by may stay.
  [/nxk_\w{10,}/gi, '[REDACTED]'],
  // A JWT (RFC 7519), with its signature or without.
  [/eyJ[\w-]*\.[\w-]+(?:\.[\w-]*)?/g, '[REDACTED]'],
  // The value of a session cookie: an id, a dot and the secret.
  [/(sess_\w{26})\.[\w-]+/g, '$1.[REDACTED]'],
  [/(nexus\.sid=)[^;\s"]+/g, '$1[REDACTED]'],
  [/\b(bearer|basic)(\s+)[\w.~+/=-]{16,}/gi, '$1$2[REDACTED]'],
  // The user's part of a URL (RFC 3986, 3.2.1), as in DATABASE_URL.
  [/:\/\/[^\s/@]*:[^\s/@]*@/g, '://[REDACTED]@'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[REDACTED]'],
];

/** The text, at most 8,192 characters of it, without what has the format of a credential. */
export function redactText(text: string): string {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  if (!suspicious.test(bounded)) return bounded;
  return secrets.reduce((rest, [format, replacement]) => rest.replace(format, replacement), bounded);
}
