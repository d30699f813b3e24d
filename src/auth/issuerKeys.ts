import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { DependencyUnavailableError } from '../errors.ts';
import { isProtectedUrl } from './issuerUrl.ts';

const timeoutMs = 2_000;
const maxAnswerBytes = 262_144;
const maxKeys = 100;
/** How long keys are believed without asking again. */
const keysMaxAgeMs = 300_000;
/** How long the last keys stand in for an issuer that does not answer. */
const keysStandInMs = 86_400_000;
/** At most one question in this time, whatever keys the tokens name. */
const cooldownMs = 30_000;
/** The same, as long as no key is known: until then no token can be told from another. */
const firstCooldownMs = 5_000;

export type IssuerKeysOptions = {
  issuer: string;
  /** Hears of each question that the issuer did not answer as it should. */
  onError: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  now?: () => number;
};

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(maxKeys) });

/**
 * The public keys of an issuer, found by discovery (OpenID Connect Discovery 1.0) when they are first needed. A key that
 * is not known is asked for, but no more often than the cool-down lets. Rejects with DEPENDENCY_UNAVAILABLE where the
 * issuer does not answer and no keys of the last day are known.
 */
export function createIssuerKeys({ issuer, onError, now = () => Date.now() }: IssuerKeysOptions): JWTVerifyGetKey {
  let source: Promise<JWTVerifyGetKey> | null = null;
  let known: { find: JWTVerifyGetKey; readAt: number } | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;

  async function ask<T>(question: () => Promise<T>): Promise<T> {
    if (now() - failedAt < (known ? cooldownMs : firstCooldownMs)) throw unavailable();
    try {
      return await question();
    } catch (cause) {
      failedAt = now();
      source = null; // The keys may have moved: discovery is the next question.
      onError(cause);
      throw unavailable(cause);
    }
  }

  async function readKeys(url: string, signal: AbortSignal): Promise<Response> {
    const keys = keySet.parse(await readJson(url, signal));
    known = { find: createLocalJWKSet(keys), readAt: now() };
    return Response.json(keys);
  }

  async function openSource(): Promise<JWTVerifyGetKey> {
    return createRemoteJWKSet(await ask(() => discover(issuer)), {
      timeoutDuration: timeoutMs,
      cooldownDuration: cooldownMs,
      cacheMaxAge: keysMaxAgeMs,
      [customFetch]: (url, { signal }) => ask(() => readKeys(url, signal)),
    });
  }

  function currentSource(): Promise<JWTVerifyGetKey> {
    source ??= openSource().catch((error) => {
      source = null;
      throw error;
    });
    return source;
  }

  return async (header, token) => {
    try {
      const find = await currentSource();
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof DependencyUnavailableError) || !known || now() - known.readAt > keysStandInMs) throw error;
      return known.find(header, token);
    }
  };
}

/** Where the issuer says that its keys are; rejects where it is not the issuer who speaks. */
async function discover(issuer: string): Promise<URL> {
  const isPlain = issuer.startsWith('http:');
  const configuration = z.object({
    issuer: z.literal(issuer),
    jwks_uri: z.string().refine((url) => isProtectedUrl(url) && (isPlain || url.startsWith('https:'))),
  });
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  return new URL(configuration.parse(await readJson(url, AbortSignal.timeout(timeoutMs))).jwks_uri);
}

/** Follows no redirect, which could lead anywhere, and reads no more than it can use. */
async function readJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The issuer answered ${response.status}.`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new Error('The issuer answered more than can be right.');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

function unavailable(cause?: unknown): DependencyUnavailableError {
  return new DependencyUnavailableError('issuer of the access token', { cause });
}
