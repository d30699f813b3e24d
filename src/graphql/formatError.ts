import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { DependencyUnavailableError, InputError, InternalServerError, NexusError } from '../errors.ts';
import { isDependencyFailure } from '../storage/failures.ts';

/** The codes of Apollo Server's own errors: their messages speak of the client's own document. */
const apolloCodes = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
]);

const persistedQueryMistakes = new Set(['Unsupported persisted query version', 'provided sha does not match query']);

/** The error as a client may know it; InternalServerError where it is a bug of ours. */
export function knownError(error: unknown): GraphQLError {
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (original instanceof NexusError) return original;
  if (isDependencyFailure(original)) return new DependencyUnavailableError('storage', { cause: original });
  if (!(error instanceof GraphQLError)) return new InternalServerError();
  if (isOfApollo(error)) return error;
  if (isPersistedQueryMistake(error)) return new NexusError('BAD_REQUEST', error.message);
  return argumentError(original) ?? coercionLimitError(error) ?? new InternalServerError();
}

/** Apollo's hook for each error of an answer: message, place and code of what a client may know, and nothing else. */
export function formatError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const known = knownError(error);
  const { code } = known.extensions;
  const { http: _http, ...extensions } = known instanceof NexusError ? known.extensions : { code };
  return {
    message: known.message,
    ...(formatted.locations && { locations: formatted.locations }),
    ...(formatted.path && { path: formatted.path }),
    extensions,
  };
}

/** Apollo's errors are of classes that it does not export; one that only bears such a code is not of Apollo. */
function isOfApollo({ name, path, extensions }: GraphQLError): boolean {
  return name !== 'GraphQLError' && !path && apolloCodes.has(String(extensions.code));
}

/** Two of Apollo's errors have no class and no code: an unknown version of persisted queries, and a hash of another text. */
export function isPersistedQueryMistake({ name, path, nodes, message, originalError }: GraphQLError): boolean {
  const isBare = name === 'GraphQLError' && !path && !nodes && !originalError;
  return isBare && persistedQueryMistakes.has(message);
}

/** graphql-js finds a null variable in a place for a value only when the field runs: the client's mistake all the same. */
function argumentError(original: unknown): InputError | null {
  const isOwn = original instanceof GraphQLError && original.nodes?.length && original.extensions.code === undefined;
  const name = isOwn ? /^Argument "(\w+)" /.exec(original.message)?.[1] : undefined;
  return name ? new InputError([{ field: name, message: 'must not be null' }]) : null;
}

/** graphql-js ends the coercion of variables at 50 problems, with an error that looks like one of its own. */
function coercionLimitError({ path, nodes, message }: GraphQLError): NexusError | null {
  const isLimit = !path && !nodes && message.startsWith('Too many errors processing variables');
  return isLimit ? new NexusError('BAD_USER_INPUT', 'The variables have too many problems.') : null;
}
