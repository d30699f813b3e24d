import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginSchemaReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { Context } from '../context.ts';
import type { GuardedSchema } from '../schema.ts';
import { maxTokens } from './documentLimits.ts';
import { formatError } from './formatError.ts';
import { createRequestPlugin } from './requestPlugin.ts';

/** Apollo Server with nothing that Nexus does not use: no landing page, no cache control, no batching, no usage reports. */
export function createApolloServer(
  { schema, guards }: Pick<GuardedSchema, 'schema' | 'guards'>,
  { isProduction, plugins = [] }: { isProduction: boolean; plugins?: ApolloServerPlugin<Context>[] },
): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema,
    introspection: !isProduction,
    hideSchemaDetailsFromClientErrors: isProduction,
    includeStacktraceInErrorResponses: false,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    parseOptions: { maxTokens },
    formatError,
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      createRequestPlugin(schema, guards),
      ...plugins,
    ],
  });
}
