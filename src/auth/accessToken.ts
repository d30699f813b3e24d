import { createPublicKey, hash, type KeyObject, randomUUID } from 'node:crypto';
import { errors, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Role, roles, type Scope, scopes } from './roles.ts';

const algorithm = 'EdDSA';
const type = 'at+jwt';
const lifetimeSeconds = 3_600;
/** How far the clocks of two processes may be apart. */
const clockToleranceSeconds = 5;
const maxTokenLength = 4_096;
const maxVerified = 10_000;
const verifiedTtlMs = 60_000;

/**
 * Three base64url parts and nothing else: jose tolerates padding, line ends and spare bits. An Ed25519 signature is 86
 * characters, whose last has four bits to spare; so each signature has one spelling.
 */
const shape = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/;

/** What a token is issued for. */
export type AccessTokenGrant = { userId: string; sessionId: string; roles: readonly Role[]; scopes: Iterable<Scope> };

/** What a token with a good signature says. */
export type AccessTokenClaims = {
  tokenId: string;
  userId: string;
  sessionId: string;
  roles: readonly Role[];
  scopes: readonly Scope[];
  expiresAt: Date;
};

/** Access tokens (RFC 9068), signed with Ed25519 (RFC 8037), of one hour. */
export type AccessTokens = {
  /** A new token and when it ends. */
  issue(grant: AccessTokenGrant): Promise<{ token: string; expiresAt: Date }>;
  /** What the token says; null where it is not one of ours, or no longer valid. The session is for others to check. */
  verify(token: string): Promise<AccessTokenClaims | null>;
  /** The public keys, for whoever verifies our tokens (RFC 7517). */
  jwks(): JSONWebKeySet;
};

export type AccessTokenOptions = {
  /** An Ed25519 key. */
  privateKey: KeyObject;
  issuer: string;
  audience: string;
  /** Milliseconds since the epoch. */
  now?: () => number;
};

/** The tokens of this issuer for this audience. */
export function createAccessTokens({ privateKey, issuer, audience, now = Date.now }: AccessTokenOptions): AccessTokens {
  const publicKey = createPublicKey(privateKey);
  const { x } = publicKey.export({ format: 'jwk' });
  const kid = thumbprintOf({ crv: 'Ed25519', kty: 'OKP', x });
  const claimsSchema = claimsOf(issuer, audience);
  // A signature costs about 100 µs to verify and never turns bad; only its end is looked at again.
  const verified = new LRUCache<string, AccessTokenClaims>({ max: maxVerified, ttl: verifiedTtlMs });

  async function issue(grant: AccessTokenGrant): Promise<{ token: string; expiresAt: Date }> {
    const iat = Math.floor(now() / 1000);
    const exp = iat + lifetimeSeconds;
    const claims = {
      iss: issuer,
      aud: audience,
      sub: grant.userId,
      jti: randomUUID(),
      sid: grant.sessionId,
      roles: grant.roles,
      scope: [...grant.scopes].join(' '),
      iat,
      exp,
    };
    const token = await new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ: type, kid }).sign(privateKey);
    return { token, expiresAt: new Date(exp * 1000) };
  }

  async function verify(token: string): Promise<AccessTokenClaims | null> {
    if (token.length > maxTokenLength || !shape.test(token)) return null;
    const claims = await verifyOnce(token);
    return claims && claims.expiresAt.getTime() > now() ? claims : null;
  }

  async function verifyOnce(token: string): Promise<AccessTokenClaims | null> {
    const key = hash('sha256', token);
    const known = verified.get(key);
    if (known) return known;
    const claims = await readClaims(token);
    if (claims) verified.set(key, claims);
    return claims;
  }

  async function readClaims(token: string): Promise<AccessTokenClaims | null> {
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [algorithm],
        typ: type,
        issuer,
        audience,
        maxTokenAge: lifetimeSeconds,
        requiredClaims: ['exp', 'sub', 'jti', 'sid', 'roles', 'scope'],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
      });
      const parsed = claimsSchema.safeParse(payload);
      return parsed.success ? parsed.data : null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  return {
    issue,
    verify,
    jwks: () => ({ keys: [{ kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: algorithm }] }),
  };
}

/** RFC 7638: SHA-256 over the required members in the order of their names. */
function thumbprintOf(members: { crv: string; kty: string; x: string | undefined }): string {
  return hash('sha256', JSON.stringify(members), 'base64url');
}

/** jose checks few types of claims, and takes an `aud` list that holds ours beside others. */
function claimsOf(issuer: string, audience: string) {
  return z
    .object({
      iss: z.literal(issuer),
      aud: z.literal(audience),
      sub: z.string().min(1).max(100),
      jti: z.string().min(1).max(100),
      sid: z.string().min(1).max(100),
      roles: z.array(z.enum(roles)).max(roles.length),
      scope: z
        .string()
        .transform((text) => text.split(' ').filter((scope) => scope !== ''))
        .pipe(z.array(z.enum(scopes)).max(scopes.length)),
      iat: z.int(),
      exp: z.int(),
    })
    .refine(({ iat, exp }) => exp > iat && exp - iat <= lifetimeSeconds)
    .transform((claims) => ({
      tokenId: claims.jti,
      userId: claims.sub,
      sessionId: claims.sid,
      roles: claims.roles,
      scopes: claims.scope,
      expiresAt: new Date(claims.exp * 1000),
    }));
}
