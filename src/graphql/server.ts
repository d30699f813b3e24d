import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginSchemaReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { Config } from '../config.ts';
import type { Context } from '../context.ts';
import type { GuardedSchema } from '../schema.ts';
import { type DocumentRules, oddHashesPlugin, persistedQueriesOf } from './documentCheck.ts';
import { maxTokens } from './documentLimits.ts';
import { createDocumentStore } from './documentStore.ts';
import { formatError } from './formatError.ts';
import { createRequestPlugin, type RequestPluginOptions } from './requestPlugin.ts';

export type ApolloServerParts = Pick<GuardedSchema, 'schema' | 'guards'> & {
  /** Absent: every document may run. */
  documentRules?: DocumentRules | null;
};

/** Each costs the search for words that are like the wrong one. */
const maxValidationErrors = 20;

/** Apollo Server with nothing that Nexus does not use: no landing page, no cache control, no batching, no usage reports. */
export function createApolloServer(
  { schema, guards, documentRules = null }: ApolloServerParts,
  {
    isProduction,
    tiers,
    isCounted,
    plugins = [],
  }: Pick<Config, 'isProduction' | 'tiers'> &
    Pick<RequestPluginOptions, 'isCounted'> & { plugins?: ApolloServerPlugin<Context>[] },
): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema,
    introspection: !isProduction,
    hideSchemaDetailsFromClientErrors: isProduction,
    includeStacktraceInErrorResponses: false,
    allowBatchedHttpRequests: false,
    persistedQueries: persistedQueriesOf(documentRules),
    parseOptions: { maxTokens },
    documentStore: createDocumentStore(),
    validationOptions: { maxErrors: maxValidationErrors },
    formatError,
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      oddHashesPlugin,
      createRequestPlugin(schema, guards, { tiers, documentRules, isCounted }),
      ...plugins,
    ],
  });
}
