import type { GraphQLFormattedError } from 'graphql';
import { OperationTimeoutError } from '../errors.ts';

const { code, message, extensions } = new OperationTimeoutError();

type Result = { data?: Record<string, unknown> | null; errors?: readonly GraphQLFormattedError[] };

/**
 * Makes it the answer of an operation whose time was up: errors of what did not answer any more say why. Half a query is
 * nothing; a mutation tells which of its changes were made.
 */
export function tellTimeout(result: Result, isMutation: boolean): void {
  const isCause = (error: GraphQLFormattedError) => error.extensions?.code === code;
  const { errors = [] } = result;
  if (!errors.some(isCause)) return;
  if (!isMutation) Object.assign(result, { data: undefined, errors: [{ message, extensions }] });
  else result.errors = errors.map((error) => (isCause(error) ? { ...error, message, extensions } : error));
}
