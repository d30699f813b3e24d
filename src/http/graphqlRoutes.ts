import type { ApolloServer, BaseContext } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import cookie from '@fastify/cookie';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Credentials, collectCredentials } from '../auth/credentials.ts';
import type { Config } from '../config.ts';
import { operationLimitMs, withinDeadline } from '../operationDeadline.ts';
import type { RequestNotes } from '../requestNotes.ts';
import { createForeignOriginCheck } from './foreignOrigin.ts';
import { acceptJsonBodies, batchBodyLimitBytes, refuseByHeaders } from './jsonBody.ts';
import type { Overload } from './overload.ts';
import { HttpRefusal, OverloadRefusal } from './refusal.ts';
import { sandboxPage } from './sandbox.ts';
import { sessionCookie } from './sessionCookie.ts';

const path = '/graphql';
const preflightSeconds = 600;

/** A request as everything behind HTTP sees it. */
export type IncomingRequest = {
  requestId: string;
  ip: string;
  userAgent: string | null;
  credentials: Credentials;
  bodyBytes: number;
  /** When its head had been read, as performance.now() counts. */
  receivedAt: number;
  /** Whether it asks for the price of each field. */
  isCostDebugged: boolean;
  /** For whoever finds out more about the request: it becomes part of its event in the log. */
  notes: RequestNotes;
  /** Sets the session cookie, or clears it where the value is null. */
  setSessionCookie(value: string | null): void;
};

/** What the GraphQL routes need. */
export type GraphqlRoutes<C extends BaseContext> = {
  config: Pick<Config, 'corsOrigins' | 'environment' | 'secureCookies' | 'sessionCookieName'>;
  /** Started. */
  apollo: ApolloServer<C>;
  /** Never rejects because of what a client sent: whatever it throws is a bug, and masked. */
  createContext(request: IncomingRequest): Promise<C>;
  /** Where it is undefined nothing is refused for want of time. */
  overload?: Overload;
  /** The headers of the page with Apollo Sandbox. */
  pageHeaders: Record<string, string>;
};

/** `POST /graphql`, its preflight, and in development `GET /graphql` for browsers. */
export async function graphqlRoutes<C extends BaseContext>(app: FastifyInstance, parts: GraphqlRoutes<C>) {
  const { config } = parts;
  await app.register(cookie, { hook: false });
  if (config.corsOrigins.length > 0) await app.register(cors, corsOptions(config.corsOrigins));
  acceptJsonBodies(app, config.sessionCookieName);
  const refuseForeignOrigin = createForeignOriginCheck(config);

  app.post(path, {
    bodyLimit: batchBodyLimitBytes,
    onRequest: (request, _reply, done) => {
      refuseByHeaders(request, config.sessionCookieName);
      refuseForeignOrigin(request);
      refuseInOverload(request, parts);
      done();
    },
    handler: (request, reply) =>
      request.record.during(() => withinDeadline(operationLimitMs, () => answer(app, parts, request, reply))),
  });
  const others = app.supportedMethods.filter((method) => method !== 'POST' && method !== 'GET');
  app.route({ method: others, url: path, onRequest: refuseMethod, handler: refuseMethod });
  app.get(path, { exposeHeadRoute: false }, async (request, reply) => {
    if (config.environment !== 'development' || !request.headers.accept?.includes('text/html')) return refuseMethod();
    return reply.headers(parts.pageHeaders).type('text/html; charset=utf-8').send(sandboxPage);
  });
}

async function answer<C extends BaseContext>(
  app: FastifyInstance,
  { apollo, config, createContext, overload }: GraphqlRoutes<C>,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const context = await createContext({
    requestId: request.id,
    ip: request.record.ip,
    userAgent: request.headers['user-agent'] ?? null,
    credentials: collectCredentials(request.raw.rawHeaders, config.sessionCookieName),
    bodyBytes: request.bodyBytes,
    receivedAt: request.record.receivedAt,
    isCostDebugged: request.headers['nexus-cost-debug'] === '1',
    notes: request.record.notes,
    setSessionCookie: (value) => {
      reply.removeHeader('set-cookie');
      reply.header('set-cookie', sessionCookie(app, config, value));
    },
  });
  const { caller } = request.record.notes;
  if (caller && !caller.roles.includes('ADMIN') && overload?.sheds('CALLER')) throw new OverloadRefusal();
  warnOfReplacedSecret(request, reply);
  const body = await fastifyApolloHandler(apollo, { context: async () => context }).call(app, request, reply);
  // Apollo refuses what is no GraphQL request before anything of ours hears of it.
  if (reply.statusCode >= 400 && request.record.notes.codes.length === 0) request.record.refuse(reply.statusCode);
  return body;
}

/** Before the body is read: who it is that brings a credential is not known yet, so that only the worst concerns them. */
function refuseInOverload<C extends BaseContext>(
  request: FastifyRequest,
  { config, overload }: Pick<GraphqlRoutes<C>, 'config' | 'overload'>,
): void {
  const isAnonymous = collectCredentials(request.raw.rawHeaders, config.sessionCookieName).kind === 'NONE';
  if (overload?.sheds(isAnonymous ? 'ANONYMOUS' : 'ANYBODY')) throw new OverloadRefusal();
}

/** Tells a client that goes on with a replaced secret until when it may; the form is a Date of RFC 9651, section 3.3.7. */
function warnOfReplacedSecret(request: FastifyRequest, reply: FastifyReply): void {
  const endsAt = request.record.notes.caller?.secretEndsAt;
  if (endsAt) reply.header('nexus-key-deprecated', `@${Math.floor(endsAt.getTime() / 1000)}`);
}

function corsOptions(origins: readonly string[]): FastifyCorsOptions {
  const allowed = new Set(origins);
  return {
    // The plugin's own list would tell other origins the rest of what is allowed.
    origin: (origin, done) => done(null, origin !== undefined && allowed.has(origin) && origin),
    credentials: true,
    methods: ['POST'],
    exposedHeaders: ['X-Request-Id', 'RateLimit-Policy', 'RateLimit', 'Retry-After', 'Nexus-Key-Deprecated'],
    maxAge: preflightSeconds,
    strictPreflight: false,
  };
}

function refuseMethod(): never {
  throw new HttpRefusal(405, { allow: 'POST' });
}
