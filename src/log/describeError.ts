import { redactText } from './redactText.ts';

const maxFrames = 20;
const maxCauses = 5;
const frameShape = /^\s+at .{1,300}$/;
/** What an error of the database or of Redis carries, in the words of drizzle, postgres.js, PGlite and ioredis. */
const databaseProperties = ['query', 'params', 'parameters', 'severity', 'detail', 'internalQuery', 'command'];

/** What may be logged of an error. */
export type ErrorDescription = {
  name: string;
  /** A SQLSTATE, or a code of Node or ours. */
  code?: string;
  /** Absent where the database had a part in it: it writes statements and values into its messages. */
  message?: string;
  constraint?: string;
  table?: string;
  causes?: Omit<ErrorDescription, 'causes' | 'frames'>[];
  /** Where it was thrown, without the message. */
  frames: string[];
};

/** What may be logged of something that was thrown: never SQL, parameters or rows, and no credentials. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { name: 'NotAnError', message: describeThrown(error), frames: [] };
  const [first, ...causes] = causesOf(error);
  const isDatabase = [first, ...causes].some((cause) => cause !== undefined && isOfDatabase(cause));
  const describe = (cause: Error) => ({
    name: redactText(cause.name),
    code: textOf(cause, 'code'),
    message: isDatabase ? undefined : redactText(cause.message),
    constraint: textOf(cause, 'constraint_name', 'constraint'),
    table: textOf(cause, 'table_name', 'table'),
  });
  return {
    ...describe(error),
    causes: causes.length > 0 ? causes.map(describe) : undefined,
    frames: framesOf(error),
  };
}

/** The error, then what caused it: GraphQLError calls that originalError, AggregateError has several. */
function causesOf(error: Error): Error[] {
  const found = new Set<Error>([error]);
  for (const each of found) {
    const next = [
      each.cause,
      Reflect.get(each, 'originalError'),
      ...(each instanceof AggregateError ? each.errors : []),
    ];
    for (const cause of next) {
      if (cause instanceof Error && found.size <= maxCauses) found.add(cause);
    }
  }
  return [...found];
}

function isOfDatabase(error: Error): boolean {
  return databaseProperties.some((property) => property in error);
}

function textOf(error: Error, ...properties: string[]): string | undefined {
  for (const property of properties) {
    const value: unknown = Reflect.get(error, property);
    if (typeof value === 'string' && value.length <= 100) return redactText(value);
  }
  return undefined;
}

/** V8 begins a stack with the message, which may have lines that look like frames. */
function framesOf(error: Error): string[] {
  const stack = typeof error.stack === 'string' ? error.stack : '';
  const at = stack.indexOf(error.message);
  const withoutMessage = at < 0 ? stack : stack.slice(at + error.message.length);
  return withoutMessage
    .split('\n')
    .filter((line) => frameShape.test(line))
    .slice(0, maxFrames)
    .map((line) => redactText(line.trim()));
}

/** Of objects the kind alone: their content is unknown. */
function describeThrown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return redactText(String(value));
  return value.constructor?.name ?? 'Object';
}
