import { hash } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { DependencyUnavailableError } from '../errors.ts';
import { canonicalEmail } from './canonicalEmail.ts';
import { createIssuerKeys, type IssuerKeysOptions } from './issuerKeys.ts';
import { type Role, type Scope, scopes } from './roles.ts';

/** Signatures that only the issuer can make: whoever verifies an HMAC could have made it. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** RFC 9068 asks for at+jwt, with or without application/; most issuers still write JWT, or nothing. */
const accessTokenType = /^(?:application\/)?(?:at\+)?jwt$/i;
const maxAgeSeconds = 86_400;
/** How far the issuer's clock may be ahead. The end of a token is taken as it is. */
const clockToleranceSeconds = 30;
/** Theirs name more than ours do, and RSA signs at length. */
const maxTokenLength = 8_192;
const maxVerified = 10_000;
/** Then a signature is looked at again: the issuer may have withdrawn its key. */
const verifiedTtlMs = 300_000;
const maxEmailLength = 254;

const shape = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** AGENT is of our keys alone. */
const grantedRoles: readonly Role[] = ['ADMIN', 'OPERATOR', 'VIEWER'];

/** What a token of the foreign issuer with a good signature says. */
export type ForeignClaims = {
  subject: string;
  /** At least one. */
  roles: readonly Role[];
  /** null where it names no scope of ours, and so restricts none. */
  scopes: ReadonlySet<Scope> | null;
  /** In canonical form; null where the issuer does not vouch for it. */
  email: string | null;
  /** In milliseconds; 0 where the issuer does not say when its user logged in. */
  authenticatedAt: number;
  issuedAt: Date;
  /** In milliseconds. */
  expiresAt: number;
};

/** The access tokens of one foreign issuer. */
export type ForeignTokens = {
  issuer: string;
  /**
   * What the token says; null where it is not this issuer's for us, no longer valid, or gives no role of ours. Rejects
   * with DEPENDENCY_UNAVAILABLE where the issuer cannot be asked and no key of it is known.
   */
  verify(token: string): Promise<ForeignClaims | null>;
};

export type ForeignTokenOptions = IssuerKeysOptions & {
  audience: string;
  /** A dotted path to a list of role names, or a text of them with spaces between. */
  roleClaim: string;
};

/** The tokens of this issuer for this audience; nothing is asked of the issuer before the first of them. */
export function createForeignTokens(options: ForeignTokenOptions): ForeignTokens {
  const { issuer, audience, roleClaim, onError, now = () => Date.now() } = options;
  const keys = createIssuerKeys(options);
  const schema = claimsOf(issuer, audience);
  const verified = new LRUCache<string, ForeignClaims>({ max: maxVerified, ttl: verifiedTtlMs });

  async function verify(token: string): Promise<ForeignClaims | null> {
    if (token.length > maxTokenLength || !shape.test(token)) return null;
    const digest = hash('sha256', token);
    const claims = verified.get(digest) ?? (await verifyAnew(token, digest));
    return claims && now() < claims.expiresAt ? claims : null;
  }

  async function verifyAnew(token: string, digest: string): Promise<ForeignClaims | null> {
    const payload = await checkSignature(token);
    const known = verified.get(digest); // Another request has read the same token meanwhile.
    if (known || !payload) return known ?? null;
    const parsed = schema.safeParse(payload);
    const roles = rolesIn(payload, roleClaim);
    if (!parsed.success || roles.length === 0) return null;
    const claims = toClaims(parsed.data, roles);
    verified.set(digest, claims);
    return claims;
  }

  async function checkSignature(token: string): Promise<JWTPayload | null> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        algorithms,
        issuer,
        audience,
        maxTokenAge: maxAgeSeconds,
        requiredClaims: ['exp'],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
      });
      return isAccessToken(protectedHeader) ? payload : null;
    } catch (error) {
      if (error instanceof DependencyUnavailableError) throw error;
      // What is left are keys that cannot be used, too short ones say: the operator's matter, and no reason to let in.
      if (!(error instanceof errors.JOSEError)) onError(error);
      return null;
    }
  }

  return { issuer, verify };
}

/** The `iss` that a token claims, for choosing who verifies it and nothing else; null where there is none. */
export function unverifiedIssuerOf(token: string): string | null {
  if (token.length > maxTokenLength || !shape.test(token)) return null;
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims?.iss === 'string' ? claims.iss : null;
  } catch {
    return null; // Not JSON, so nobody's.
  }
}

function isAccessToken({ typ, crit }: { typ?: unknown; crit?: unknown }): boolean {
  return crit === undefined && (typ === undefined || (typeof typ === 'string' && accessTokenType.test(typ)));
}

type ReadClaims = z.infer<ReturnType<typeof claimsOf>>;

function claimsOf(issuer: string, audience: string) {
  return z.object({
    iss: z.literal(issuer),
    aud: z.union([z.literal(audience), z.array(z.string()).refine((all) => all.includes(audience))]),
    // NUL and lone surrogates are no text for Postgres.
    sub: z
      .string()
      .min(1)
      .max(255)
      .refine((text) => !text.includes('\0') && text.isWellFormed()),
    iat: z.number().nonnegative(),
    exp: z.number(),
    scope: z.string().optional(),
    auth_time: z.number().nonnegative().optional(),
    email: z.string().optional().catch(undefined),
    email_verified: z.unknown().optional(),
    // Of ID tokens (OpenID Connect Core 1.0) and of security events (RFC 8417), which are for somebody else.
    at_hash: z.undefined().optional(),
    c_hash: z.undefined().optional(),
    events: z.undefined().optional(),
    // Bound to a key (RFC 7800) that nobody shows us: whoever stole it would have it as good as its owner.
    cnf: z.undefined().optional(),
  });
}

function toClaims(claims: ReadClaims, roles: readonly Role[]): ForeignClaims {
  return {
    subject: claims.sub,
    roles,
    scopes: scopesIn(claims.scope ?? ''),
    email: claims.email_verified === true ? emailOf(claims.email ?? '') : null,
    authenticatedAt: Math.min(claims.auth_time ?? 0, claims.iat) * 1000,
    issuedAt: new Date(claims.iat * 1000),
    expiresAt: Math.min(claims.exp, claims.iat + maxAgeSeconds) * 1000,
  };
}

function scopesIn(text: string): ReadonlySet<Scope> | null {
  const named = new Set(text.split(' '));
  const ours = scopes.filter((scope) => named.has(scope));
  return ours.length > 0 ? new Set(ours) : null;
}

function emailOf(text: string): string | null {
  const email = text.length <= maxEmailLength ? canonicalEmail(text) : '';
  return email.length <= maxEmailLength && z.regexes.html5Email.test(email) ? email : null;
}

function rolesIn(payload: JWTPayload, path: string): Role[] {
  const value = valueAt(payload, path);
  const names: unknown[] = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return grantedRoles.filter((role) => names.includes(role));
}

/** Names of claims may be URLs with dots in them: a claim of the whole name comes first. */
function valueAt(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  return path.split('.').reduce<unknown>((value, name) => {
    const hasIt = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    return hasIt ? Reflect.get(value, name) : undefined;
  }, payload);
}
