import { apiKeyPrefix } from '../apiKeys/secret.ts';
import { AmbiguousCredentialsError, type NexusError, UnauthenticatedError } from '../errors.ts';
import type { CredentialKind } from './roles.ts';

/** What a request carries: nothing, one credential that is still to be checked, or something that is refused as it is. */
export type Credentials =
  | { kind: 'NONE' }
  | { kind: CredentialKind; secret: string }
  | { kind: 'REFUSED'; refusal: NexusError };

/** RFC 6750, 2.1; the scheme in any case (RFC 9110, 11.1). */
const bearer = /^bearer +([\w.~+/-]+=*)$/i;

/**
 * The one credential among the headers, as Node's `rawHeaders` gives them: names and values in turn. More than one is
 * AMBIGUOUS_CREDENTIALS, even where they are equal; so rawHeaders, since the parsed ones drop or join repetitions. An
 * empty one, or one of an unknown scheme, is UNAUTHENTICATED.
 */
export function collectCredentials(rawHeaders: readonly string[], cookieName: string): Credentials {
  const found: Credentials[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const value = rawHeaders[at + 1] ?? '';
    switch (rawHeaders[at]?.toLowerCase()) {
      case 'authorization':
        found.push(readAuthorization(value));
        break;
      case 'x-api-key':
        found.push({ kind: 'API_KEY', secret: value });
        break;
      case 'cookie':
        found.push(...readCookies(value, cookieName));
    }
  }
  if (found.length > 1) return { kind: 'REFUSED', refusal: new AmbiguousCredentialsError() };
  return found[0] ?? { kind: 'NONE' };
}

function readAuthorization(value: string): Credentials {
  const secret = bearer.exec(value)?.[1];
  if (secret === undefined) return { kind: 'REFUSED', refusal: new UnauthenticatedError() };
  return { kind: secret.startsWith(apiKeyPrefix) ? 'API_KEY' : 'ACCESS_TOKEN', secret };
}

/** RFC 6265bis, 4.2.1; a cookie without "=" has no name. */
function readCookies(header: string, cookieName: string): Credentials[] {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .map((pair) => ({ kind: 'SESSION', secret: pair.slice(cookieName.length + 1) }));
}
