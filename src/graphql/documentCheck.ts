import type { ApolloServerOptions, ApolloServerPlugin, GraphQLRequestContext } from '@apollo/server';
import type { Context } from '../context.ts';
import { ForbiddenError, NexusError } from '../errors.ts';
import type { TrustedDocuments } from './trustedDocuments.ts';

const noteForMs = 60 * 60 * 1000;
const maxNoted = 1_000;
const maxNameLength = 200;

/** Which documents may run, beside what the policy says of their fields. */
export type DocumentRules = {
  trusted: TrustedDocuments;
  /** What happens to a document that is not trusted: it is noted and runs, or it is refused. */
  mode: 'log' | 'enforce';
};

/** A request as far as Apollo has come with it. */
type Request = Pick<GraphQLRequestContext<Context>, 'queryHash' | 'source' | 'operationName' | 'contextValue'>;

/** Decides by the text of a document. */
export type DocumentCheck = {
  /** Why the document must not run; null where it may, or where there is none. */
  refusal(request: Request): NexusError | null;
  /** Puts a document that runs although it is not trusted into the log, each once an hour. */
  note(request: Request): void;
};

/**
 * A key that is bound to documents sends those alone. Where the rules are enforced, nobody sends others than the trusted
 * ones, keys of that kind included: whoever may make a key decides no more than which of them it sends.
 */
export function createDocumentCheck(rules: DocumentRules | null): DocumentCheck {
  const isNewlySeen = createHourlyNotes();
  return {
    refusal: (request) => {
      const hash = hashOf(request);
      if (hash === undefined) return null;
      const own = request.contextValue.caller?.documents;
      if (own && !own.has(hash)) return new ForbiddenError('The key is not for this document.');
      if (rules?.mode !== 'enforce' || rules.trusted.has(hash)) return null;
      return new NexusError('GRAPHQL_VALIDATION_FAILED', 'The document is not one of the trusted documents.');
    },
    note: (request) => {
      const hash = hashOf(request);
      if (rules?.mode !== 'log' || hash === undefined || rules.trusted.has(hash) || !isNewlySeen(hash)) return;
      const { requestId, log } = request.contextValue;
      const operationName = request.operationName?.slice(0, maxNameLength) ?? null;
      log.warn('A document that is not trusted has run.', { requestId, document: hash, operationName });
    },
  };
}

/** For Apollo: finds trusted documents by their hash, and registers none. */
export function persistedQueriesOf(rules: DocumentRules | null): ApolloServerOptions<Context>['persistedQueries'] {
  if (!rules) return false;
  return {
    cache: {
      get: async (key) => rules.trusted.get(key.replace(/^apq:/, '')),
      set: async () => undefined,
      delete: async () => false,
    },
  };
}

/** A hash that is no text becomes that of no document: Apollo would take what comes and write it into a text. */
export const oddHashesPlugin: ApolloServerPlugin<Context> = {
  requestDidStart: async ({ request: { extensions } }) => {
    const persistedQuery: unknown = extensions?.persistedQuery;
    if (typeof persistedQuery !== 'object' || persistedQuery === null) return;
    if (typeof Reflect.get(persistedQuery, 'sha256Hash') !== 'string') Reflect.set(persistedQuery, 'sha256Hash', '');
  },
};

/**
 * Undefined where there is no document, the empty text where it is none that a hash stands for: lone surrogates have the
 * hash of the replacement character.
 */
function hashOf({ queryHash, source }: Request): string | undefined {
  if (source === undefined) return undefined;
  return queryHash !== undefined && source.isWellFormed() ? queryHash : '';
}

/** Whether a text is seen for the first time in its hour; of very many the rest is not. */
function createHourlyNotes(): (text: string) => boolean {
  let noted = new Set<string>();
  let startedAt = performance.now();
  return (text) => {
    if (performance.now() - startedAt >= noteForMs) {
      noted = new Set();
      startedAt = performance.now();
    }
    if (noted.has(text) || noted.size >= maxNoted) return false;
    noted.add(text);
    return true;
  };
}
