import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createClientAddress } from './clientAddress.ts';
import type { Metrics } from './metrics.ts';
import { HttpRefusal } from './refusal.ts';

/** What proxies add: behind one, the peer is not who asks. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

const addressOfPeer = createClientAddress([]);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export type MetricsRoute = {
  metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Undefined: who asks from this machine needs none, and for everybody else there is nothing here. */
  token: string | undefined;
};

/** `GET /metrics`, with the token where there is one, else on loopback alone. */
export function metricsRoute(app: FastifyInstance, { metrics, token }: MetricsRoute): void {
  const isToken = token === undefined ? null : createComparison(token);
  app.get('/metrics', {
    onRequest: (request, _reply, done) => {
      if (isToken && !isToken(bearerOf(request))) throw new HttpRefusal(401, { 'www-authenticate': 'Bearer' });
      if (!isToken && !isLocal(request)) throw new HttpRefusal(404);
      done();
    },
    handler: async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()),
  });
}

/** Compares in a time that tells nothing of the text, its length included. */
function createComparison(text: string): (other: string) => boolean {
  const expected = digest(text);
  return (other) => timingSafeEqual(digest(other), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function bearerOf({ headers }: FastifyRequest): string {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function isLocal({ socket, headers }: FastifyRequest): boolean {
  const peer = addressOfPeer(socket.remoteAddress, undefined);
  return (
    loopback.check(peer, peer.includes(':') ? 'ipv6' : 'ipv4') &&
    proxyHeaders.every((name) => headers[name] === undefined)
  );
}
