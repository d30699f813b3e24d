import type { Caller } from './auth/principal.ts';

/** What the GraphQL layer finds out about a request, for its one event in the log. */
export type RequestNotes = {
  operationName: string | null;
  operationType: string | null;
  /** The codes of the errors in the answer. */
  codes: string[];
  /** The limits in shadow that would have refused it. */
  shadowLimits: string[];
  caller: Caller;
  /** How many credentials and passwords came with the request that did not work; a missing one is none. */
  failedAuthentications: number;
  /** Whether a browser sent it because a page of another site made it do so. */
  isOfForeignPage: boolean;
};

/** Notes of a request of which nothing is known yet. */
export function newRequestNotes(): RequestNotes {
  return {
    ...{ operationName: null, operationType: null, codes: [], shadowLimits: [] },
    ...{ caller: null, failedAuthentications: 0, isOfForeignPage: false },
  };
}
