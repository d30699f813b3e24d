/** A request that is made to cost a server much: its body with `nonce` in it, so that no cache knows it, and its answer. */
export type HostileRequest = {
  name: string;
  body(nonce: string): string;
  /** Codes that the answer may have, `OK` for an answer without errors. */
  codes: readonly string[];
};

type Variables = Readonly<Record<string, unknown>>;

const bodyLimit = 256 * 1024;
/** What is left for a document beside the rest of the body. */
const room = bodyLimit - 2_000;

const times = (count: number, one: (index: number) => string, separator = ' ') =>
  Array.from({ length: count }, (_, index) => one(index)).join(separator);
const nest = (count: number, open: string, inside: string, close = '}') =>
  `${open.repeat(count)}${inside}${close.repeat(count)}`;
const fill = (piece: string, length = room) => piece.repeat(Math.floor(length / piece.length));
const nestedList = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
const wide = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, index]));

const invalid = 'GRAPHQL_VALIDATION_FAILED';
const unparsed = 'GRAPHQL_PARSE_FAILED';
const badInput = 'BAD_USER_INPUT';
const aliases = 'TOO_MANY_ALIASES';
const deep = 'OPERATION_TOO_DEEP';

function document(name: string, query: string, codes: string | readonly string[]): HostileRequest {
  return withVariables(name, query, undefined, codes);
}

function withVariables(
  name: string,
  query: string,
  variables: Variables | undefined,
  codes: string | readonly string[],
): HostileRequest {
  return {
    name,
    codes: [codes].flat(),
    body: (nonce) => JSON.stringify({ query: `#${nonce}\n${query}`, variables }),
  };
}

/** With variables that are text already, because JSON.stringify does not go as deep. */
function withJson(name: string, query: string, json: string, codes: string): HostileRequest {
  return {
    name,
    codes: [codes],
    body: (nonce) => `{"query":${JSON.stringify(`#${nonce}\n${query}`)},"variables":${json}}`,
  };
}

function rawBody(name: string, body: string, codes: string): HostileRequest {
  return { name, codes: [codes], body: () => body };
}

const createTask = 'mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
const task = (more: Variables) => ({ input: { name: 'n', type: 'ANALYSIS', ...more } });
const filterTasks = 'query($filter: TaskFilter) { tasks(filter: $filter) { edges { cursor } } }';

/** Fragments that each spread the next one in their own way. */
const chain = (levels: number, body: (next: string) => string, last = 'id', on = 'Task') =>
  `{ task(id: "x") { ...F0 } } ${times(
    levels,
    (level) => `fragment F${level} on ${on} { ${level + 1 < levels ? body(`...F${level + 1}`) : last} }`,
  )}`;

const fragments = [
  document(
    'fragments that spread the next one twice',
    chain(140, (next) => `${next} ${next}`),
    deep,
  ),
  document(
    'fragments that spread the next one three times, a few',
    chain(30, (next) => `${next} ${next} ${next}`),
    invalid,
  ),
  document(
    'fragments that spread the next one in inline fragments',
    chain(60, (next) => `... { ${next} } ... on Task { ${next} }`),
    [invalid, deep],
  ),
  document(
    'fragments that double below aliases',
    chain(
      30,
      (next) => `a: agent { tasks { edges { node { ${next} } } } } b: agent { tasks { edges { node { ${next} } } } }`,
    ),
    deep,
  ),
  document(
    'a fragment spread a thousand times',
    `{ task(id: "x") { ${times(600, () => '...F')} } } fragment F on Task { id }`,
    invalid,
  ),
  document(
    'fragments in a circle',
    chain(100, (next) => next, '...F0'),
    deep,
  ),
  document('a fragment that spreads itself', '{ task(id: "x") { ...F } } fragment F on Task { id ...F }', invalid),
  document(
    'two fragments that spread each other, many times',
    `{ task(id: "x") { ...A } } fragment A on Task { ${times(45, () => '...B')} } fragment B on Task { ${times(45, () => '...A')} }`,
    invalid,
  ),
  document(
    'many fragments in many circles',
    `{ me { kind } } ${times(90, (i) => `fragment F${i} on Task { ...F${(i + 1) % 90} }`)}`,
    [deep, invalid],
  ),
  document(
    'many fragments that nobody spreads',
    `{ me { kind } } ${times(240, (i) => `fragment F${i} on Task { id }`)}`,
    invalid,
  ),
  document(
    'many fragments of one name',
    `{ task(id: "x") { ...F } } ${times(95, () => 'fragment F on Task { id }')}`,
    invalid,
  ),
  document(
    'many fragments of one name, deep',
    `{ task(id: "x") { ...F } } ${times(2, () => `fragment F on Task { ${nest(300, '... {', 'id')} }`)}`,
    deep,
  ),
  document('every fragment spreads every later one', chainOfAll(14), invalid),
  document(
    'every fragment spreads all others',
    `{ task(id: "x") { ...F0 } } ${times(10, (i) => `fragment F${i} on Task { id ${times(10, (k) => `...F${k}`)} }`)}`,
    invalid,
  ),
  document('spreads of fragments that do not exist', `{ task(id: "x") { ${times(99, (i) => `...G${i}`)} } }`, invalid),
  document(
    'fragments on types that do not exist',
    `{ me { kind } } ${times(99, (i) => `fragment F${i} on Tasx${i} { id }`)}`,
    invalid,
  ),
  document(
    'every selection set spreads the same fields',
    `{ ${times(10, (i) => `a${i}: task(id: "x") { ${times(9, (k) => `...F${k}`)} }`)} } ${times(9, (k) => `fragment F${k} on Task { ${times(10, (n) => ['id', 'name', 'type', 'status', 'priority', 'attempts', 'deadline', 'error', 'createdAt', 'updatedAt'][n] ?? 'id')} }`)}`,
    ['OK', 'NOT_FOUND', invalid],
  ),
];

function chainOfAll(count: number): string {
  const spreads = (from: number) => times(count - from, (index) => `...F${from + index}`);
  return `{ task(id: "x") { ${spreads(0)} } } ${times(count, (index) => `fragment F${index} on Task { id ${spreads(index + 1)} }`)}`;
}

const repeated = [
  document('10,000 aliases', `{ ${times(10_000, (i) => `a${i}: me { kind }`)} }`, unparsed),
  document('200 aliases', `{ ${times(200, (i) => `a${i}: me { kind }`)} }`, aliases),
  document('16 aliases of __typename', `{ ${times(16, (i) => `a${i}: __typename`)} }`, aliases),
  document(
    'aliases behind fragments',
    `{ ${times(8, () => '...A')} } fragment A on Query { a: me { kind } b: me { kind } }`,
    aliases,
  ),
  document(
    'two log-ins',
    `mutation { ${times(2, (i) => `l${i}: login(email: "a@example.com", password: "x") { accessToken }`)} }`,
    aliases,
  ),
  document(
    '15 log-ins',
    `mutation { ${times(15, (i) => `l${i}: login(email: "a@example.com", password: "x") { accessToken }`)} }`,
    aliases,
  ),
  document('1,990 times the same field', `{ me { ${times(1_990, () => 'kind')} } }`, invalid),
  document('1,990 times the same root field', `{ ${times(1_990, () => '__typename')} }`, invalid),
  document('100 times the same field', `{ me { ${times(100, () => 'kind')} } }`, 'OK'),
  document('the same field in a hundred inline fragments', `{ me { ${times(100, () => '... { kind }')} } }`, 'OK'),
  document('the same field with sub-fields', `{ ${times(300, () => 'me { kind tier }')} }`, invalid),
  document(
    'the same fields ten levels deep',
    `{ ${times(60, () => 'tasks { edges { node { agent { tasks { edges { node { agent { id } } } } } } } }')} }`,
    invalid,
  ),
  document(
    'fields that overlap with different arguments',
    `{ ${times(20, (i) => `task(id: "${i}") { id }`)} }`,
    invalid,
  ),
  document(
    'fields that overlap with different arguments, many',
    `{ ${times(200, (i) => `task(id: "${i}") { id }`)} }`,
    invalid,
  ),
  document(
    'sub-fields that overlap with different arguments',
    `{ agents { edges { node { ${times(90, (i) => `tasks(first: ${i}) { edges { cursor } }`)} } } } }`,
    invalid,
  ),
  document('fields that overlap with different aliases', `{ me { ${times(7, () => 'a: kind a: tier')} } }`, invalid),
  document('fields that do not exist', `{ me { ${times(1_900, (i) => `kinx${i}`)} } }`, invalid),
  document('fields that do not exist, within every bound', `{ me { ${times(950, (i) => `kinx${i}`)} } }`, invalid),
  document(
    'fields that do not exist, with long names',
    `{ me { ${times(950, (i) => `k${i}${'i'.repeat(250)}`)} } }`,
    invalid,
  ),
  document('one field with a name of 250 KB', `{ ${fill('a')} }`, invalid),
  document('arguments that do not exist', `{ me(${times(650, (i) => `idx${i}: 1`, ',')}) { kind } }`, invalid),
  document('the same argument 650 times', `{ task(${times(650, () => 'id: "x"', ',')}) { id } }`, invalid),
  document(
    'input fields that do not exist',
    `{ tasks(filter: {${times(600, (i) => `typx${i}: 1`, ',')}}) { edges { cursor } } }`,
    invalid,
  ),
  document(
    'the same input field 600 times',
    `{ tasks(filter: {${times(600, () => 'type: ANALYSIS', ',')}}) { edges { cursor } } }`,
    invalid,
  ),
  document(
    '30 root fields',
    `{ ${times(30, (i) => ['me { kind }', '__typename', 'agents { edges { cursor } }'][i % 3] ?? '')} }`,
    invalid,
  ),
];

/** As much as the bounds let through. */
const within = [
  document(
    'the same field 90 times in 35 inline fragments',
    `{ me { ${nest(
      35,
      '... { kind ',
      times(60, () => 'kind'),
    )} } }`,
    'OK',
  ),
  document(
    '90 fragments with the same fields, in 30 inline fragments',
    `{ me { ${nest(
      30,
      '... { ',
      times(45, (i) => `...F${i}`),
    )} } } ${times(45, (i) => `fragment F${i} on Me { kind tier }`)}`,
    'OK',
  ),
  document(
    '12 fragments that spread all later ones',
    `{ me { ...F0 } } ${times(12, (i) => `fragment F${i} on Me { kind tier ${times(i > 6 ? 11 - i : 3, (k) => `...F${Math.min(11, i + 1 + k)}`)} }`)}`,
    [invalid, 'OK'],
  ),
  document(
    'the same lists 10 levels deep, 14 times',
    `{ ${times(14, () => 'agents { edges { node { tasks { edges { node { agent { tasks { edges { cursor } } } } } } } } }')} }`,
    ['OK', invalid],
  ),
];

const nested = [
  document('fields 300 levels deep', nest(300, '{ a', '', '}'), [unparsed, deep]),
  document('fields 500 levels deep', `{ task(id: "x") ${nest(480, '{ agent ', '{ id }')} }`, deep),
  document('inline fragments 600 levels deep', `{ ${nest(600, '... {', '__typename')} }`, deep),
  document('inline fragments of a type 380 levels deep', `{ me { ${nest(380, '... on Me {', 'kind')} } }`, deep),
  document(
    'inline fragments within every bound, each with the same fields',
    `{ me { ${nest(35, '... { kind tier ', 'kind')} } }`,
    'OK',
  ),
  document('lists in lists', `{ tasks(filter: { status: ${nestedList(900)} }) { edges { cursor } } }`, invalid),
  document('lists in lists, not closed', `{ tasks(filter: { status: ${'['.repeat(1_900)}`, unparsed),
  document('objects in objects', `{ tasks(filter: ${nest(450, '{ type: ', '1', '}')}) { edges { cursor } } }`, invalid),
  document(
    'types of variables that are lists of lists',
    `query($v: ${'['.repeat(900)}Int${']'.repeat(900)}) { me { kind } }`,
    invalid,
  ),
  document('250,000 opening braces', '{'.repeat(room), unparsed),
  document('250,000 brackets in a value', `{ a(b: ${'['.repeat(room - 20)}`, unparsed),
];

const texts = [
  document('a text of 250 KB', `{ task(id: "${fill('x')}") { id } }`, [badInput, 'NOT_FOUND', 'OK']),
  document('a text of 40,000 escapes', `{ task(id: "${fill('\\u0041', room / 2)}") { id } }`, [
    badInput,
    'NOT_FOUND',
    'OK',
  ]),
  document('a block string of 250 KB', `{ task(id: """${fill('x')}""") { id } }`, [badInput, 'NOT_FOUND', 'OK']),
  document('a block string of 120,000 lines', `{ task(id: """${fill('\n', room / 2)}""") { id } }`, [invalid]),
  document('a block string of indented lines', `{ task(id: """${fill('      \n  x\n', room / 2)}""") { id } }`, [
    invalid,
  ]),
  document('a block string of quotes', `{ task(id: """${fill('\\"""', room / 2)}""") { id } }`, [
    badInput,
    'NOT_FOUND',
    'OK',
  ]),
  document('a block string that does not end', `{ task(id: """${fill('x\n', room / 2)}`, unparsed),
  document('120,000 comments', `${fill('#\n', room / 2)}{ __typename }`, invalid),
  document('a comment of 250 KB', `#${fill('x')}\n{ __typename }`, 'OK'),
  document('commas and spaces', `${fill(', ')}{ __typename }`, 'OK'),
  document('120,000 lines', `${fill('\n', room / 2)}{ __typename }`, invalid),
  document(
    '120,000 lines and then mistakes that speak of many places',
    `${fill('\n', room / 2 - 4_000)}{ ${times(7, (turn) => `me { ${times(45, (i) => `f${i}(a:${turn})`)} }`)} }`,
    invalid,
  ),
  document('120,000 lines and then a mistake', `${fill('\n', room / 2)}{ }`, unparsed),
  document('a number of 250,000 digits', `{ tasks(first: ${fill('9')}) { edges { cursor } } }`, invalid),
  document('a number with a large exponent', '{ tasks(first: 1e400) { edges { cursor } } }', invalid),
  document(
    'numbers of 20 digits, many',
    `{ ${times(15, (i) => `a${i}: tasks(first: 99999999999999999999) { edges { cursor } }`)} }`,
    invalid,
  ),
  document('letters of other scripts', `{ ${fill('й', room / 12)} }`, unparsed),
  document('four-byte characters in a text', `{ task(id: "${fill('😀', room / 4)}") { id } }`, [
    badInput,
    'NOT_FOUND',
    'OK',
  ]),
  document('a lone surrogate', '{ task(id: "\\ud800") { id } }', unparsed),
  document('NUL in a text', '{ task(id: "\\u0000") { id } }', badInput),
  document(
    'an enum value that does not exist, often',
    `{ tasks(filter: { status: [${times(950, () => 'PENDINH')}] }) { edges { cursor } } }`,
    invalid,
  ),
];

const definitions = [
  document('600 directives on a field', `{ me ${times(600, () => '@skip(if: true)')} { kind } }`, [unparsed, invalid]),
  document('900 directives that do not exist', `{ me ${times(900, (i) => `@a${i}`)} { kind } }`, invalid),
  document('900 times one directive that does not exist', `{ me ${times(900, () => '@a')} { kind } }`, invalid),
  document('50 directives on as many fields', `{ me { ${times(50, () => 'kind @include(if: true)')} } }`, 'OK'),
  document(
    'directives on everything',
    `query Q @a { me @a { ... @a { kind @a } ...F @a } } fragment F on Me @a { tier @a }`,
    invalid,
  ),
  document(
    '300 operations',
    times(300, (i) => `query Q${i} { __typename }`),
    invalid,
  ),
  document(
    '300 operations of one name',
    times(300, () => 'query Q { __typename }'),
    invalid,
  ),
  document(
    '300 operations without a name',
    times(300, () => '{ __typename }'),
    invalid,
  ),
  document(
    '50 operations that spread 40 fragments',
    `${times(50, (i) => `query Q${i}($v: ID!) { ...F0 }`)} ${times(40, (i) => `fragment F${i} on Query { t: task(id: $v) { id } ${i < 39 ? `...F${i + 1}` : ''} }`)}`,
    [deep, invalid, aliases],
  ),
  document('480 variables', `query(${times(480, (i) => `$v${i}: Int`, ',')}) { __typename }`, invalid),
  document('480 variables of one name', `query(${times(480, () => '$v: Int', ',')}) { __typename }`, invalid),
  document('100 variables that nobody uses', `query(${times(100, (i) => `$v${i}: Int`, ',')}) { __typename }`, invalid),
  document(
    'variables that nobody defines',
    `{ ${times(14, (i) => `a${i}: tasks(first: $v${i}, after: $w${i}) { edges { cursor } }`)} }`,
    invalid,
  ),
  document(
    'variables of types that do not exist',
    `query(${times(100, (i) => `$v${i}: Tasx${i}`, ',')}) { __typename }`,
    invalid,
  ),
  document(
    'definitions of types',
    times(200, (i) => `type T${i} { a: Int }`),
    invalid,
  ),
  document(
    'a definition of a type with 900 fields',
    `type T { ${times(480, (i) => `f${i}: Int`)} } query { __typename }`,
    invalid,
  ),
  document('a subscription', 'subscription { tasks { edges { cursor } } }', [invalid, 'BAD_REQUEST']),
];

const types = (inside: string) => `{ __schema { types { ${inside} } } }`;
const introspections = [
  document('introspection in a circle', types(nest(200, 'fields { type { ', 'name', '} }')), [deep, invalid]),
  document(
    'introspection in a small circle',
    types('fields { type { fields { type { fields { type { name } } } } } }'),
    invalid,
  ),
  document(
    'introspection in a circle by fragments',
    `${types('...T')} fragment T on __Type { fields { type { ...T } } }`,
    invalid,
  ),
  document('introspection by ofType', types(`fields { type { ${nest(200, 'ofType { ', 'name')} } }`), deep),
  document(
    'introspection by interfaces and possible types',
    types('possibleTypes { interfaces { possibleTypes { interfaces { name } } } }'),
    invalid,
  ),
  document(
    'introspection two lists deep',
    types('fields { args { type { name } } type { fields { name description args { name } type { name } } } }'),
    ['OK', invalid],
  ),
  document(
    'introspection under 15 aliases',
    `{ ${times(15, (i) => `a${i}: __schema { types { fields { args { type { name ofType { name } } } } } }`)} }`,
    invalid,
  ),
  document(
    'introspection of 15 types',
    `{ ${times(15, (i) => `a${i}: __type(name: "Task") { fields { type { fields { name } } } }`)} }`,
    invalid,
  ),
  document(
    'introspection with every alias',
    types(times(15, (i) => `a${i}: fields { name description args { name } }`)),
    ['OK', invalid],
  ),
  document(
    'introspection with the longest texts',
    types(`description ${times(15, (i) => `a${i}: description`)} fields { description args { description } }`),
    ['OK', invalid],
  ),
];

const taskJson = (parameters: string) => `{"input":{"name":"n","type":"ANALYSIS","parameters":${parameters}}}`;

const variables = [
  withVariables('14,000 fields in an input', filterTasks, { filter: wide(14_000) }, badInput),
  withVariables('14,000 fields in a JSON object', createTask, task({ parameters: wide(14_000) }), badInput),
  withJson('JSON 5,000 levels deep', createTask, taskJson(nest(5_000, '{"a":', '1')), badInput),
  withJson('lists 5,000 levels deep', filterTasks, `{"filter":{"status":${nestedList(5_000)}}}`, badInput),
  withJson('lists 5,000 levels deep in JSON', createTask, taskJson(`{"a":${nestedList(5_000)}}`), badInput),
  withJson('JSON 40,000 levels deep', createTask, taskJson(nest(40_000, '{"a":', '1')), badInput),
  withJson('lists 120,000 levels deep in JSON', createTask, taskJson(`{"a":${nestedList(120_000)}}`), badInput),
  withJson(
    'lists 120,000 levels deep where a text is meant',
    createTask,
    `{"input":{"name":${nestedList(120_000)}}}`,
    badInput,
  ),
  withJson('lists 120,000 levels deep that nobody knows', '{ __typename }', `{"v":${nestedList(120_000)}}`, 'OK'),
  withVariables('a JSON object of 200 KB', createTask, task({ parameters: { a: fill('x', 200_000) } }), badInput),
  withVariables('a name of 250 KB', createTask, task({ name: fill('x', room - 500) }), badInput),
  withVariables(
    'a description of 250 KB of tags',
    createTask,
    task({ description: fill('<b>', room - 500) }),
    badInput,
  ),
  withVariables('a description of 10,000 characters of tags', createTask, task({ description: fill('<b>', 10_000) }), [
    'OK',
    badInput,
  ]),
  withVariables('a date of 250 KB', createTask, task({ deadline: fill('9', room - 500) }), badInput),
  withVariables('an agent of 250 KB', createTask, task({ assignedTo: `agent-${fill('a', room - 500)}` }), badInput),
  withVariables(
    'an e-mail address of 250 KB',
    'mutation($e: EmailAddress!) { login(email: $e, password: "x") { accessToken } }',
    { e: `${fill('a.', room - 500)}@example.com` },
    badInput,
  ),
  withVariables(
    'an e-mail address of domains',
    'mutation($e: EmailAddress!) { login(email: $e, password: "x") { accessToken } }',
    { e: `a@${fill('a.', 60_000)}com` },
    badInput,
  ),
  withVariables(
    'a password of 250 KB',
    'mutation($p: String!) { login(email: "a@example.com", password: $p) { accessToken } }',
    { p: fill('x', room - 500) },
    badInput,
  ),
  withVariables('a list of 60,000 values', filterTasks, { filter: { status: Array(30_000).fill('X') } }, badInput),
  withVariables('1,000 values that are wrong', filterTasks, { filter: { status: Array(1_000).fill('X') } }, badInput),
  withVariables('14,000 variables that nobody knows', '{ __typename }', wide(14_000), 'OK'),
  withJson('a deep variable that nobody knows', '{ __typename }', `{"v":${nestedList(5_000)}}`, 'OK'),
  withVariables(
    'a list where the variables should be',
    '{ __typename }',
    Array(50_000).fill(1) as unknown as Variables,
    'BAD_REQUEST',
  ),
  withVariables(
    '1,000 readings of 60 metrics that are wrong',
    'mutation($i: [TelemetryInput!]!) { submitTelemetryBatch(inputs: $i) { accepted } }',
    {
      i: Array.from({ length: 1_000 }, () => ({
        agentId: 'x',
        timestamp: 'x',
        metrics: { a: 'x', b: {} },
        status: 'X',
      })),
    },
    badInput,
  ),
  {
    name: '1e400 in JSON',
    codes: [badInput],
    body: () =>
      JSON.stringify({ query: createTask, variables: task({ parameters: { a: 'HUGE' } }) }).replace('"HUGE"', '1e400'),
  },
  rawBody(
    '__proto__ in JSON',
    `{"query":${JSON.stringify(createTask)},"variables":{"input":{"name":"n","type":"ANALYSIS","parameters":{"__proto__":{"a":1}}}}}`,
    'BAD_REQUEST',
  ),
] satisfies HostileRequest[];

const bodies = [
  rawBody('a batch of 1,000 operations', `[${times(1_000, () => '{"query":"{ __typename }"}', ',')}]`, 'BAD_REQUEST'),
  rawBody('an empty list', '[]', 'BAD_REQUEST'),
  rawBody('a body of brackets', '['.repeat(room), 'BAD_REQUEST'),
  rawBody('a body of brackets that are closed', '['.repeat(room / 2) + ']'.repeat(room / 2), 'BAD_REQUEST'),
  rawBody('a query that is a list', `{"query":[${times(20_000, () => '"x"', ',')}]}`, 'BAD_REQUEST'),
  rawBody('a query that is empty', '{"query":""}', 'BAD_REQUEST'),
  rawBody('20,000 members', `{"query":"{ __typename }",${times(14_000, (i) => `"k${i}":${i}`, ',')}}`, 'OK'),
  rawBody('the query 10,000 times', `{${times(9_000, () => '"query":"{ __typename }"', ',')}}`, 'OK'),
  rawBody(
    'an operation name of 200 KB',
    `{"query":"{ __typename }","operationName":"${fill('x', 200_000)}"}`,
    'OPERATION_RESOLUTION_FAILURE',
  ),
  rawBody('extensions 5,000 levels deep', `{"query":"{ __typename }","extensions":${nest(5_000, '{"a":', '1')}}`, 'OK'),
  rawBody(
    'a persisted query',
    '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}',
    'PERSISTED_QUERY_NOT_SUPPORTED',
  ),
  rawBody(
    '2 MB of text',
    JSON.stringify({ query: '{ __typename }', variables: { v: 'x'.repeat(2 * 1024 * 1024 - 100) } }),
    'BAD_REQUEST',
  ),
  rawBody(
    '2 MB of query',
    JSON.stringify({ query: `{ task(id: "${'x'.repeat(2 * 1024 * 1024 - 100)}") { id } }` }),
    'BAD_REQUEST',
  ),
  rawBody('3 MB', ' '.repeat(3 * 1024 * 1024), 'BAD_REQUEST'),
];

/** The requests, of every kind that costs a GraphQL server more than its client. */
export const hostileRequests: readonly HostileRequest[] = [
  ...fragments,
  ...repeated,
  ...within,
  ...nested,
  ...texts,
  ...definitions,
  ...introspections,
  ...variables,
  ...bodies,
];
