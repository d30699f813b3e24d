import { readFileSync } from 'node:fs';
import { getNamedType, Kind, type OperationDefinitionNode, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { PolicyError } from '../../src/policy/compile.ts';
import { createPricing, type Price } from '../../src/policy/price.ts';
import { createSchema } from '../../src/schema.ts';
import { guardSdl } from './guardSdl.ts';
import { priceLaboratory } from './priceLaboratory.ts';

const nexus = createSchema().schema;
const laboratory = guardSdl(priceLaboratory).schema;
const pricings = new Map([nexus, laboratory].map((schema) => [schema, createPricing(schema)]));

function price(query: string, variables: Record<string, unknown> = {}, schema = nexus, name?: string): Price {
  const document = parse(query);
  const operation = document.definitions.find(
    (one): one is OperationDefinitionNode =>
      one.kind === Kind.OPERATION_DEFINITION && (name === undefined || one.name?.value === name),
  );
  const pricing = pricings.get(schema);
  if (!operation || !pricing) throw new Error('There is no such operation or schema.');
  return pricing.priceOf({ document, operation, variables });
}

const contract = readFileSync(new URL('../contract/operations.graphql', import.meta.url), 'utf8');
const readings = (length: number) => Array.from({ length }, () => ({}));

/** Document, variables, the arithmetic, and what it comes to. */
type Row = [document: string, variables: Record<string, unknown>, arithmetic: string, cost: number];

const task = '{ edges { node { id createdBy { id } } } }';
const batch = 'submitTelemetryBatch(inputs: $i) { accepted rejected { index } }';

const ofNexus: Row[] = [
  ['{ __typename }', {}, 'nothing', 0],
  ['{ __schema { types { fields { name } } } __type(name: "Task") { name } }', {}, 'nothing', 0],
  ['{ me { kind roles scopes } }', {}, '1 me', 1],
  ['{ me { user { id } apiKey { owner { id } } } }', {}, '1 me + 1 user + 1 key + 1 owner', 4],
  [
    '{ me { user { id } } me { user { email } } ...F } fragment F on Query { me { user { id } } }',
    {},
    '1 + 1, once',
    2,
  ],
  ['{ me { user { id } } again: me { user { id } } }', {}, '2 × (1 me + 1 user)', 4],
  ['{ tasks { edges { cursor } } }', {}, '1 connection + 20 × 1 edge', 21],
  ['{ tasks(first: 7) { pageInfo { hasNextPage } } }', {}, '1 connection + 7 rows, which are read all the same', 8],
  [
    '{ agents(first: 10) { edges { node { tasks(first: 5) { pageInfo { endCursor } } } } } }',
    {},
    '1 + 10 × (1 edge + 1 connection + 5 rows)',
    71,
  ],
  ['{ tasks { edges { cursor node { id } } } }', {}, '1 connection + 20 × (1 edge + 0 its task)', 21],
  ['{ tasks(first: 3) { edges { node { id } } pageInfo { endCursor } } }', {}, '1 + 3 × (1 + 0) + 0 pageInfo', 4],
  [`query($n: Int) { tasks(first: $n) ${task} }`, { n: 5 }, '1 + 5 × (1 edge + 0 its task + 1 createdBy)', 11],
  [`query($n: Int) { tasks(first: $n) ${task} }`, {}, '1 + 20 × 2, where the variable is absent', 41],
  [`query($n: Int) { tasks(first: $n) ${task} }`, { n: null }, '1 + 20 × 2, where the variable is null', 41],
  [`query($n: Int = 2) { tasks(first: $n) ${task} }`, {}, '1 + 2 × 2, by the default of the variable', 5],
  [`query($n: Int = 2) { tasks(first: $n) ${task} }`, { n: 4 }, '1 + 4 × 2, the default is not asked', 9],
  [`query($n: Int = 2) { tasks(first: $n) ${task} }`, { n: null }, '1 + 20 × 2, null is not absent', 41],
  [`{ tasks(first: null) ${task} }`, {}, '1 + 20 × 2', 41],
  [`{ tasks(first: 0) ${task} }`, {}, '1 + 0 × 2', 1],
  [`{ tasks(first: -7) ${task} }`, {}, '1 + 0 × 2: the resolver refuses', 1],
  [`{ tasks(first: 100000) ${task} }`, {}, '1 + 100 × 2: the resolver refuses', 201],
  [
    '{ agents(first: 10) { edges { node { tasks(first: 5) { edges { node { id } } } } } } }',
    {},
    '1 + 10 × (1 edge + 0 its agent + 1 connection + 5 × (1 edge + 0 its task))',
    71,
  ],
  ['query($a: Boolean!) { me { user @include(if: $a) { id } } }', { a: true }, '1 me + 1 user', 2],
  ['query($a: Boolean!) { me { user @include(if: $a) { id } } }', { a: false }, '1 me', 1],
  ['query($a: Boolean!) { me { user @skip(if: $a) { id } } }', { a: true }, '1 me', 1],
  ['query($a: Boolean = false) { me { user @include(if: $a) { id } } }', {}, '1 me, by the default', 1],
  ['{ me { user @skip(if: true) { id } session @include(if: true) { id } } }', {}, '1 me + 1 session', 2],
  [
    'query($a: Boolean!) { me { user { id } } ... @include(if: $a) { me { session { id } } } }',
    { a: false },
    '1 me + 1 user: the session is not merged into it',
    2,
  ],
  [
    'query($a: Boolean!) { me { ...F @include(if: $a) ...F @skip(if: $a) } } fragment F on Me { user { id } }',
    { a: false },
    '1 me + 1 user, one way or the other',
    2,
  ],
  ['mutation { logout { session { id } } }', {}, '10 + 1 payload + 1 session', 12],
  [
    'mutation { a: logout { session { id } } b: refreshAccessToken { accessToken } }',
    {},
    '(10 + 1 + 1) + (10 + 1)',
    23,
  ],
  [`mutation($i: [TelemetryInput!]!) { ${batch} }`, { i: readings(250) }, '10 + 1 payload + 250 × 0', 11],
  [contract, { first: 50, name: 'Tasks' }, '1 + 50 × (task + createdBy + agent + telemetry)', 201],
  [contract, { name: 'Tasks' }, '1 + 20 × (task + createdBy + agent + telemetry)', 81],
  [contract, { first: 100, name: 'Telemetry' }, '1 + 100 readings', 101],
  [contract, { first: 100, name: 'AuditEvents' }, '1 + 100 × (1 edge + 0 its event, actor and targets)', 101],
  [contract, { name: 'Login' }, '10 + 1 payload + 1 session + 1 user', 13],
];

const ofLaboratory: Row[] = [
  ['{ item { id } }', {}, '5 Film, dearer than 1 Book', 5],
  ['{ item { rating } }', {}, '5 Film + 2 its rating = 7, dearer than 1 Book + 4 the rating of Item = 5', 7],
  ['{ book { rating } }', {}, '1 Book + 4 the rating of Item', 5],
  ['{ item { owner { name } ... on Book { pages(first: 9) { number } } } }', {}, '1 Book + 1 owner + 9 pages', 11],
  ['{ found { ... on Person { friend { name } } } }', {}, '1 Person + 7 friend', 8],
  ['{ found { ... on Item { rating } ... on Person { name } } }', {}, '5 Film + 2 rating', 7],
  ['{ items(first: 3) { id } }', {}, '3 × 5 Film', 15],
  ['{ book { pages { number } } }', {}, '1 + 3 pages, by the default of the argument', 4],
  ['{ book { pages(first: 2, ids: ["a", "b", "c", "d"]) { number } } }', {}, '1 + 4 pages, the largest given', 5],
  ['query($i: [ID!]) { book { pages(first: null, ids: $i) { number } } }', { i: ['a', 'b'] }, '1 + 2 pages', 3],
  ['query($i: [ID!]) { book { pages(first: null, ids: $i) { number } } }', { i: 'a' }, '1 + 1: a list of one', 2],
  ['{ book { pages(first: null) { number } } }', {}, '1 + 10 pages, as assumed', 11],
  ['{ book { pages(first: 2) { notes { text } } } }', {}, '1 + 2 × (1 page + 3 × 3 notes)', 21],
  [
    '{ find(first: 2) { edges { node { __typename } } pageInfo { endCursor } } }',
    {},
    '1 + 2 × (1 + 5) + 0 pageInfo',
    13,
  ],
  ['{ shelf(size: 3) { items { id } colors } }', {}, '1 shelf + 3 × 5 Film', 16],
  ['{ shelf { items { id } } }', {}, '1 shelf + 8 × 5 Film, by the list itself', 41],
  ['{ shelves { items { id } } }', {}, '2 × (1 shelf + 8 × 5 Film)', 82],
  ['{ book { owner { stamps } } }', {}, '1 Book + 1 owner + 3 × 2', 8],
  ['{ book { owner { friend { friend { name } } } } }', {}, '1 + 1 + 7 + 7', 16],
  ['{ oracle health { name friend { name } } ping }', {}, '50 + 0 + 7 + 0', 57],
  ['{ shelf { query { ping oracle } } }', {}, '1 shelf + 0 Query + 0 + 50', 51],
  ['mutation { count }', {}, '10', 10],
  ['mutation { cheap { friend { name } } }', {}, '2 in place of 10 + 1, + 7', 9],
  ['mutation { many(first: 4) { friend { name } } }', {}, '10 + 4 × (1 + 7)', 42],
  ['mutation { save(ids: ["a", "b", "c"]) { items { id } } }', {}, '10 + 1 shelf + 3 × 5', 26],
];

describe('the price is', () => {
  test.each(ofNexus)('of %s with %j: %s = %d', (query, { name, ...variables }, _arithmetic, cost) => {
    expect(query === contract ? [] : validate(nexus, parse(query))).toEqual([]);
    expect(price(query, variables, nexus, name as string | undefined).cost).toBe(cost);
  });

  test.each(ofLaboratory)('in the laboratory of %s with %j: %s = %d', (query, variables, _arithmetic, cost) => {
    expect(validate(laboratory, parse(query))).toEqual([]);
    expect(price(query, variables, laboratory).cost).toBe(cost);
  });

  test('1 and 1 for each node of a flat page, whatever it lists', () => {
    const fields = Object.values(nexus.getQueryType()?.getFields() ?? {});
    const lists = fields.filter(({ type }) => getNamedType(type).name.endsWith('Connection'));
    expect(lists.length).toBeGreaterThan(5);
    const page = '(first: 100) { edges { cursor node { __typename } } pageInfo { endCursor } }';
    expect(lists.map(({ name }) => [name, price(`{ ${name}${page} }`).cost])).toEqual(
      lists.map(({ name }) => [name, 1 + 100]),
    );
  });

  test('the same by variables and by literals', () => {
    const inner = '{ edges { node { agent { tasks(first: $m) { edges { node { createdBy { id } } } } } } } }';
    const query = `query($n: Int, $m: Int) { tasks(first: $n) ${inner} }`;
    const literal = `{ tasks(first: 100) ${inner.replace('$m', '100')} }`;
    const byVariables = price(query, { n: 100, m: 100 });
    expect(byVariables.cost).toBe(1 + 100 * (2 + 1 + 100 * 2));
    expect(byVariables.breakdown()).toEqual(price(literal).breakdown());
  });

  test('nothing that an undeclared variable changes', () => {
    expect(price('{ tasks(first: 3) { edges { node { id } } } }', { n: 100, toString: true, __proto__: 3 }).cost).toBe(
      4,
    );
  });

  test('safe where lists stand in lists without end', () => {
    const deep = (depth: number): string =>
      depth === 0
        ? 'id'
        : `... on Book { pages(first: $n) { notes { text } } } ... on Film { scenes { item { ${deep(depth - 1)} } } }`;
    const { cost } = price(`query($n: Int) { items(first: 100) { ${deep(9)} } }`, { n: 1e300 }, laboratory);
    expect(cost).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('the units of quota are', () => {
  const unitsOf = (query: string, variables: Record<string, unknown> = {}, schema = nexus) => {
    const { units, isFree } = price(query, variables, schema);
    return { units, isFree };
  };
  const paid = (units: number) => ({ units, isFree: false });
  const free = { units: 0, isFree: true };

  test('one for each begun 100 of the cost, and one at least', () => {
    expect(unitsOf('{ __typename }')).toEqual(paid(1));
    expect(unitsOf('{ me { kind } }')).toEqual(paid(1));
    expect(unitsOf('{ tasks(first: 33) { edges { node { createdBy { id } agent { id } } } } }')).toEqual(paid(1));
    expect(unitsOf('{ tasks(first: 34) { edges { node { createdBy { id } agent { id } } } } }')).toEqual(paid(2));
  });

  test('one for each begun 100 readings of a batch, those of all batches together', () => {
    const units = (lengths: number[]) => {
      const variables = Object.fromEntries(lengths.map((length, index) => [`i${index}`, readings(length)]));
      const heads = lengths.map((_, index) => `$i${index}: [TelemetryInput!]!`);
      const fields = lengths.map((_, index) => `a${index}: submitTelemetryBatch(inputs: $i${index}) { accepted }`);
      return price(`mutation(${heads}) { ${fields.join(' ')} }`, variables).units;
    };
    expect([0, 1, 100, 101, 1000].map((length) => units([length]))).toEqual([1, 1, 1, 2, 10]);
    expect(units([150, 150])).toBe(4);
  });

  test('those of literal lists too', () => {
    expect(price('mutation { save(ids: ["a", "b", "c", "d", "e"]) { colors } }', {}, laboratory).units).toBe(3);
  });

  test('none for the introspection and for fields of weight 0 alone', () => {
    expect(unitsOf('{ __schema { queryType { name } } __typename }')).toEqual(free);
    expect(unitsOf('{ t: __type(name: "Task") { name } }')).toEqual(free);
    expect(unitsOf('{ ping health { name } __schema { queryType { name } } }', {}, laboratory)).toEqual(free);
    expect(unitsOf('{ ping oracle }', {}, laboratory)).toEqual(paid(1));
    expect(unitsOf('{ ping book { id } }', {}, laboratory)).toEqual(paid(1));
  });

  test('none by what is included, not by what is written', () => {
    const query = 'query($a: Boolean!) { ping book @include(if: $a) { id } }';
    expect(unitsOf(query, { a: true }, laboratory)).toEqual(paid(1));
    expect(unitsOf(query, { a: false }, laboratory)).toEqual(free);
    expect(unitsOf('query($a: Boolean!) { ping @include(if: $a) }', { a: false }, laboratory)).toEqual(paid(1));
  });
});

describe('the breakdown', () => {
  test('says what each field costs over all its objects, and sums up to the cost', () => {
    const query =
      'mutation { many(first: 4) { friend { name } } save(ids: ["a"]) { items { ... on Film { rating } } } }';
    const lines = price(query, {}, laboratory).breakdown();
    expect(lines).toEqual([
      { path: 'many', cost: 14 },
      { path: 'many.friend', cost: 28 },
      { path: 'save', cost: 11 },
      { path: 'save.items', cost: 5 },
      { path: 'save.items.rating', cost: 2 },
    ]);
  });

  test('names fields by their response keys and leaves free ones out', () => {
    const query = '{ t: tasks { edges { n: node { id } } pageInfo { endCursor } } __typename }';
    expect(price(query).breakdown()).toEqual([
      { path: 't', cost: 1 },
      { path: 't.edges', cost: 20 },
    ]);
  });

  test('has at most 200 lines, which still sum up to the cost', () => {
    const fields = Array.from({ length: 300 }, (_, index) => `a${index}: me { user { id } }`);
    const { cost, breakdown } = {
      ...price(`{ ${fields.join(' ')} }`),
      breakdown: price(`{ ${fields.join(' ')} }`).breakdown(),
    };
    expect(cost).toBe(600);
    expect(breakdown).toHaveLength(200);
    expect(breakdown.at(-1)).toEqual({ path: '…', cost: 401 });
    expect(breakdown.reduce((sum, line) => sum + line.cost, 0)).toBe(600);
  });
});

describe('what was answered costs', () => {
  const query =
    '{ tasks(first: 100) { edges { node { id agent { latestTelemetry { metrics } } } } pageInfo { endCursor } } }';
  const edge = (agent: unknown) => ({ node: { id: 'x', agent } });

  test('by the lists as they came, and nothing for null', () => {
    const { actual } = { actual: (data: unknown) => price(query).actual(data) };
    expect(actual({ tasks: { edges: [], pageInfo: { endCursor: null } } })).toBe(1);
    expect(actual({ tasks: { edges: [edge(null), edge({ latestTelemetry: null })], pageInfo: null } })).toBe(
      1 + 2 * 1 + 1,
    );
    expect(actual({ tasks: { edges: [edge({ latestTelemetry: { metrics: { agent: {} } } })], pageInfo: {} } })).toBe(4);
    expect(actual({ tasks: null })).toBe(0);
    expect(actual(null)).toBe(0);
    expect(actual(undefined)).toBe(0);
  });

  test('10 for a mutation that answered null, and nothing for one that did not run', () => {
    const one = price(
      'mutation($a: Boolean!) { a: logout { session { id } } b: logout @skip(if: $a) { session { id } } }',
      {
        a: false,
      },
    );
    expect(one.actual({ a: null, b: { session: { id: 'x' } } })).toBe(10 + 12);
    expect(one.actual({ a: null })).toBe(10);
    expect(one.actual(null)).toBe(0);
  });

  test('by the type that the answer names, else by the dearest', () => {
    const named = price('{ items(first: 2) { t: __typename id } }', {}, laboratory);
    expect(
      named.actual({
        items: [
          { t: 'Book', id: 'x' },
          { t: 'Film', id: 'y' },
        ],
      }),
    ).toBe(1 + 5);
    const unnamed = price('{ items(first: 2) { id } }', {}, laboratory);
    expect(unnamed.actual({ items: [{ id: 'x' }, { id: 'y' }] })).toBe(10);
  });

  test('never more than the price, whatever came', () => {
    const one = price('{ tasks(first: 1) { edges { node { id } } } }');
    expect(one.actual({ tasks: { edges: Array.from({ length: 50 }, () => edge(null)) } })).toBe(2);
    expect(one.actual({ tasks: { edges: 'nonsense' } })).toBe(1);
    expect(one.actual('nonsense')).toBe(0);
  });

  test('nothing for what an answer inherits, where an alias has such a name', () => {
    const one = price('query($a: Boolean!) { constructor: me @include(if: $a) { kind } me { kind } }', { a: true });
    expect(one.actual({ me: { kind: 'SESSION' } })).toBe(1);
    expect(one.actual({ me: { kind: 'SESSION' }, constructor: { kind: 'SESSION' } })).toBe(2);
  });
});

describe('a hostile document', () => {
  const doubled = (last: number, of: (next: number) => string, end: string) =>
    [...Array.from({ length: last }, (_, index) => of(index)), end].join(' ');

  test('that doubles itself by aliases at each level has no price', () => {
    const tasks = (alias: string, next: number) => `${alias}: tasks { edges { node { agent { ...F${next} } } } }`;
    const fragments = doubled(
      30,
      (index) => `fragment F${index} on Agent { ${tasks('a', index + 1)} ${tasks('b', index + 1)} }`,
      'fragment F30 on Agent { id }',
    );
    const one = price(`{ agent(id: "agent-1") { ...F0 } } ${fragments}`);
    expect(one).toMatchObject({ cost: Number.MAX_SAFE_INTEGER, units: Number.MAX_SAFE_INTEGER, isFree: false });
  });

  test('that spreads each fragment twice under other conditions is priced as if there were none', () => {
    const variables = Array.from({ length: 12 }, (_, index) => `$v${index}: Boolean!`);
    const fragments = doubled(
      40,
      (index) =>
        `fragment F${index} on Query { ...F${index + 1} @include(if: $v${index % 12}) ...F${index + 1} @skip(if: $v${(index + 5) % 12}) }`,
      'fragment F40 on Query { me { kind } }',
    );
    const query = `query(${variables}) { ...F0 } ${fragments}`;
    const values = Object.fromEntries(variables.map((_, index) => [`v${index}`, true]));
    expect(price(query, values).cost).toBe(1);
  });

  test.each([
    ['fragments that spread themselves', '{ ...F } fragment F on Query { me { kind } ...F }', 1],
    [
      'fragments that stand in themselves',
      '{ task(id: "x") { ...F } } fragment F on Task { agent { tasks { edges { node { ...F } } } } }',
      Number.MAX_SAFE_INTEGER,
    ],
    ['endless inline fragments', `{ ${'... {'.repeat(900)} me { kind } ${'}'.repeat(900)} }`, Number.MAX_SAFE_INTEGER],
    ['fields that do not exist', '{ nonsense { more } me { nonsense { more } } ...Nothing }', 1],
  ])('of %s ends', (_name, query, cost) => {
    expect(price(query).cost).toBe(cost);
  });
});

describe('start-up is refused, with a sentence that names the place, for', () => {
  const query = (field: string) => `extend type Query { ${field} }`;
  const listOf = (sized: string) => `type T { a: [Int] @listSize(assumedSize: 3) b: Int } ${query(sized)}`;

  const refusals: [string, string, string][] = [
    [
      'a negative weight of a field',
      query('x: Int @public @cost(weight: -1)'),
      'Query.x @cost(weight: -1) must be 0 or more',
    ],
    [
      'a negative weight of a type',
      `type T @cost(weight: -2) { a: Int } ${query('x: T @public')}`,
      'type T @cost(weight: -2) must be 0 or more',
    ],
    [
      '@cost on a type that nothing returns',
      'type T @cost(weight: 2) { a: Int }',
      'type T @cost has no effect: no field returns it, or each has a @cost of its own',
    ],
    [
      '@cost on a type whose every field has its own',
      `type T @cost(weight: 2) { a: Int } ${query('x: T @public @cost(weight: 3)')}`,
      'type T @cost has no effect: no field returns it, or each has a @cost of its own',
    ],
    [
      '@cost on a root type',
      'extend type Query @cost(weight: 2) { x: Int @public }',
      'type Query @cost has no effect on a root type: write it beside each field',
    ],
    [
      '@cost of 0 on a scalar',
      `type T { a: Int @cost(weight: 0) } ${query('x: T @public')}`,
      'T.a @cost(weight: 0) has no effect: a scalar or an enum costs nothing',
    ],
    [
      '@cost on a field of an interface that every type replaces',
      `interface I { a: Int @cost(weight: 2) } type T implements I { a: Int @cost(weight: 3) } ${query('x: I @public')}`,
      'I.a @cost has no effect: no type takes it over from I',
    ],
    [
      'a slicing argument that is no number',
      query('x(a: String): [Int] @public @listSize(assumedSize: 2, slicingArguments: ["a"])'),
      'Query.x @listSize names the argument "a", which is no Int and no list',
    ],
    [
      'slicing arguments that may all be absent',
      query('x(a: Int, b: [ID!] = []): [Int] @public @listSize(slicingArguments: ["a", "b"])'),
      'Query.x @listSize needs assumedSize: none of its arguments must be given',
    ],
    [
      'a sized field that does not exist',
      listOf('x: T @public @listSize(assumedSize: 2, sizedFields: ["c"])'),
      'Query.x @listSize(sizedFields: "c") leads nowhere: there is no "c" in T',
    ],
    [
      'a sized field of a scalar',
      query('x: Int @public @listSize(assumedSize: 2, sizedFields: ["c"])'),
      'Query.x @listSize(sizedFields: "c") leads nowhere: there is no "c" in Int',
    ],
    [
      'a sized field that is not a list',
      listOf('x: T @public @listSize(assumedSize: 2, sizedFields: ["b"])'),
      'Query.x @listSize(sizedFields: "b") is not a list',
    ],
    [
      'sized fields of a list',
      listOf('x: [T] @public @listSize(assumedSize: 2, sizedFields: ["a"])'),
      'Query.x @listSize(sizedFields) is for a field that is not a list itself',
    ],
    [
      'sized fields without a size',
      listOf('x: T @public @listSize(sizedFields: ["a"])'),
      'Query.x @listSize needs assumedSize or slicingArguments',
    ],
    [
      'a size of edges beside `first`',
      `type TConnection { edges: [Int!]! } ${query('x(first: Int): TConnection @public @listSize(assumedSize: 2, sizedFields: ["edges"])')}`,
      'Query.x @listSize(sizedFields: "edges") has no effect on the edges of a connection: `first` does',
    ],
    [
      '@listSize on the edges of a connection',
      `type TConnection { edges: [Int!]! @listSize(assumedSize: 2) } ${query('x(first: Int): TConnection @public')}`,
      'TConnection.edges @listSize has no effect on the edges of a connection: `first` does',
    ],
    [
      'an empty list where a sized field is wanted',
      query('x: Int @public @listSize(assumedSize: 2, sizedFields: [])'),
      'Query.x @listSize has no effect on a field that is not a list, without sizedFields',
    ],
    [
      '@quota with an argument that does not exist',
      query('x: Int @public @quota(argument: "a", per: 2)'),
      'Query.x @quota names the argument "a", which does not exist',
    ],
    [
      '@quota with an argument that is not a list',
      query('x(a: Int): Int @public @quota(argument: "a", per: 2)'),
      'Query.x @quota names the argument "a", which is not a list',
    ],
    [
      '@quota per nothing',
      query('x(a: [Int]): Int @public @quota(argument: "a", per: 0)'),
      'Query.x @quota(per: 0) must be 1 or more',
    ],
    [
      '@quota below the root',
      `type T { x(a: [Int]): Int @quota(argument: "a", per: 2) } ${query('x: T @public')}`,
      'T.x @quota has no effect on a field that is not of a root type',
    ],
  ];

  const problemsOf = (sdl: string): readonly string[] => {
    try {
      guardSdl(sdl);
      return [];
    } catch (error) {
      if (error instanceof PolicyError) return error.problems;
      throw error;
    }
  };

  test.each(refusals)('%s', (_name, sdl, problem) => {
    expect(problemsOf(sdl)).toEqual([problem]);
  });

  test('all of them at once, beside those of the rest of the policy', () => {
    const sdl = query('x: [Int] y: Int @public @cost(weight: -1) z(a: Int): Int @public @quota(argument: "a", per: 0)');
    expect(problemsOf(sdl)).toEqual([
      'Query.x has no policy: it needs @auth or @public',
      'Query.x is a list without a bound: make it a connection or give it @listSize',
      'Query.y @cost(weight: -1) must be 0 or more',
      'Query.z @quota names the argument "a", which is not a list',
      'Query.z @quota(per: 0) must be 1 or more',
    ]);
  });
});
