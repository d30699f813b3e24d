import { InternalServerError, OverloadedError } from '../errors.ts';

const messages: Record<number, string> = {
  400: 'The request cannot be read.',
  401: 'A valid token is needed.',
  403: 'Pages of this origin may not use the session cookie.',
  404: 'There is nothing here.',
  405: 'This method is not served here.',
  408: 'The request took too long.',
  413: 'The body is too large.',
  415: 'The body must be JSON, with Content-Type: application/json.',
  431: 'The headers are too large.',
};

const messagesByCode: Record<string, string> = { IP_BLOCKED: 'Requests from this address are refused for now.' };

const overloadedStatus = 503;
const overloaded = new OverloadedError();

const codes: Record<number, string> = { 401: 'UNAUTHENTICATED', 403: 'FORBIDDEN', 404: 'NOT_FOUND' };

/** A request that is refused before GraphQL sees it. */
export class HttpRefusal extends Error {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly code: string;

  constructor(statusCode: number, headers: Record<string, string> = {}, code = refusalCode(statusCode)) {
    super(`Refused with ${statusCode}.`);
    this.statusCode = statusCode;
    this.headers = headers;
    this.code = code;
  }
}

/** More is asked for than can be answered in time: nothing was done, and trying again later is right. */
export class OverloadRefusal extends HttpRefusal {
  constructor() {
    super(overloadedStatus, { 'retry-after': String(overloaded.extensions.retryAfterSeconds) });
  }
}

/** The code in the body of such an answer, where it has none of its own. */
export function refusalCode(status: number): string {
  if (status === overloadedStatus) return overloaded.code;
  if (status >= 500) return 'INTERNAL_SERVER_ERROR';
  return codes[status] ?? 'BAD_REQUEST';
}

/** The body of such an answer, in the shape of GraphQL's errors; nothing of the request is in it. */
export function refusalBody(status: number, requestId: string, code = refusalCode(status)): string {
  if (status === overloadedStatus) {
    const { message, extensions } = overloaded;
    return JSON.stringify({ errors: [{ message, extensions }] });
  }
  const { message, extensions } =
    status >= 500
      ? { message: new InternalServerError().message, extensions: { code, requestId } }
      : { message: messagesByCode[code] ?? messages[status] ?? 'The request is refused.', extensions: { code } };
  return JSON.stringify({ errors: [{ message, extensions }] });
}
