import { readdirSync, readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { concatAST, type DocumentNode, type GraphQLSchema, parse, Source } from 'graphql';
import { validateSDL } from 'graphql/validation/validate.js';
import { agentsResolvers } from './agents/resolvers.ts';
import { apiKeysResolvers } from './apiKeys/resolvers.ts';
import { auditResolvers } from './audit/resolvers.ts';
import { scalars } from './graphql/scalars.ts';
import { ipBlocksResolvers } from './ipBlocks/resolvers.ts';
import { limitsResolvers } from './limits/resolvers.ts';
import { compilePolicy, PolicyError } from './policy/compile.ts';
import { enforcePolicy } from './policy/enforce.ts';
import { createGuards, type PolicyGuards } from './policy/guards.ts';
import type { PolicyTable } from './policy/table.ts';
import { sessionsResolvers } from './sessions/resolvers.ts';
import { tasksResolvers } from './tasks/resolvers.ts';
import { telemetryResolvers } from './telemetry/resolvers.ts';
import { usersResolvers } from './users/resolvers.ts';

const directory = new URL('../schema/', import.meta.url);

type Resolvers = NonNullable<Parameters<typeof makeExecutableSchema>[0]['resolvers']>;

/** `isCounted: false` leaves the rate limits out, to measure what they cost. */
type GuardOptions = { isCounted?: boolean };

/** A schema that enforces the policy of its SDL, with the policy itself. */
export type GuardedSchema = { schema: GraphQLSchema; policy: PolicyTable; guards: PolicyGuards };

/** Nexus's schema: the SDL, the rooms' resolvers, and the policy around them, in this order. */
export function createSchema(options: GuardOptions = {}): GuardedSchema {
  const resolvers = [
    scalars,
    usersResolvers,
    sessionsResolvers,
    apiKeysResolvers,
    tasksResolvers,
    agentsResolvers,
    telemetryResolvers,
    auditResolvers,
    limitsResolvers,
    ipBlocksResolvers,
  ];
  return guardSchema(readDocuments(), resolvers, options);
}

/** The schema of the documents with the policy compiled and enforced; throws PolicyError with every problem. */
export function guardSchema(
  documents: readonly DocumentNode[],
  resolvers: Resolvers,
  { isCounted = true }: GuardOptions = {},
): GuardedSchema {
  const problems = sdlProblems(documents);
  if (problems.length > 0) throw new PolicyError([...problems, ...policyProblems(documents, resolvers)]);
  const schema = makeExecutableSchema({ typeDefs: [...documents], resolvers });
  const policy = compilePolicy(schema);
  const guards = createGuards(policy, isCounted);
  return { schema: enforcePolicy(schema, guards), policy, guards };
}

/** The files of schema/, in the order of their names. */
export function readDocuments(): DocumentNode[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => parse(new Source(readFileSync(new URL(name, directory), 'utf8'), `schema/${name}`)));
}

function sdlProblems(documents: readonly DocumentNode[]): string[] {
  return validateSDL(concatAST(documents)).map(({ message, nodes, locations }) => {
    const file = nodes?.[0]?.loc?.source.name ?? 'the SDL';
    return `${file}:${locations?.[0]?.line ?? 1} ${message}`;
  });
}

/** The policy's problems of an SDL that has problems of its own, so that all are told at once where that is possible. */
function policyProblems(documents: readonly DocumentNode[], resolvers: Resolvers): readonly string[] {
  try {
    compilePolicy(makeExecutableSchema({ typeDefs: [...documents], resolvers, assumeValidSDL: true }));
    return [];
  } catch (error) {
    return error instanceof PolicyError ? error.problems : [];
  }
}
