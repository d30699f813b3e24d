import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';

export const audience = 'https://nexus.example/api';
const client = { client_id: 'robot', client_secret: 'the secret of the robot' };
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

export type IssueOptions = { alg?: string; audience?: string; ttlSeconds?: number };

/** An OpenID provider on loopback that says of its subjects what a test wants. */
export type TestIssuer = {
  issuer: string;
  /** How often it was asked for this path. */
  asked(path: string): number;
  /** An access token (RFC 9068) by the client credentials grant, with these claims in it. */
  issue(claims?: object, options?: IssueOptions): Promise<string>;
  /** A token with a good signature of this issuer, whatever header and claims say. */
  sign(claims?: object, header?: object): Promise<string>;
  /** Answers this path in the provider's place. */
  intercept(path: string, listener: RequestListener): void;
  /** Other keys from now on, and those alone. */
  rotate(): Promise<void>;
  /** Nothing listens, until `comeUp`. */
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
};

/** The issuer, listening on a port of its own. */
export async function startIssuer(): Promise<TestIssuer & { stop(): Promise<void> }> {
  const asked = new Map<string, number>();
  const interceptors = new Map<string, RequestListener>();
  let keys = await newKeys();
  let provide: RequestListener = () => undefined;
  const server = createServer((request, response) => {
    const { pathname: path } = new URL(request.url ?? '/', 'http://any');
    asked.set(path, (asked.get(path) ?? 0) + 1);
    (interceptors.get(path) ?? provide)(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  provide = newProvider(issuer, keys).callback();

  async function goDown(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  return {
    issuer,
    asked: (path) => asked.get(path) ?? 0,
    intercept: (path, listener) => interceptors.set(path, listener),
    async issue(claims = {}, { alg = 'RS256', audience: resource = audience, ttlSeconds = 600 } = {}) {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { 'x-wanted': JSON.stringify({ claims, alg, ttlSeconds }) },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource, ...client }),
      });
      const answer = (await response.json()) as { access_token: string };
      if (!response.ok) throw new Error(`The issuer refused: ${JSON.stringify(answer)}`);
      return answer.access_token;
    },
    async sign(claims = {}, header = {}) {
      const whole: JWTHeaderParameters = { alg: 'RS256', typ: 'at+jwt', ...header };
      const key = keys.find(({ alg }) => alg === whole.alg);
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: issuer, aud: audience, sub: 'anybody', roles: ['VIEWER'], iat: now, exp: now + 600 };
      return new SignJWT({ ...payload, ...claims })
        .setProtectedHeader({ kid: key?.kid, ...whole })
        .sign(await importJWK(key ?? {}, whole.alg));
    },
    async rotate() {
      keys = await newKeys();
      provide = newProvider(issuer, keys).callback();
    },
    goDown,
    async comeUp() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    async stop() {
      if (server.listening) await goDown();
    },
  };
}

let keysMade = 0;

function newKeys(): Promise<JWK[]> {
  return Promise.all(
    algorithms.map(async (alg) => {
      keysMade += 1;
      const kid = `key-${keysMade}`;
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' };
    }),
  );
}

/** Nothing is kept: its tokens say all that they are. */
class NoStore {
  async upsert(): Promise<void> {
    return undefined;
  }

  async find(): Promise<undefined> {
    return undefined;
  }
}

type Asked = { get(header: string): string };

function newProvider(issuer: string, keys: JWK[]): Provider {
  const wanted = (ctx: Asked) => JSON.parse(ctx.get('x-wanted'));
  return new Provider(issuer, {
    adapter: NoStore,
    ttl: { ClientCredentials: (ctx: Asked) => wanted(ctx).ttlSeconds },
    jwks: { keys },
    cookies: { keys: ['only for this test'] },
    clients: [
      {
        ...client,
        ...{ grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' },
        ...{ redirect_uris: [], response_types: [] },
      },
    ],
    clientAuthMethods: ['client_secret_post'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx: Asked, resource: string) => ({
          scope: '',
          audience: resource,
          accessTokenTTL: wanted(ctx).ttlSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: wanted(ctx).alg } },
        }),
      },
    },
    formats: {
      customizers: {
        jwt: (ctx: Asked, _token: unknown, { payload }: { payload: object }) => {
          Object.assign(payload, wanted(ctx).claims);
        },
      },
    },
  });
}
