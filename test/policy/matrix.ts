import type { CallerFacts, Expectations, Outcome, Step } from './expectation.ts';

/** A field of the table, ready to be asked for, with what its owner paths will find. */
export type Target = Step & {
  label: string;
  /** Text of the field with its arguments and selections, without alias. */
  field: string;
};

/** A way from the root to the object of a field. */
export type Route = {
  label: string;
  operation: 'query' | 'mutation' | 'subscription';
  /** The type in whose selection set the field is written, and whether it has the field itself: a union has not. */
  onType: string;
  hasField?: boolean;
  /** The guarded fields on the way, from the root. */
  steps: readonly Step[];
  /** Guarded fields of other types that the same selection may turn out to be: a mutation must be allowed those too. */
  siblings?: readonly Step[];
  /** Whether the way leads this caller, who may go it, to no such object: a list that holds its own alone. */
  isEmptyFor?: (caller: CallerFacts) => boolean;
  wrap(selection: string): string;
};

/** One request of the matrix and what must come back. */
export type Cell = {
  name: string;
  coordinate: string;
  caller: CallerFacts;
  operation: Route['operation'];
  query: string;
  /** `ALLOWED 200`, `FORBIDDEN 403`, …; for a subscription whether a stream opens instead of a status. */
  expected: string;
  /** What the wrappers alone must answer, where nothing was decided before execution. */
  expectedUnadmitted: Outcome;
  responseKey: string;
  mayBeAbsent: boolean;
};

export type CellAnswer = {
  /** The status, or whether a stream opened; absent where nothing was decided before execution. */
  status?: number | string;
  data?: unknown;
  errors?: readonly { extensions?: { code?: unknown } | undefined }[] | undefined;
};

type Form = {
  label: string;
  key?: string;
  isBesideSibling?: boolean;
  needsField?: boolean;
  select(field: string, type: string): string;
};

const cellFragment = (field: string, type: string) => `fragment Cell on ${type} { ${field} }`;

/** The ways to write one field. What follows a `#` line goes behind the operation. */
const forms: Form[] = [
  { label: 'direct', needsField: true, select: (field) => field },
  { label: 'alias', key: 'cell', needsField: true, select: (field) => `cell: ${field}` },
  { label: 'inline fragment', select: (field, type) => `... on ${type} { ${field} }` },
  { label: 'named fragment', select: (field, type) => `...Cell\n#${cellFragment(field, type)}` },
  {
    label: 'fragment in a fragment, aliased',
    key: 'cell',
    select: (field, type) =>
      `... { ...Outer }\n#fragment Outer on ${type} { ...Cell } ${cellFragment(`cell: ${field}`, type)}`,
  },
  {
    label: 'beside a sibling',
    isBesideSibling: true,
    select: (field, type) => `... on ${type} { ${field} }`,
  },
];

/** The path of a field that stands at the root. */
export function rootRoute(coordinate: string): Route {
  const [onType = ''] = coordinate.split('.');
  const operation = onType.toLowerCase() as Route['operation'];
  return { label: 'root', operation, onType, steps: [], wrap: (selection) => `{ ${selection} }` };
}

/** Every form of one target on one route for one caller. */
export function cellsOf(expectations: Expectations, target: Target, route: Route, caller: CallerFacts): Cell[] {
  const [type = '', fieldName = ''] = target.coordinate.split('.');
  const usable = forms.filter(({ needsField, isBesideSibling }) => {
    if (isBesideSibling && route.operation === 'subscription') return false; // One root field alone.
    return !needsField || route.hasField !== false;
  });
  return usable.map((form) => {
    const [selection = '', fragments = ''] = form.select(target.field, type).split('\n#');
    return {
      name: `${target.coordinate} (${target.label}) as ${caller.name}: ${route.label}, ${form.label}`,
      coordinate: target.coordinate,
      caller,
      operation: route.operation,
      query: `${route.operation} ${form.isBesideSibling ? withSibling(route.wrap(selection)) : route.wrap(selection)} ${fragments}`,
      ...expected(expectations, target, route, caller, form.isBesideSibling ?? false),
      responseKey: form.key ?? fieldName,
      mayBeAbsent: route.isEmptyFor?.(caller) ?? false,
    };
  });
}

/** What came back, in the words of `Cell.expected`, with what is wrong beside it. */
export function describeAnswer(cell: Cell, { status, data, errors = [] }: CellAnswer): string {
  const codes = [...new Set(errors.map(({ extensions }) => String(extensions?.code)))];
  const values = valuesUnder(data, cell.responseKey);
  const remarks = [
    errors.length > 0 && values.some((value) => value !== null) && 'but ANSWERED',
    errors.length === 0 && values.length === 0 && !cell.mayBeAbsent && 'but MISSING',
  ];
  return [codes.join(' and ') || 'ALLOWED', status, ...remarks].filter(Boolean).join(' ');
}

/** Runs the cells, some at a time, and answers a line for each that differs. */
export async function differences(
  cells: readonly Cell[],
  run: (cell: Cell) => Promise<CellAnswer>,
  { atATime = 4, expectation = (cell: Cell) => cell.expected } = {},
): Promise<string[]> {
  const found: string[] = [];
  const queue = [...cells].reverse();
  const work = async () => {
    for (let cell = queue.pop(); cell; cell = queue.pop()) {
      const actual = describeAnswer(cell, await run(cell));
      const wanted = expectation(cell);
      if (actual !== wanted) found.push(`${cell.name}: expected ${wanted}, got ${actual}; ${cell.query.trim()}`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return found.sort();
}

/** Prints how many cells were compared. */
export function announce(count: number, what: string): void {
  process.stderr.write(`The access matrix ${what}: ${count} cells.\n`);
}

function expected(
  expectations: Expectations,
  target: Target,
  { operation, steps, siblings = [], isEmptyFor }: Route,
  caller: CallerFacts,
  isBesideSibling: boolean,
): Pick<Cell, 'expected' | 'expectedUnadmitted'> {
  const way = isEmptyFor?.(caller) ? steps : [...steps, target];
  const outcomes = way.map((step) => expectations.of(step, caller));
  const refusedAt = outcomes.findIndex((outcome) => outcome !== 'ALLOWED');
  const outcome = outcomes[refusedAt] ?? 'ALLOWED';
  const expectedUnadmitted = caller.credential === 'BAD' ? 'UNAUTHENTICATED' : outcome;
  const answer = (one: Outcome, detail: number | string) => ({ expected: `${one} ${detail}`, expectedUnadmitted });

  if (operation === 'subscription') {
    const isOpened = refusedAt !== 0 || outcome === 'NOT_FOUND'; // A result is known when an event is there.
    return answer(outcome, isOpened ? 'stream' : 'no stream');
  }
  if (caller.credential === 'BAD') return answer('UNAUTHENTICATED', 401);
  const early = [...way, ...siblings].map((step) => expectations.early(step, caller)).find((one) => one !== 'ALLOWED');
  if (operation === 'mutation' && early) return answer(early, statusOf(early));
  const isWhole = refusedAt === 0 && !isBesideSibling; // The sibling stands at the root.
  return answer(outcome, isWhole ? statusOf(outcome) : 200);
}

function withSibling(selectionSet: string): string {
  return selectionSet.replace('{', '{ __typename');
}

function statusOf(outcome: Outcome): number {
  return { ALLOWED: 200, UNAUTHENTICATED: 401, FORBIDDEN: 403, NOT_FOUND: 200 }[outcome];
}

function valuesUnder(data: unknown, key: string): unknown[] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([name, value]) => (name === key ? [value] : valuesUnder(value, key)));
}
