import { DependencyUnavailableError } from '../errors.ts';

const maxCauses = 10;

/** Of the network (Node), of the connection (postgres.js), and of a server that cannot do now what it could do later. */
const dependencyCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  '25006', // read_only_sql_transaction: the primary has become a standby.
  '25P03', // idle_in_transaction_session_timeout
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
]);
/** Connection exception, insufficient resources, operator intervention (timeouts and shutdown included), system error. */
const dependencyCodeClasses = new Set(['08', '53', '57', '58']);
const sqlStateLength = 5;

/** ioredis tells its failures apart by their text alone, and Redis by the first word of its reply. */
const redisFailure =
  /^(?:Command timed out|Connection is closed|Stream isn't writeable|Command aborted due to connection close|Socket timeout|Cluster isn't ready|Cluster is ended|Failed to refresh slots cache|Too many Cluster redirections|(?:LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|NOAUTH|WRONGPASS)\b)/;

/**
 * Whether the error, or what caused it, says that the database or Redis cannot do now what it can do at another time:
 * unreachable, overloaded, too slow, shutting down, deadlocked. Then trying again later is right.
 */
export function isDependencyFailure(error: unknown): boolean {
  return someCause(
    error,
    (cause) =>
      cause instanceof DependencyUnavailableError ||
      isDependencyCode(codeOf(cause)) ||
      cause.name === 'MaxRetriesPerRequestError' ||
      redisFailure.test(cause.message),
  );
}

/** Whether the error comes of a unique constraint, of this one where `constraint` is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return someCause(
    error,
    (cause) => codeOf(cause) === '23505' && (constraint === undefined || constraintOf(cause) === constraint),
  );
}

/** Whether the error, or what caused it, carries this code. */
export function hasCode(error: unknown, code: string): boolean {
  return someCause(error, (cause) => codeOf(cause) === code);
}

/** drizzle wraps the errors of its driver, with the statement and its parameters in the message. */
function someCause(error: unknown, holds: (cause: Error) => boolean): boolean {
  let cause = error;
  for (let depth = 0; depth < maxCauses && cause instanceof Error; depth++) {
    if (holds(cause)) {
      return true;
    }
    cause = cause.cause;
  }
  return false;
}

function isDependencyCode(code: unknown): boolean {
  return (
    typeof code === 'string' &&
    (dependencyCodes.has(code) || (code.length === sqlStateLength && dependencyCodeClasses.has(code.slice(0, 2))))
  );
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}

/** postgres.js names it by its protocol field, PGlite as node-postgres does. */
function constraintOf(error: Error): unknown {
  return 'constraint_name' in error ? error.constraint_name : 'constraint' in error ? error.constraint : undefined;
}
