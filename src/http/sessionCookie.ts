import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';

const lifetimeSeconds = 24 * 60 * 60;

/** The Set-Cookie header of the session, or, where the value is null, one that makes the browser forget it. */
export function sessionCookie(
  app: FastifyInstance,
  { secureCookies, sessionCookieName }: Pick<Config, 'secureCookies' | 'sessionCookieName'>,
  value: string | null,
): string {
  return app.serializeCookie(sessionCookieName, value ?? '', {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: secureCookies,
    ...(value === null ? { maxAge: 0, expires: new Date(0) } : { maxAge: lifetimeSeconds }),
  });
}
