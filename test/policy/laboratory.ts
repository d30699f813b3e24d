import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ApolloServer } from '@apollo/server';
import type { IResolvers } from '@graphql-tools/utils';
import { type DocumentNode, type ExecutionResult, execute, parse, subscribe } from 'graphql';
import { createLogger, transports } from 'winston';
import { AuditDraft } from '../../src/audit/draft.ts';
import type { Principal } from '../../src/auth/principal.ts';
import type { Context } from '../../src/context.ts';
import { UnauthenticatedError } from '../../src/errors.ts';
import { createApolloServer } from '../../src/graphql/server.ts';
import type { Counters } from '../../src/limits/counters.ts';
import { createMemoryCounters } from '../../src/limits/memoryCounters.ts';
import { parseTierTable } from '../../src/limits/tierTable.ts';
import { Loaders } from '../../src/loaders.ts';
import { OperationLimits } from '../../src/policy/operationLimits.ts';
import { Refusals } from '../../src/policy/refusals.ts';
import { newRequestNotes } from '../../src/requestNotes.ts';
import type { GuardedSchema } from '../../src/schema.ts';
import type { Services } from '../../src/services.ts';
import type { Database, Db } from '../../src/storage/db.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { createDatabase } from '../support/databases.ts';
import { unlimitedTiers } from '../support/tiers.ts';
import type { CallerFacts } from './expectation.ts';
import { documentsOf, guardSdl } from './guardSdl.ts';

/** A caller of the laboratory; beside them, `anonymous` and `bad token`. */
export function callerFacts(
  name: string,
  credential: CallerFacts['credential'],
  roles: Principal['roles'] = [],
  scopes: readonly string[] = [],
): CallerFacts {
  const ownId = credential === 'NONE' || credential === 'BAD' ? null : `own id of ${name}`;
  return { name, credential, roles, scopes, ownId };
}

export const anonymous = callerFacts('anonymous', 'NONE');

export type LabAnswer = {
  status: number;
  headers: ReadonlyMap<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  data: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  errors: { message: string; path?: readonly (string | number)[]; extensions: any }[] | undefined;
};

export type Visit = { caller?: CallerFacts; ip?: string; bodyBytes?: number };

/** A schema of its own behind Nexus's policy and Apollo Server, on a real database, with counters in memory. */
export type Laboratory = GuardedSchema & {
  documents: readonly DocumentNode[];
  server: ApolloServer<Context>;
  database: Database;
  /** What the resolvers say of themselves, in the order in which they ran. */
  calls: string[];
  /** What was logged, as JSON. */
  logged: string[];
  counters: Counters;
  contextOf(visit?: Visit): Context;
  /** One request by the way of Apollo Server. */
  run(query: string, variables?: object, visit?: Visit): Promise<LabAnswer>;
  /** One request by graphql-js alone: the wrappers stand without admission. */
  runUnadmitted(query: string, variables?: object, visit?: Visit): Promise<ExecutionResult>;
  /** Opens a stream, and answers the first of its events; the errors of the opening where none opened. */
  firstEvent(query: string, visit?: Visit): Promise<ExecutionResult & { isOpened: boolean }>;
  stop(): Promise<void>;
};

/** Opens a laboratory. `resolversOf` is given the list of calls. */
export async function openLaboratory(
  sdl: string,
  resolversOf: (calls: string[]) => IResolvers,
  tiers = unlimitedTiers,
): Promise<Laboratory> {
  const calls: string[] = [];
  const logged: string[] = [];
  const guarded = guardSdl(sdl, resolversOf(calls));
  const server = createApolloServer(guarded, { isProduction: false, tiers: parseTierTable(tiers).table });
  const { url, drop } = await createDatabase();
  const database = await openDatabase({ databaseUrl: url, dataDirectory: '' });
  await migrate(database, { folder: fileURLToPath(new URL('../../drizzle', import.meta.url)) });
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ transports: [new transports.Stream({ stream })] });

  const laboratory: Laboratory = {
    ...guarded,
    documents: documentsOf(sdl),
    server,
    database,
    calls,
    logged,
    counters: createMemoryCounters(),
    contextOf({ caller = anonymous, ip = '192.0.2.1', bodyBytes = 100 } = {}) {
      const loaders = new Loaders({} as Db);
      const services = { counters: laboratory.counters } as Partial<Services> as Services;
      return {
        requestId: randomUUID(),
        ip,
        userAgent: null,
        bodyBytes,
        receivedAt: performance.now(),
        isCostDebugged: false,
        limits: new OperationLimits(),
        notes: newRequestNotes(),
        caller: principalOf(caller),
        refusal: caller.credential === 'BAD' ? new UnauthenticatedError() : null,
        db: database.db,
        loaders,
        services,
        log,
        audit: new AuditDraft(),
        refusals: new Refusals(),
        recheckCaller: async () => undefined,
        afterCommit: () => calls.push('afterCommit outside of a transaction'),
        setSessionCookie: () => undefined,
      };
    },
    async run(query, variables = {}, visit = {}) {
      const contextValue = laboratory.contextOf(visit);
      const { body, http } = await server.executeOperation(
        { query, variables: variables as Record<string, unknown>, http: undefined },
        { contextValue },
      );
      if (body.kind !== 'single') throw new Error('The answer is in parts.');
      const { data, errors } = JSON.parse(JSON.stringify(body.singleResult));
      return { status: http.status ?? 200, headers: http.headers, data, errors };
    },
    async runUnadmitted(query, variables = {}, visit = {}) {
      const { schema } = guarded;
      const contextValue = laboratory.contextOf(visit);
      return execute({ schema, document: parse(query), variableValues: { ...variables }, contextValue });
    },
    async firstEvent(query, visit = {}) {
      const { schema } = guarded;
      const stream = await subscribe({ schema, document: parse(query), contextValue: laboratory.contextOf(visit) });
      if (!(Symbol.asyncIterator in stream)) return { ...stream, isOpened: false };
      const { value } = await stream.next();
      await stream.return?.(undefined);
      return { ...value, isOpened: true };
    },
    async stop() {
      await server.stop();
      log.close();
      await database.close();
      await drop();
    },
  };
  return laboratory;
}

function principalOf({ credential, roles, scopes, ownId }: CallerFacts): Principal | null {
  if (credential === 'NONE' || credential === 'BAD') return null;
  const isAgent = roles.includes('AGENT');
  return {
    kind: credential,
    userId: isAgent || ownId === null ? `owner of ${ownId}` : ownId,
    roles: roles as Principal['roles'],
    scopes: new Set(scopes as readonly never[]),
    tier: 'STANDARD',
    agentId: isAgent ? ownId : null,
    apiKeyId: credential === 'API_KEY' ? `key of ${ownId}` : null,
    keyHash: null,
    sessionId: credential === 'API_KEY' ? null : `session of ${ownId}`,
    authenticatedAt: null,
    basis: { subjects: ['global', 'a user', 'a credential'], epochs: [0, 0, 0] },
  };
}
