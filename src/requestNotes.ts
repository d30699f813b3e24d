import type { Caller } from './auth/principal.ts';

/** What the GraphQL layer finds out about a request, for its one event in the log. */
export type RequestNotes = {
  operationName: string | null;
  operationType: string | null;
  /** The codes of the errors in the answer. */
  codes: string[];
  caller: Caller;
};

/** Notes of a request of which nothing is known yet. */
export function newRequestNotes(): RequestNotes {
  return { operationName: null, operationType: null, codes: [], caller: null };
}
