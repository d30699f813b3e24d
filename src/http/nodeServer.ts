import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { Config } from '../config.ts';

const headersTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;
const timeoutCheckMs = 1_000;
/** Without a byte in either direction: longer than any request may take, body and answer. */
const silenceTimeoutMs = 30_000;
/** Longer than load balancers commonly keep an idle connection, so that they and not we end it. */
const keepAliveTimeoutMs = 65_000;
const nextRequestGraceMs = 250;
const closeDeadlineMs = 10_000;

/** A certificate chain and its key, PEM. */
export type TlsFiles = { cert: Buffer; key: Buffer };

/** The files of the settings; rejects where one cannot be read. */
export async function readTlsFiles(tls: Config['tls']): Promise<TlsFiles | undefined> {
  return tls && { cert: await readFile(tls.certFile), key: await readFile(tls.keyFile) };
}

/**
 * Node's server, HTTP or HTTPS: headers must be there within 10 s and the body within 15 s, give or take a second. Every
 * request reaches the listener, also those that Node would answer by itself, without our headers and our event.
 */
export function createNodeServer(tls: TlsFiles | undefined, listener: RequestListener): Server {
  const options: ServerOptions = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    requireHostHeader: false,
  };
  const server = tls
    ? createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, listener)
    : createServer(options, listener);
  server.setTimeout(silenceTimeoutMs);
  server.on('checkExpectation', listener);
  return server;
}

/**
 * Stops listening, lets what is under way finish, and cuts what is left after 10 s. A kept connection gets 250 ms for a
 * request that its client has already sent: Node's own close cuts those at once, and the client sees a reset.
 */
export async function drain(server: Server): Promise<void> {
  if (!server.listening) return;
  const isClosed = once(server, 'close');
  NetServer.prototype.close.call(server);
  // Timers run before sockets are read: what came while we were busy makes its connection none of the idle.
  const idle = setTimeout(() => setImmediate(() => server.closeIdleConnections()), nextRequestGraceMs);
  const all = setTimeout(() => server.closeAllConnections(), closeDeadlineMs);
  await isClosed;
  clearTimeout(idle);
  clearTimeout(all);
}
