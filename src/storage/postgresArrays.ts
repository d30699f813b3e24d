type Parse = (text: string) => unknown;

/** Postgres's own array types and the types of their elements, as pg_type has them in every database. */
const elementTypes: ReadonlyArray<[array: number, element: number]> = [
  [199, 114], // json
  [1000, 16], // boolean
  [1001, 17], // bytea
  [1005, 21], // smallint
  [1007, 23], // integer
  [1009, 25], // text
  [1015, 1043], // varchar
  [1016, 20], // bigint
  [1021, 700], // real
  [1022, 701], // double precision
  [1041, 869], // inet
  [1115, 1114], // timestamp
  [1182, 1082], // date
  [1183, 1083], // time
  [1185, 1184], // timestamptz
  [1187, 1186], // interval
  [1231, 1700], // numeric
  [2951, 2950], // uuid
  [3807, 3802], // jsonb
];

const quoted = /"((?:[^"\\]|\\.)*)"/sy;
const bare = /[^,{}]+/y;

/**
 * Has a postgres.js client give arrays as arrays. Its own way is to ask each new connection for the array types, and
 * where the connection dies meanwhile the failure has no handler and ends the process.
 */
export function addArrayParsers(parsers: Record<number, Parse>): void {
  for (const [array, element] of elementTypes) {
    const parse = parsers[element] ?? String;
    parsers[array] = (text) => parseArray(text, parse);
  }
}

/** Reads an array as Postgres writes it (its manual, 8.15.6), nested ones as nested arrays. */
export function parseArray(text: string, parse: Parse): unknown[] {
  // An array whose bounds do not start at 1 has them before an equals sign.
  let at = text.indexOf('{');

  function take(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    at += match?.[0].length ?? 0;
    return match?.[1] ?? match?.[0];
  }

  function list(): unknown[] {
    const items: unknown[] = [];
    for (at++; at < text.length && text[at] !== '}'; at += text[at] === ',' ? 1 : 0) {
      items.push(item());
    }
    at++;
    return items;
  }

  function item(): unknown {
    if (text[at] === '{') {
      return list();
    }
    if (text[at] === '"') {
      return parse((take(quoted) ?? '').replace(/\\(.)/gs, '$1'));
    }
    const word = take(bare);
    if (word === undefined) {
      throw new SyntaxError('This is not an array as Postgres writes it.');
    }
    return word === 'NULL' ? null : parse(word);
  }

  return list();
}
