import { z } from 'zod';
import { InputError, type Problem } from '../errors.ts';

const maxJsonDepth = 10;
const maxJsonBytes = 64 * 1024;

/** The parsed input, or BAD_USER_INPUT with every problem at once; `at` is the argument's name, `''` for all of them. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown, at = ''): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(problemsOf(parsed.error, at));
}

/** What each of the two answers, or one BAD_USER_INPUT with the problems of both. */
export function parseTogether<First, Second>(first: () => First, second: () => Second): [First, Second] {
  const [one, other] = [attempt(first), attempt(second)];
  if ('parsed' in one && 'parsed' in other) return [one.parsed, other.parsed];
  throw new InputError([one, other].flatMap((outcome) => ('problems' in outcome ? outcome.problems : [])));
}

function attempt<Parsed>(parse: () => Parsed): { parsed: Parsed } | { problems: readonly Problem[] } {
  try {
    return { parsed: parse() };
  } catch (error) {
    if (error instanceof InputError) return { problems: error.problems };
    throw error;
  }
}

/** What is wrong, as dotted paths and messages that never repeat a value. */
export function problemsOf(error: z.ZodError, at = ''): { field: string; message: string }[] {
  return error.issues.map(({ path, message }) => ({
    field: [at, ...path].filter((part) => part !== '').join('.'),
    message,
  }));
}

/** Whether Postgres can store the text: no NUL and no lone surrogate. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Text of a length in characters (code points), storable. */
export function text(min: number, max: number) {
  return z
    .string()
    .refine(isStorable, 'must not hold NUL or lone surrogates')
    .refine((value) => {
      const length = [...value].length;
      return length >= min && length <= max;
    }, `must be ${min} to ${max} characters`);
}

/** A JSON object of at most 10 levels and 64 KiB, with finite numbers, storable texts and no `__proto__` key. */
export const jsonObject = z
  .custom<Record<string, unknown>>(isPlainObject, 'must be an object')
  .superRefine((value, issue) => {
    const problem = jsonProblem(value, 1);
    if (problem) issue.addIssue({ code: 'custom', message: problem });
    else if (Buffer.byteLength(JSON.stringify(value)) > maxJsonBytes)
      issue.addIssue({ code: 'custom', message: `must be at most ${maxJsonBytes / 1024} KiB of JSON` });
  });

/** An instant that Postgres reads in RFC 3339: it knows neither the year 0 nor one of five digits. */
export const instant = z
  .date()
  .min(new Date('0001-01-01T00:00:00Z'), 'must be in the years 1 to 9999')
  .max(new Date('9999-12-31T23:59:59.999Z'), 'must be in the years 1 to 9999');

/** An instant in the future. */
export const futureInstant = instant.refine((date) => date.getTime() > Date.now(), 'must be in the future');

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonProblem(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return isStorable(value) ? null : 'must not hold NUL or lone surrogates';
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'must hold finite numbers only';
  if (typeof value !== 'object' || value === null) return null;
  if (depth > maxJsonDepth) return `must be at most ${maxJsonDepth} levels deep`;
  if (Object.hasOwn(value, '__proto__')) return 'must not hold a key named __proto__';
  for (const [key, inner] of Object.entries(value)) {
    const problem = isStorable(key) ? jsonProblem(inner, depth + 1) : 'must not hold NUL or lone surrogates';
    if (problem) return problem;
  }
  return null;
}
