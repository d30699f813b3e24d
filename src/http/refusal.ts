import { InternalServerError } from '../errors.ts';

const messages: Record<number, string> = {
  400: 'The request cannot be read.',
  403: 'Pages of this origin may not use the session cookie.',
  404: 'There is nothing here.',
  405: 'This method is not served here.',
  408: 'The request took too long.',
  413: 'The body is too large.',
  415: 'The body must be JSON, with Content-Type: application/json.',
  431: 'The headers are too large.',
};

const codes: Record<number, string> = { 403: 'FORBIDDEN', 404: 'NOT_FOUND' };

/** A request that is refused before GraphQL sees it. */
export class HttpRefusal extends Error {
  readonly statusCode: number;
  readonly headers: Record<string, string>;

  constructor(statusCode: number, headers: Record<string, string> = {}) {
    super(`Refused with ${statusCode}.`);
    this.statusCode = statusCode;
    this.headers = headers;
  }
}

/** The code in the body of such an answer. */
export function refusalCode(status: number): string {
  if (status >= 500) return 'INTERNAL_SERVER_ERROR';
  return codes[status] ?? 'BAD_REQUEST';
}

/** The body of such an answer, in the shape of GraphQL's errors; nothing of the request is in it. */
export function refusalBody(status: number, requestId: string): string {
  const code = refusalCode(status);
  const { message, extensions } =
    status >= 500
      ? { message: new InternalServerError().message, extensions: { code, requestId } }
      : { message: messages[status] ?? 'The request is refused.', extensions: { code } };
  return JSON.stringify({ errors: [{ message, extensions }] });
}
