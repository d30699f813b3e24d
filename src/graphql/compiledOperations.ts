import { type ExecutionResult, GraphQLError, type GraphQLSchema, Kind, type OperationDefinitionNode } from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { OperationRequest } from '../policy/admission.ts';

/** Compiling costs milliseconds: an operation must have come so often, or a flood of new ones would be a burden. */
const compileAfter = 20;
const maxCompiled = 200;

/** Runs an operation, or answers null where graphql-js is to run it. */
export type RunCompiled = (request: OperationRequest, ctx: object) => Promise<ExecutionResult | null>;

/**
 * Runs operations that come often as compiled code, with the same resolvers, guards included, and the same answers.
 * Nothing has run where it answers null: the operation is new or introspects, or its variables cannot be coerced.
 */
export function createCompiledOperations(schema: GraphQLSchema): RunCompiled {
  const sightings = new WeakMap<OperationDefinitionNode, number>();
  const compiled = new LRUCache<OperationDefinitionNode, CompiledQuery>({ max: maxCompiled });

  const compiledOf = ({ document, operation }: OperationRequest): CompiledQuery | null => {
    const known = compiled.get(operation);
    if (known) return known;
    const seen = (sightings.get(operation) ?? 0) + 1;
    sightings.set(operation, seen);
    if (seen !== compileAfter || isIntrospection(operation)) return null;
    sightings.delete(operation);
    const query = compileQuery(schema, document, operation.name?.value);
    if (!isCompiledQuery(query)) return null;
    compiled.set(operation, query);
    return query;
  };

  return async (request, ctx) => {
    const query = compiledOf(request);
    if (!query) return null;
    const { data, errors } = await query.query(undefined, ctx, request.variables);
    if (data === undefined) return null;
    return errors ? { data, errors: errors.map(asGraphQLError) } : { data };
  };
}

function isIntrospection({ selectionSet }: OperationDefinitionNode): boolean {
  return selectionSet.selections.some((node) => node.kind !== Kind.FIELD || node.name.value.startsWith('__'));
}

/** graphql-jit has an error class of its own, which knows places of the document and no nodes. */
function asGraphQLError({ message, path, originalError, locations }: GraphQLError): GraphQLError {
  return Object.assign(new GraphQLError(message, { path, originalError }), { locations });
}
