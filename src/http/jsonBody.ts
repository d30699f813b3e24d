import type { FastifyInstance, FastifyRequest } from 'fastify';
import { collectCredentials } from '../auth/credentials.ts';
import { HttpRefusal } from './refusal.ts';

const ordinaryBodyLimitBytes = 256 * 1024;
/** For a batch of telemetry: whether it is one is known after parsing, and admission's to see. */
export const batchBodyLimitBytes = 2 * 1024 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    /** How long the body was. */
    bodyBytes: number;
  }
}

/**
 * Accepts JSON bodies and no others, without `__proto__` and `constructor.prototype` (Fastify's parser refuses them). A
 * body over 256 KiB needs a credential, and its document must still be within 256 KiB.
 */
export function acceptJsonBodies(app: FastifyInstance, cookieName: string): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.decorateRequest('bodyBytes', 0);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Fastify has compared the header with what came; a chunked body has none.
    request.bodyBytes = Number(request.headers['content-length'] ?? Buffer.byteLength(body));
    const isLarge = request.bodyBytes > ordinaryBodyLimitBytes;
    if (isLarge && isAnonymous(request, cookieName)) return done(new HttpRefusal(413));
    return parse(request, body, (error, parsed) => {
      if (!error && isLarge && documentLength(parsed) > ordinaryBodyLimitBytes) return done(new HttpRefusal(413));
      return done(error, parsed);
    });
  });
}

/** Refuses, before a body is read, what its headers already give away; for an onRequest hook. */
export function refuseByHeaders(request: FastifyRequest, cookieName: string): void {
  // Apollo's Fastify handler builds a URL of these, and a Host such as "[" would make that a 500.
  if (!URL.canParse(request.url, `${request.protocol}://${request.hostname}/`)) throw new HttpRefusal(400);
  if (request.headers['content-type'] === undefined) throw new HttpRefusal(415);
  const bytes = Number(request.headers['content-length'] ?? 0);
  // The rest of the body is not read: the connection ends.
  if (bytes > ordinaryBodyLimitBytes && isAnonymous(request, cookieName))
    throw new HttpRefusal(413, { connection: 'close' });
}

function isAnonymous(request: FastifyRequest, cookieName: string): boolean {
  return collectCredentials(request.raw.rawHeaders, cookieName).kind === 'NONE';
}

function documentLength(body: unknown): number {
  const query: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'query') : undefined;
  return typeof query === 'string' ? query.length : 0;
}
