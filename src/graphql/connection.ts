import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { IdPrefix } from '../storage/id.ts';

/** What a page has where `first` is absent, and what it has at most. */
export const defaultPageSize = 20;
export const maxPageSize = 100;
const maxCursorLength = 512;

/** The arguments of a connection field. */
export type PageArguments = { first?: number | null; after?: string | null };

/** How many rows a page has at most and after which key it begins; `key` is what `cursorOf` gave for that row. */
export type Page<Key> = { size: number; after: Key | null };

/** A Relay connection (Relay cursor connections specification), of at most 100 edges. */
export type Connection<Row> = {
  edges: { cursor: string; node: Row }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
};

/** The page that the arguments ask for; BAD_USER_INPUT with every problem where they are wrong. */
export function parsePage<Key>(args: PageArguments, keySchema: z.ZodType<Key>): Page<Key> {
  const size = args.first ?? defaultPageSize;
  const after = args.after == null ? null : decodeCursor(args.after, keySchema);
  const problems = [
    ...(size < 1 || size > maxPageSize ? [{ field: 'first', message: `must be 1 to ${maxPageSize}` }] : []),
    ...(after === undefined ? [{ field: 'after', message: 'is not a cursor of this list' }] : []),
  ];
  if (problems.length > 0) throw new InputError(problems);
  return { size, after: after ?? null };
}

/** The connection of rows that were fetched with a limit of `page.size + 1`; the row over it says that more follow. */
export function toConnection<Row, Key>(rows: Row[], page: Page<Key>, keyOf: (row: Row) => Key): Connection<Row> {
  const edges = rows.slice(0, page.size).map((node) => ({ cursor: encodeCursor(keyOf(node)), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > page.size,
      hasPreviousPage: page.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/**
 * The cursor key of a list that is ordered by an instant and a TypeID of this prefix, so that a cursor of another list
 * does not fit; whatever fits, Postgres can compare with.
 */
export function instantAndId(prefix: IdPrefix) {
  const typeId = new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`);
  return z.tuple([z.iso.datetime({ precision: 3 }).regex(/^(?!0000)/), z.string().regex(typeId)]);
}
export type InstantAndId = [instant: string, id: string];

function encodeCursor(key: unknown): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function decodeCursor<Key>(cursor: string, keySchema: z.ZodType<Key>): Key | undefined {
  if (cursor.length > maxCursorLength || !/^[\w-]+$/.test(cursor)) return undefined;
  try {
    const parsed = keySchema.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // Not JSON: reported as a problem of the field by the caller.
  }
}
