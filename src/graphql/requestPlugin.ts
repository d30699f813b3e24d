import { type ApolloServerPlugin, type GraphQLRequestContext, HeaderMap } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import type { Config } from '../config.ts';
import type { Context } from '../context.ts';
import { httpStatusOf, InputError, InternalServerError, NexusError, refuseRequest } from '../errors.ts';
import { describeError } from '../log.ts';
import { remainingMs } from '../operationDeadline.ts';
import { chargeUnpriced, createAdmission } from '../policy/admission.ts';
import type { PolicyGuards } from '../policy/guards.ts';
import { createPricing } from '../policy/price.ts';
import { createBoundDocuments } from './boundDocuments.ts';
import { createCompiledOperations } from './compiledOperations.ts';
import { createDocumentCheck, type DocumentRules } from './documentCheck.ts';
import { formatError, isPersistedQueryMistake, knownError } from './formatError.ts';
import { settleLimits } from './limitsAnswer.ts';
import { tellTimeout } from './operationTimeout.ts';
import { coercionProblems, variablesProblem } from './variables.ts';

const ordinaryBodyLimitBytes = 256 * 1024;

type Request = GraphQLRequestContext<Context>;

export type RequestPluginOptions = Pick<Config, 'tiers'> & {
  documentRules?: DocumentRules | null;
  /** False: operations have no price and no limits, to measure what those cost. */
  isCounted?: boolean;
};

/**
 * Nexus's part in the way of a request: admission before execution; status, request id, refusals and what is left of the
 * limits after it.
 */
export function createRequestPlugin(
  schema: GraphQLSchema,
  guards: PolicyGuards,
  { tiers, documentRules = null, isCounted = true }: RequestPluginOptions,
): ApolloServerPlugin<Context> {
  const documents = createDocumentCheck(documentRules);
  const admit = createAdmission(schema, guards, isCounted ? createPricing(schema) : null, { tiers });
  const runCompiled = createCompiledOperations(schema);
  const boundDocuments = createBoundDocuments();

  /** What was read and refused before it came to a price is counted all the same. */
  async function unpricedRefusal({ source, contextValue: ctx }: Request): Promise<NexusError | null> {
    if (source === undefined || ctx.limits.price) return null;
    return chargeUnpriced(ctx, { tiers });
  }

  return {
    requestDidStart: async () => ({
      parsingDidStart: async (request) => async (error) => {
        if (!error) boundDocuments.bound(request);
      },
      didResolveOperation: async (request) => {
        const { document, operation, contextValue: ctx } = request;
        const refused = document && boundDocuments.refusedOf(document, request.request.operationName);
        if (refused?.operation) noteOperation(refused.operation, ctx);
        if (refused) throw refuseRequest(ctx.refusal ?? refused.problem);
        if (!document || !operation) return; // No such operation: Apollo answers that.
        noteOperation(operation, ctx);
        if (isTooLarge(operation, ctx))
          throw refuseRequest(new NexusError('BAD_REQUEST', 'The body is too large.'), 413);
        const sent = request.request.variables ?? {};
        const unreadable = variablesProblem(schema, operation, sent);
        const untrusted = documents.refusal(request);
        const problem = ctx.refusal ? null : (untrusted ?? transportProblem(operation) ?? unreadable);
        // A bad credential is refused whatever else is wrong; variables of the wrong shape are not looked at any more.
        const variables = unreadable ? {} : sent;
        const refusal = problem ?? (await admit({ document, operation, variables }, ctx));
        if (refusal) throw refuseRequest(refusal);
        documents.note(request);
      },
      responseForOperation: async (request) => {
        const { document, operation, contextValue: ctx } = request;
        if (!document || !operation) return null;
        const result = await runCompiled({ document, operation, variables: request.request.variables ?? {} }, ctx);
        if (!result) return null;
        const { data, errors } = result;
        for (const error of errors ?? []) report(error, ctx);
        const formatted = errors?.map((error) => formatError(error.toJSON(), error));
        return {
          http: { status: undefined, headers: new HeaderMap() },
          body: { kind: 'single', singleResult: { data, ...(formatted && { errors: formatted }) } },
        };
      },
      didEncounterErrors: async ({ errors, contextValue }) => {
        for (const error of errors) {
          report(error, contextValue);
          dropForeignHead(error);
        }
      },
      willSendResponse: async (request) => {
        const { contextValue: ctx, response } = request;
        await recordRefusals(ctx);
        if (response.body.kind !== 'single') return;
        const { singleResult } = response.body;
        settleLimits(singleResult, response.http.headers, ctx);
        if (!singleResult.errors) return;
        if (remainingMs() === 0) tellTimeout(singleResult, ctx.notes.operationType === 'mutation');
        // Whatever else is wrong, a document that is not valid too: nothing is answered to a bad credential, and nothing
        // of the schema to a document that may not run.
        const refusal = ctx.refusal ?? (await unpricedRefusal(request)) ?? documents.refusal(request);
        singleResult.errors = refusal
          ? [formatError(refusal.toJSON(), refusal)]
          : withProblems(schema, request, singleResult.errors);
        singleResult.errors = singleResult.errors.map((error) => withRequestId(error, ctx.requestId));
        ctx.notes.codes = singleResult.errors.map(({ extensions }) => String(extensions?.code));
        refuseAsAWhole(singleResult.data, singleResult.errors, response.http);
        if (ctx.refusal?.code === 'UNAUTHENTICATED') ctx.setSessionCookie(null);
      },
    }),
    // What this throws is the answer; otherwise Apollo writes the error to the console as it is, SQL included.
    unexpectedErrorProcessingRequest: async ({ requestContext: { contextValue: ctx }, error }) => {
      report(error, ctx);
      ctx.limits.settle(0);
      const refusal = refusalOf(error, ctx.requestId);
      ctx.notes.codes = [refusal.code];
      throw refusal;
    },
  };
}

/** Subscriptions have a door of their own. */
function transportProblem(operation: OperationDefinitionNode): NexusError | null {
  return operation.operation === 'subscription'
    ? new NexusError('BAD_REQUEST', 'Subscriptions are not served over POST.')
    : null;
}

/** Only a batch of telemetry by somebody who is known may be larger than other bodies. */
function isTooLarge(operation: OperationDefinitionNode, { bodyBytes, caller }: Context): boolean {
  return bodyBytes > ordinaryBodyLimitBytes && !(caller && operation.selectionSet.selections.every(isTelemetryBatch));
}

function isTelemetryBatch(node: OperationDefinitionNode['selectionSet']['selections'][number]): boolean {
  return node.kind === 'Field' && node.name.value === 'submitTelemetryBatch';
}

function noteOperation(operation: Pick<OperationDefinitionNode, 'name' | 'operation'>, { notes }: Context): void {
  notes.operationName = operation.name?.value ?? null;
  notes.operationType = operation.operation;
}

/** Bugs are logged in full, without what may hold data; refusals and mistakes of clients are in the request event. */
function report(error: Error, ctx: Context | undefined): void {
  const known = knownError(error);
  const level =
    known instanceof InternalServerError ? 'error' : known.extensions.code === 'DEPENDENCY_UNAVAILABLE' ? 'warn' : null;
  if (level === null || !ctx) return;
  const { originalError, path } = error instanceof GraphQLError ? error : {};
  const cause = known.cause ?? originalError ?? error;
  ctx.log.log(level, 'A request failed.', {
    requestId: ctx.requestId,
    path: path?.join('.'),
    error: describeError(cause),
  });
}

/** Apollo takes the status and the headers of the answer from whichever error bears some: only ours and its own may. */
function dropForeignHead(error: GraphQLError): void {
  const known = knownError(error);
  if (isPersistedQueryMistake(error)) return;
  if (known !== error && known !== error.originalError) delete error.extensions.http;
}

/** The answer to a request that failed beside its operation, in a hook for example. */
function refusalOf(error: Error, requestId: string): NexusError {
  const known = knownError(error);
  const status = httpStatusOf(known.extensions.code);
  if (known instanceof NexusError && status) return refuseRequest(known, status);
  const { code, message } = new InternalServerError();
  return refuseRequest(new NexusError(code, message, { extensions: { requestId } }), 500);
}

async function recordRefusals(ctx: Context): Promise<void> {
  try {
    await ctx.refusals.record(ctx);
  } catch (error) {
    ctx.log.error('Refusals could not be written to the audit log.', {
      requestId: ctx.requestId,
      error: describeError(error),
    });
  }
}

/** graphql-js tells the problems of variables one by one and with their values: tell them as one BAD_USER_INPUT. */
function withProblems(
  schema: GraphQLSchema,
  { operation, request }: Request,
  errors: readonly GraphQLFormattedError[],
) {
  const isCoercion = errors.every(
    ({ path, extensions }) => !path && extensions?.code === 'BAD_USER_INPUT' && !extensions.problems,
  );
  if (!isCoercion || !operation) return errors;
  const { message, extensions } = new InputError(coercionProblems(schema, operation, request.variables ?? {}));
  return [{ message, extensions }];
}

function withRequestId(error: GraphQLFormattedError, requestId: string): GraphQLFormattedError {
  if (error.extensions?.code !== 'INTERNAL_SERVER_ERROR') return error;
  return { ...error, extensions: { ...error.extensions, requestId } };
}

/** Where nothing was answered and every error is the same refusal, the whole request was refused. */
function refuseAsAWhole(
  data: Record<string, unknown> | null | undefined,
  errors: readonly GraphQLFormattedError[],
  http: { status?: number; headers: HeaderMap },
): void {
  const [first] = errors;
  const status = httpStatusOf(first?.extensions?.code);
  const refused = new Set(errors.map(({ path }) => path?.[0]));
  const isNothing = Object.entries(data ?? {}).every(([key, value]) => value === null && refused.has(key));
  if (!status || !isNothing || errors.some(({ extensions }) => httpStatusOf(extensions?.code) !== status)) return;
  http.status = status;
  const waits = errors.flatMap(({ extensions }) => (extensions?.retryAfterSeconds as number | undefined) ?? []);
  if (waits.length > 0) http.headers.set('retry-after', String(Math.max(...waits)));
}
