import type { CodegenConfig } from '@graphql-codegen/cli';

// biome-ignore lint/style/noDefaultExport: graphql-codegen reads the default export.
export default {
  schema: 'schema/*.graphql',
  generates: {
    'src/graphql/types.generated.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        contextType: '../context.ts#Context',
        useTypeImports: true,
        enumsAsTypes: true,
        scalars: {
          ID: 'string',
          AgentId: 'string',
          DateTime: 'Date',
          EmailAddress: 'string',
          JSONObject: 'Record<string, unknown>',
          SafeInt: 'number',
          Scope: '../auth/roles.ts#Scope',
        },
        mappers: {
          Agent: '../agents/repository.ts#AgentRow',
          ApiKey: '../apiKeys/repository.ts#ApiKeyView',
          IpBlock: '../ipBlocks/repository.ts#IpBlockView',
          Session: '../sessions/repository.ts#SessionView',
          Task: '../tasks/repository.ts#TaskView',
          Telemetry: '../telemetry/repository.ts#TelemetryRow',
          User: '../users/repository.ts#UserView',
        },
        defaultScalarType: 'unknown',
        strictScalars: true,
        makeResolverTypeCallable: true,
      },
    },
  },
} satisfies CodegenConfig;
