import type { FastifyRequest } from 'fastify';
import { collectCredentials } from '../auth/credentials.ts';
import type { Config } from '../config.ts';
import { HttpRefusal } from './refusal.ts';

type OriginSettings = Pick<Config, 'corsOrigins' | 'secureCookies' | 'sessionCookieName'>;

/**
 * For an onRequest hook: refuses the session cookie to pages of other sites, whatever a browser made of SameSite. A
 * request with another credential, or with none, may come from anywhere: browsers do not add those by themselves.
 */
export function createForeignOriginCheck({ corsOrigins, secureCookies, sessionCookieName }: OriginSettings) {
  const allowed = new Set(corsOrigins);
  return (request: FastifyRequest): void => {
    if (collectCredentials(request.raw.rawHeaders, sessionCookieName).kind !== 'SESSION') return;
    if (isForeign(request, allowed, secureCookies)) throw new HttpRefusal(403);
  };
}

/** Without an Origin it is no page of a browser, or an old one; then Fetch Metadata says where the page is, if anything. */
function isForeign(request: FastifyRequest, allowed: ReadonlySet<string>, isSecure: boolean): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (origin === undefined) return site === 'cross-site';
  return !allowed.has(origin) && !isOwn(origin, request.host, isSecure);
}

/** Whether the origin is that of the host to which the request came; "null", the origin of no one, never is. */
function isOwn(origin: string, host: string, isSecure: boolean): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (protocol !== 'https:' && (isSecure || protocol !== 'http:')) return false;
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === originHost;
}
