import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ApolloServerPlugin } from '@apollo/server';
import { vi } from 'vitest';
import { AuditDraft } from '../../src/audit/draft.ts';
import { readConfig } from '../../src/config.ts';
import type { Context } from '../../src/context.ts';
import { createApolloServer } from '../../src/graphql/server.ts';
import { createHttpServer, type IncomingRequest } from '../../src/http/server.ts';
import { parseTierTable } from '../../src/limits/tierTable.ts';
import { Loaders } from '../../src/loaders.ts';
import { closeLog, createLog } from '../../src/log.ts';
import { OperationLimits } from '../../src/policy/operationLimits.ts';
import { Refusals } from '../../src/policy/refusals.ts';
import type { Services } from '../../src/services.ts';
import type { Db } from '../../src/storage/db.ts';
import { guardSdl } from '../policy/guardSdl.ts';
import { unlimitedTiers } from '../support/tiers.ts';

const sdl = `
  extend type Query {
    "Fails." query: String @public
    "Fails by a rejection." rejection: String @public
    "Fails, and may not be null." strict: String! @public
    "Fails in a field." object: Thing @public
    "Works." fine: String @public
    "Answers a text." number: Int @public
    "Answers no such level." level: Level @public
    "Answers a text." instant: DateTime @public
    "Answers nothing." required: String! @public
  }
  extend type Mutation { "Fails." mutation: String @public @audit(action: "thing.do", level: NONE) }
  "Levels." enum Level { "One." ONE }
  "A thing." type Thing { "Fails without a policy." getter: String }
`;

const hooks = [
  'requestDidStart',
  'didResolveSource',
  'parsingDidStart',
  'validationDidStart',
  'didResolveOperation',
  'responseForOperation',
  'executionDidStart',
  'willResolveField',
  'executionDidEnd',
  'willSendResponse',
];

/** Where a request can be made to fail, and what to ask for to get there. */
export const places: Record<string, string> = {
  'a resolver': '{ query }',
  'a resolver that rejects': '{ rejection }',
  'a resolver of what may not be null': '{ strict }',
  'a field of an object': '{ object { getter } }',
  'a mutation': 'mutation { mutation }',
  'the context': '{ fine }',
  ...Object.fromEntries(hooks.map((hook) => [`a plugin in ${hook}`, '{ fine }'])),
};
/** A route beside GraphQL. */
export const otherRoute = 'another route';
/** What the health of the server is asked of. */
export const dependency = 'a dependency';

/** A line of the log, and its text. */
export type LogLine = { text: string; level: string; event?: string; requestId?: string; codes?: string[] };

export type FailingServer = {
  url: string;
  /** Makes the place throw the value from now on. */
  fail(place: string, value: unknown): void;
  /** Closes the server and answers its log, and what was written past it to the console or a standard stream. */
  stop(): Promise<{ log: LogLine[]; other: string }>;
};

/** The real server and the real guards around a schema that fails where it is told to. */
export async function startFailingServer(): Promise<FailingServer> {
  let current: { place: string; value: unknown } = { place: '', value: undefined };
  const at = (place: string): void => {
    if (current.place === place) throw current.value;
  };
  const directory = await mkdtemp(path.join(tmpdir(), 'nexus-errors-'));
  const config = readConfig({ NODE_ENV: 'test', PORT: '0', NEXUS_DATA_DIR: directory });
  const written: string[] = [];
  const keep = (text: unknown) => written.push(String(text)) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep),
    ...(['error', 'warn', 'info', 'log', 'debug'] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation((...texts) => void keep(texts.join(' '))),
    ),
  ];

  const guarded = guardSdl(sdl, {
    Query: {
      query: () => at('a resolver'),
      rejection: async () => at('a resolver that rejects'),
      strict: () => at('a resolver of what may not be null') ?? 'fine',
      object: () => ({
        get getter() {
          return at('a field of an object');
        },
      }),
      fine: () => 'fine',
      number: () => 'planted',
      level: () => 'planted',
      instant: () => 'planted',
      required: () => null,
    },
    Mutation: { mutation: () => at('a mutation') },
  });
  const log = createLog(config);
  const apollo = createApolloServer(guarded, {
    isProduction: false,
    tiers: parseTierTable(unlimitedTiers).table,
    plugins: [failingPlugin(at)],
  });
  await apollo.start();
  const http = await createHttpServer({
    config,
    log,
    apollo,
    createContext: async (request) => {
      at('the context');
      return contextOf(request, log);
    },
    blockedMs: () => 0,
    onRequestEnd: () => undefined,
    jwks: () => {
      at(otherRoute);
      return {};
    },
    metrics: { contentType: 'text/plain', text: async () => '' },
    dependencies: { part: { check: async () => at(dependency), isNeeded: true } },
  });
  const url = await http.listen();

  return {
    url,
    fail: (place, value) => {
      current = { place, value };
    },
    async stop() {
      await http.close();
      await apollo.stop();
      await closeLog(log);
      for (const spy of spies) spy.mockRestore();
      const lines = (await readFile(config.auditLogFile, 'utf8')).trimEnd().split('\n');
      await rm(directory, { recursive: true, force: true });
      const other = written
        .join('\n')
        .split('\n')
        .filter((line) => line !== '' && !lines.includes(line));
      return { log: lines.map((text) => ({ text, ...JSON.parse(text) })), other: other.join('\n') };
    },
  };
}

function failingPlugin(at: (place: string) => void): ApolloServerPlugin<Context> {
  const hook = (name: string) => async () => at(`a plugin in ${name}`);
  return {
    requestDidStart: async () => {
      at('a plugin in requestDidStart');
      return {
        didResolveSource: hook('didResolveSource'),
        parsingDidStart: async () => at('a plugin in parsingDidStart'),
        validationDidStart: async () => at('a plugin in validationDidStart'),
        didResolveOperation: hook('didResolveOperation'),
        responseForOperation: async () => {
          at('a plugin in responseForOperation');
          return null;
        },
        executionDidStart: async () => {
          at('a plugin in executionDidStart');
          return {
            willResolveField: () => at('a plugin in willResolveField'),
            executionDidEnd: hook('executionDidEnd'),
          };
        },
        willSendResponse: hook('willSendResponse'),
      };
    },
  };
}

function contextOf(request: IncomingRequest, log: Context['log']): Context {
  const { requestId, ip, userAgent, bodyBytes, receivedAt, isCostDebugged, notes, setSessionCookie } = request;
  const nothing = {} as Db;
  return {
    requestId,
    ip,
    userAgent,
    bodyBytes,
    receivedAt,
    isCostDebugged,
    notes,
    caller: null,
    refusal: null,
    db: nothing,
    loaders: new Loaders(nothing),
    services: {} as Services,
    log,
    audit: new AuditDraft(),
    limits: new OperationLimits(),
    refusals: new Refusals(),
    afterCommit: () => undefined,
    recheckCaller: async () => undefined,
    setSessionCookie,
  };
}
