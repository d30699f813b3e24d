import type { BaseContext } from '@apollo/server';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from 'winston';
import type { Config } from '../config.ts';
import { createClientAddress } from './clientAddress.ts';
import { createErrorHandler } from './errorHandler.ts';
import { type GraphqlRoutes, graphqlRoutes } from './graphqlRoutes.ts';
import { type MetricsRoute, metricsRoute } from './metricsRoute.ts';
import { createNodeServer, drain, readTlsFiles } from './nodeServer.ts';
import { HttpRefusal } from './refusal.ts';
import { requestIdOf } from './requestId.ts';
import { type OnRequestEnd, RequestRecord } from './requestRecord.ts';
import { sandboxPolicy } from './sandbox.ts';
import { securityHeaders } from './securityHeaders.ts';
import { type ServiceRoutes, serviceRoutes } from './serviceRoutes.ts';
import { createUnreadableHandler } from './unreadable.ts';

export type { IncomingRequest } from './graphqlRoutes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    record: RequestRecord;
  }
}

/** What the server needs, built by whoever starts it. */
export type HttpServerParts<C extends BaseContext> = Pick<GraphqlRoutes<C>, 'apollo' | 'createContext' | 'overload'> &
  Pick<ServiceRoutes, 'jwks' | 'dependencies'> &
  Pick<MetricsRoute, 'metrics'> & {
    config: Config;
    log: Logger;
    /** How long requests from an address are refused; 0 where they are not. */
    blockedMs(ip: string): number;
    onRequestEnd: OnRequestEnd;
  };

/** A server that does not listen yet. */
export type HttpServer = {
  /** Listens where the settings say; answers the URL. */
  listen(): Promise<string>;
  /** Says that it is not ready, stops listening, lets what is under way finish, and cuts what is left after 10 s. */
  close(): Promise<void>;
};

/** Nexus over HTTP: every answer has our headers and an X-Request-Id, every request has one event in the log. */
export async function createHttpServer<C extends BaseContext>(parts: HttpServerParts<C>): Promise<HttpServer> {
  const { config, log, apollo, createContext, overload, jwks, dependencies, metrics, blockedMs, onRequestEnd } = parts;
  const headers = { 'cache-control': 'no-store', ...(await securityHeaders(config)) };
  const pageHeaders = await securityHeaders(config, sandboxPolicy);
  const tls = await readTlsFiles(config.tls);
  const recordParts = { log, clientAddress: createClientAddress(config.trustProxy), onRequestEnd };
  const unreadable = createUnreadableHandler(recordParts, headers);
  const handleError = createErrorHandler(log);
  let isClosing = false;

  const begin = (request: FastifyRequest, reply: FastifyReply) => {
    request.record = new RequestRecord(recordParts, request, reply);
    unreadable.watch(request.socket, request.record);
    reply.headers(headers).header('x-request-id', request.id);
  };
  const blockOf = ({ record }: FastifyRequest): HttpRefusal | undefined => {
    const leftMs = blockedMs(record.ip);
    if (leftMs === 0) return undefined;
    return new HttpRefusal(403, { 'retry-after': `${Math.ceil(leftMs / 1000)}`, connection: 'close' }, 'IP_BLOCKED');
  };
  const app: FastifyInstance = fastify({
    serverFactory: (listener) => createNodeServer(tls, listener),
    genReqId: (request) => requestIdOf(request.headers),
    trustProxy: config.trustProxy.length > 0 && [...config.trustProxy],
    clientErrorHandler: unreadable.onClientError,
    // A URL that cannot be decoded passes all hooks by.
    frameworkErrors: (error, request, reply) => {
      begin(request, reply);
      handleError(blockOf(request) ?? error, request, reply);
    },
  });
  app.server.on('connect', unreadable.onConnect);
  app.addHook('onRequest', (request, reply, done) => {
    begin(request, reply);
    const isHostMissing = request.headers.host === undefined && request.raw.httpVersion === '1.1';
    done(blockOf(request) ?? (isHostMissing ? new HttpRefusal(400) : undefined));
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done();
  });
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(() => {
    throw new HttpRefusal(404);
  });
  serviceRoutes(app, { jwks, dependencies, isClosing: () => isClosing });
  metricsRoute(app, { metrics, token: config.metricsToken });
  await graphqlRoutes(app, { config, apollo, createContext, overload, pageHeaders });

  return {
    listen: async () => {
      const url = await app.listen({ host: config.host, port: config.port });
      // Fastify does not look at the server that it was given.
      return tls ? url.replace(/^http:/, 'https:') : url;
    },
    close: async () => {
      isClosing = true;
      // Not in a hook of Fastify, which gives up after 10 s.
      await drain(app.server);
      await app.close();
    },
  };
}
