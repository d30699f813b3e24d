import type { FastifyInstance } from 'fastify';
import { createReadiness, type Dependency } from './health.ts';

const keysCacheSeconds = 300;

export type ServiceRoutes = {
  /** Public keys (RFC 7517). */
  jwks(): object;
  /** What `/health/ready` asks, by name. */
  dependencies: Record<string, Dependency>;
  isClosing(): boolean;
};

/** `GET /health/live`, `GET /health/ready` and `GET /.well-known/jwks.json`. */
export function serviceRoutes(app: FastifyInstance, { jwks, dependencies, isClosing }: ServiceRoutes): void {
  const readiness = createReadiness(dependencies);
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async (_request, reply) => {
    const ready = await readiness();
    const status = isClosing() ? 'unavailable' : ready.status;
    return reply.code(status === 'unavailable' ? 503 : 200).send({ ...ready, status });
  });
  app.get('/.well-known/jwks.json', async (_request, reply) =>
    reply.header('cache-control', `public, max-age=${keysCacheSeconds}`).send(jwks()),
  );
}
