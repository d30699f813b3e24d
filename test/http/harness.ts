import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApolloServer } from '@apollo/server';
import { vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createHttpServer, type HttpServerParts, type IncomingRequest } from '../../src/http/server.ts';
import { closeLog, createLog, type RequestEvent } from '../../src/log.ts';

/** What the test schema's resolvers may use. */
export type TestContext = { request: IncomingRequest };
type Parts = HttpServerParts<TestContext>;

const typeDefs = `
  type Query { hello: String  slow(ms: Int!): String  echo(text: String): String  broken: String }
  type Mutation { logIn(value: String): String }
`;
const resolvers = {
  Query: {
    hello: () => 'world',
    slow: (_: unknown, { ms }: { ms: number }) => new Promise((resolve) => setTimeout(resolve, ms, 'done')),
    echo: (_: unknown, { text }: { text: string }) => text,
  },
  Mutation: {
    logIn: (_: unknown, { value }: { value?: string }, { request }: TestContext) => {
      request.setSessionCookie(value ?? null);
      return value;
    },
  },
};

export type TestServer = {
  url: string;
  port: number;
  /** Every request that reached createContext. */
  seen: IncomingRequest[];
  close(): Promise<void>;
  /** Closes the server and answers what it has logged. */
  stop(): Promise<Record<string, unknown>[]>;
};

/** The real server over a small schema, on a free port. */
export async function startServer(
  environment: NodeJS.ProcessEnv = {},
  parts: Partial<Pick<Parts, 'createContext' | 'dependencies' | 'onRequestEnd'>> = {},
): Promise<TestServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-http-'));
  const config = readConfig({ NODE_ENV: 'test', PORT: '0', NEXUS_DATA_DIR: directory, ...environment });
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const log = createLog(config);
  const apollo = new ApolloServer<TestContext>({ typeDefs, resolvers });
  await apollo.start();
  const seen: IncomingRequest[] = [];
  const http = await createHttpServer({
    config,
    log,
    apollo,
    createContext: async (request) => {
      seen.push(request);
      return { request };
    },
    blockedMs: () => 0,
    onRequestEnd: () => undefined,
    jwks: () => ({ keys: [{ kty: 'OKP' }] }),
    dependencies: {},
    metrics: { contentType: 'text/plain', text: async () => 'nexus_tests 1\n' },
    ...parts,
  });
  const url = await http.listen();

  async function stop(): Promise<Record<string, unknown>[]> {
    await http.close();
    await apollo.stop();
    await closeLog(log);
    stdout.mockRestore();
    const text = await readFile(config.auditLogFile, 'utf8').catch(() => '');
    await rm(directory, { recursive: true, force: true });
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }
  return { url, port: Number(new URL(url).port), seen, close: http.close, stop };
}

/** The request events among what was logged. */
export function eventsOf(lines: Record<string, unknown>[]): Partial<RequestEvent>[] {
  return lines.filter(({ event }) => event === 'request');
}

/** Posts a body to the GraphQL endpoint, on a connection of its own. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Writes the pieces to a connection, `pauseMs` apart, and answers all that comes back until the server ends it. */
export function raw(port: number, pieces: string[], pauseMs = 20): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection(port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    pieces.forEach((piece, index) => {
      setTimeout(() => socket.write(piece), index * pauseMs);
    });
  });
}
