import { hash, type KeyObject, randomUUID } from 'node:crypto';
import { errors, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Db } from '../storage/db.ts';
import type { KeySet } from './keySet.ts';
import { type Role, roles, type Scope, scopes } from './roles.ts';

/** How long a token lets in. */
export const accessTokenLifetimeSeconds = 3_600;

const algorithm = 'EdDSA';
const type = 'at+jwt';
/** How far the clocks of two processes may be apart. */
const clockToleranceSeconds = 5;
const maxTokenLength = 4_096;
const maxVerified = 10_000;

/**
 * Three base64url parts and nothing else: jose tolerates padding, line ends and spare bits. An Ed25519 signature is 86
 * characters, whose last has four bits to spare; so each signature has one spelling.
 */
const shape = /^([\w-]+)\.([\w-]+)\.[\w-]{85}[AQgw]$/;
/** As ours are; anything else, NUL first of all, might not even be text for Postgres. */
const id = /^[\w-]{1,100}$/;
/** A thumbprint (RFC 7638) is 43 characters. */
const kidInHeader = /"kid":"([\w-]{43})"\}$/;

/** What a token is issued for. */
export type AccessTokenGrant = {
  userId: string;
  sessionId: string;
  roles: readonly Role[];
  scopes: Iterable<Scope>;
  /** When the user logged in. */
  authenticatedAt: Date;
};

/** What a token with a good signature says. */
export type AccessTokenClaims = {
  tokenId: string;
  userId: string;
  sessionId: string;
  roles: readonly Role[];
  scopes: readonly Scope[];
  authenticatedAt: Date;
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
  /** Reads the keys anew: for when they are known to have changed. Rejects where they cannot be read. */
  reload(db?: Db): Promise<void>;
};

export type AccessTokenOptions = {
  keys: KeySet;
  issuer: string;
  audience: string;
  /** Milliseconds since the epoch. */
  now?: () => number;
};

/** The tokens of this issuer for this audience. */
export function createAccessTokens({ keys, issuer, audience, now = Date.now }: AccessTokenOptions): AccessTokens {
  const claimsSchema = claimsOf(issuer, audience);
  // A signature costs about 100 µs to verify and never turns bad; only the key and the end are looked at again.
  const verified = new LRUCache<string, AccessTokenClaims>({ max: maxVerified });

  async function issue(grant: AccessTokenGrant): Promise<{ token: string; expiresAt: Date }> {
    const { kid, privateKey } = await keys.current();
    const iat = Math.floor(now() / 1000);
    const exp = iat + accessTokenLifetimeSeconds;
    const claims = inOrder({
      iss: issuer,
      aud: audience,
      sub: grant.userId,
      jti: randomUUID(),
      sid: grant.sessionId,
      roles: [...grant.roles],
      scope: [...grant.scopes].join(' '),
      auth_time: Math.floor(grant.authenticatedAt.getTime() / 1000),
      iat,
      exp,
    });
    const token = await new SignJWT(claims).setProtectedHeader(headerOf(kid)).sign(privateKey);
    return { token, expiresAt: new Date(exp * 1000) };
  }

  async function verify(token: string): Promise<AccessTokenClaims | null> {
    if (token.length > maxTokenLength) return null;
    const [, header = '', payload = ''] = shape.exec(token) ?? [];
    const kid = kidOf(header);
    const publicKey = kid === null ? null : await keys.find(kid);
    if (!publicKey) return null;
    const claims = await verifyOnce(token, payload, publicKey);
    return claims && claims.expiresAt.getTime() > now() ? claims : null;
  }

  async function verifyOnce(token: string, payload: string, publicKey: KeyObject): Promise<AccessTokenClaims | null> {
    const digest = hash('sha256', token);
    const known = verified.get(digest);
    if (known) return known;
    const claims = await readClaims(token, payload, publicKey);
    if (claims) verified.set(digest, claims);
    return claims;
  }

  async function readClaims(token: string, text: string, publicKey: KeyObject): Promise<AccessTokenClaims | null> {
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [algorithm],
        typ: type,
        issuer,
        audience,
        maxTokenAge: accessTokenLifetimeSeconds,
        requiredClaims: ['exp'],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
      });
      const parsed = claimsSchema.safeParse(payload);
      return parsed.success && encode(inOrder(parsed.data)) === text ? toClaims(parsed.data) : null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  return {
    issue,
    verify,
    jwks: () => ({
      keys: keys.published().map(({ kid, x }) => ({ kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: algorithm })),
    }),
    reload: (db) => keys.reload(db),
  };
}

/**
 * The only header that we write, and so the only one that we read: whatever else a header can say (`crit`, `jku`, `jwk`,
 * a member twice) makes it another text.
 */
function headerOf(kid: string) {
  return { alg: algorithm, typ: type, kid };
}

function kidOf(header: string): string | null {
  const [, kid] = kidInHeader.exec(Buffer.from(header, 'base64url').toString('latin1')) ?? [];
  return kid !== undefined && encode(headerOf(kid)) === header ? kid : null;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

type WrittenClaims = z.infer<ReturnType<typeof claimsOf>>;

/**
 * The claims as we write them. What is read has to be the same text: a parser keeps the last of two claims of one name,
 * another may keep the first, and what we never issue means nothing to us.
 */
function inOrder({ iss, aud, sub, jti, sid, roles, scope, auth_time, iat, exp }: WrittenClaims): WrittenClaims {
  return { iss, aud, sub, jti, sid, roles, scope, auth_time, iat, exp };
}

/** jose checks few types of claims, and takes an `aud` list that holds ours beside others. */
function claimsOf(issuer: string, audience: string) {
  return z
    .object({
      iss: z.literal(issuer),
      aud: z.literal(audience),
      sub: z.string().regex(id),
      jti: z.string().regex(id),
      sid: z.string().regex(id),
      roles: z.array(z.enum(roles)).max(roles.length),
      scope: z.string().refine((text) => scopesIn(text).every(isScope)),
      auth_time: z.int().nonnegative(),
      iat: z.int(),
      exp: z.int(),
    })
    .refine(({ iat, exp }) => exp > iat && exp - iat <= accessTokenLifetimeSeconds);
}

function toClaims(claims: WrittenClaims): AccessTokenClaims {
  return {
    tokenId: claims.jti,
    userId: claims.sub,
    sessionId: claims.sid,
    roles: claims.roles,
    scopes: scopesIn(claims.scope).filter(isScope),
    authenticatedAt: new Date(claims.auth_time * 1000),
    expiresAt: new Date(claims.exp * 1000),
  };
}

function scopesIn(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}

function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
