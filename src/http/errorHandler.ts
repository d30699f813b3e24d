import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'winston';
import { describeError } from '../log.ts';
import { HttpRefusal, refusalBody, refusalCode } from './refusal.ts';

/**
 * The answer to whatever went wrong outside GraphQL: a refusal of ours or of Fastify keeps its status, anything else is
 * a bug, which is logged, and a 500 that says nothing.
 */
export function createErrorHandler(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const status = statusOf(error, request);
    const code = error instanceof HttpRefusal ? error.code : refusalCode(status);
    request.record.refuse(status, code);
    if (status >= 500 && !(error instanceof HttpRefusal)) {
      log.error('A request failed outside GraphQL.', { requestId: request.id, error: describeError(error) });
    }
    if (error instanceof HttpRefusal) reply.headers(error.headers);
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send(refusalBody(status, request.id, code));
  };
}

function statusOf(error: unknown, request: FastifyRequest): number {
  if (error instanceof HttpRefusal) return error.statusCode;
  if (isOfFastify(error)) return error.statusCode;
  // The body did not come to its end: nobody reads the answer.
  return request.raw.complete ? 500 : 400;
}

function isOfFastify(error: unknown): error is { statusCode: number } {
  return (
    error instanceof Error &&
    'code' in error &&
    String(error.code).startsWith('FST_ERR_') &&
    'statusCode' in error &&
    typeof error.statusCode === 'number'
  );
}
