import { GraphQLError } from 'graphql';
import { operationLimitMs } from './operationDeadline.ts';

/** One thing that is wrong with an input: `field` is a dotted path from the arguments. */
export type Problem = { field: string; message: string };

/** A failure that a client may see: its code is part of the contract, its message never holds data of ours. */
export class NexusError extends GraphQLError {
  constructor(code: string, message: string, options: { extensions?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, { extensions: { ...options.extensions, code } });
    this.cause = options.cause;
  }

  get code(): string {
    return String(this.extensions.code);
  }
}

/** No credential where one is needed, or one that does not work. */
export class UnauthenticatedError extends NexusError {
  constructor(message = 'A valid credential is needed.') {
    super('UNAUTHENTICATED', message);
  }
}

/** More than one credential in a request. */
export class AmbiguousCredentialsError extends NexusError {
  constructor() {
    super('AMBIGUOUS_CREDENTIALS', 'A request carries exactly one credential.');
  }
}

/** A person who must log in again before doing this (RFC 9470). */
export class ReauthenticationRequiredError extends NexusError {
  constructor() {
    super('REAUTHENTICATION_REQUIRED', 'This needs a recent login. Log in again.');
  }
}

/** A caller who is known and may not. */
export class ForbiddenError extends NexusError {
  constructor(message = 'The credential does not allow this.') {
    super('FORBIDDEN', message);
  }
}

/** Something that does not exist, or that is another owner's: the two look the same. */
export class NotFoundError extends NexusError {
  constructor(what: string) {
    super('NOT_FOUND', `There is no such ${what}.`);
  }
}

/** An input with all that is wrong with it. */
export class InputError extends NexusError {
  readonly problems: readonly Problem[];

  constructor(problems: Problem[]) {
    super('BAD_USER_INPUT', problems.map(({ field, message }) => `${field}: ${message}`).join('; '), {
      extensions: { problems },
    });
    this.problems = problems;
  }
}

/** A change that the present state does not allow. */
export class ConflictError extends NexusError {
  constructor(message: string) {
    super('CONFLICT', message);
  }
}

/** An idempotency key that was used with another input. */
export class IdempotencyConflictError extends NexusError {
  constructor() {
    super('IDEMPOTENCY_CONFLICT', 'The idempotency key was used with another input.');
  }
}

/** A limit that is used up for `retryAfterSeconds`, a whole number of at least 1. */
export class RateLimitedError extends NexusError {
  constructor(retryAfterMs: number) {
    const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    super('RATE_LIMITED', `The limit is used up; try again in ${retryAfterSeconds} s.`, {
      extensions: { retryAfterSeconds },
    });
  }
}

/** An operation that is dearer than the caller's tier allows. */
export class CostExceededError extends NexusError {
  constructor(requested: number, allowed: number) {
    super('COST_EXCEEDED', `The operation costs ${requested}, and ${allowed} is allowed.`, {
      extensions: { requested, allowed },
    });
  }
}

/** An operation that is nested deeper than allowed. */
export class OperationTooDeepError extends NexusError {
  constructor(maxDepth: number) {
    super('OPERATION_TOO_DEEP', `An operation is at most ${maxDepth} levels deep.`);
  }
}

/** An operation with more aliases than allowed. */
export class TooManyAliasesError extends NexusError {
  constructor(maxAliases: number) {
    super('TOO_MANY_ALIASES', `An operation has at most ${maxAliases} aliases.`);
  }
}

/** A part that Nexus needs does not answer: nothing was done, and trying again later is right. */
export class DependencyUnavailableError extends NexusError {
  constructor(dependency: string, options: { cause?: unknown } = {}) {
    super('DEPENDENCY_UNAVAILABLE', `The ${dependency} does not answer. Try again later.`, {
      extensions: { retryAfterSeconds: 1 },
      cause: options.cause,
    });
  }
}

/** More work of one kind is waiting than Nexus takes on: nothing was done, and trying again later is right. */
export class OverloadedError extends NexusError {
  constructor() {
    super('DEPENDENCY_UNAVAILABLE', 'Too many calls of this kind are waiting. Try again later.', {
      extensions: { retryAfterSeconds: 1 },
    });
  }
}

/** An operation that was ended because of its time: what it had not committed is undone. */
export class OperationTimeoutError extends NexusError {
  constructor() {
    super('DEPENDENCY_UNAVAILABLE', `The operation took longer than ${operationLimitMs / 1000} s.`, {
      extensions: { retryAfterSeconds: 1 },
    });
  }
}

/** What is left of an unknown error: a request id to ask for, and nothing else. */
export class InternalServerError extends NexusError {
  constructor() {
    super('INTERNAL_SERVER_ERROR', 'Internal server error.');
  }
}

const httpStatusByCode: Record<string, number> = {
  AMBIGUOUS_CREDENTIALS: 400,
  UNAUTHENTICATED: 401,
  REAUTHENTICATION_REQUIRED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  DEPENDENCY_UNAVAILABLE: 503,
};

/** The status of a request that is refused as a whole with this code; undefined where the code never refuses one. */
export function httpStatusOf(code: unknown): number | undefined {
  return typeof code === 'string' ? httpStatusByCode[code] : undefined;
}

/** The error for an answer that is refused as a whole: Apollo sends it with its status and Retry-After. */
export function refuseRequest(error: NexusError, status = httpStatusOf(error.code) ?? 400): NexusError {
  const retryAfter = error.extensions.retryAfterSeconds;
  const headers = new Map(retryAfter === undefined ? [] : [['retry-after', String(retryAfter)]]);
  return new NexusError(error.code, error.message, {
    extensions: { ...error.extensions, http: { status, headers } },
    cause: error,
  });
}
