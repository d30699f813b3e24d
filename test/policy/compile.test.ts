import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { PolicyError } from '../../src/policy/compile.ts';
import { guardSdl, stubsOf } from './guardSdl.ts';

/** The problems for which an SDL is refused; none where it starts. */
function problemsOf(sdl: string, resolvers?: Parameters<typeof guardSdl>[1]): readonly string[] {
  try {
    guardSdl(sdl, resolvers);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.problems;
    throw error;
  }
}

const query = (field: string) => `extend type Query { ${field} }`;
const mutation = (field: string) => `extend type Mutation { ${field} }`;

/** Name of the guarantee, SDL, and the one sentence that start-up ends with. */
const refusals: [string, string, RegExp][] = [
  ['a Query field without policy', query('x: Int'), /^Query\.x has no policy/],
  ['a Mutation field without policy', mutation('x: Int @audit(action: "x.do")'), /^Mutation\.x has no policy/],
  ['a Subscription field without policy', 'type Subscription { x: Int }', /^Subscription\.x has no policy/],

  ['an unknown role', query('x: Int @auth(roles: [BOSS])'), /^Query\.x @auth: .*"roles".*BOSS/],
  ['a role written as text', query('x: Int @auth(roles: ["ADMIN"])'), /^Query\.x @auth: .*"roles".*"ADMIN"/],
  ['an unknown scope', query('x: Int @auth(scopes: [["tasks:own"]])'), /^Query\.x @auth: .*"scopes".*tasks:own/],
  ['an unknown credential kind', query('x: Int @auth(credentials: [TICKET])'), /^Query\.x @auth: .*TICKET/],
  ['empty roles', query('x: Int @auth(roles: [])'), /^Query\.x @auth\(roles\) is empty/],
  ['empty scopes', query('x: Int @auth(scopes: [])'), /^Query\.x @auth\(scopes\) is empty/],
  [
    'an empty set of scopes',
    query('x: Int @auth(scopes: [["tasks:read"], []])'),
    /^Query\.x @auth\(scopes\) holds an empty/,
  ],
  [
    'an age that no login has',
    query('x: Int @auth(maxAgeSeconds: 0)'),
    /^Query\.x @auth\(maxAgeSeconds: 0\) must be 1/,
  ],
  ['empty credentials', query('x: Int @auth(credentials: [])'), /^Query\.x @auth\(credentials\) is empty/],
  ['an empty owner', query('x: Int @auth(owner: [])'), /^Query\.x @auth\(owner\) is empty/],
  [
    'a null for a default',
    query('x: Int @public @rateLimit(max: 1, window: "1m", per: null)'),
    /^Query\.x .*\(per\) must not be null/,
  ],
  ['null roles', query('x: Int @auth(roles: null)'), /^Query\.x @auth\(roles\) must not be null/],

  ['@public and @auth together', query('x: Int @public @auth'), /^Query\.x @public and @auth exclude each other/],
  [
    '@public on a field that is not a root',
    'type T { a: Int @public } extend type Query { x: T @public }',
    /^T\.a @public has no effect/,
  ],
  [
    '@public where the type has @auth',
    'type T @auth { a: Int } extend type Query { x: T @public }',
    /^Query\.x @public contradicts the @auth/,
  ],
  [
    '@auth on a root type',
    'extend type Query @auth { x: Int @public }',
    /^type Query @auth has no effect on a root type/,
  ],
  [
    '@auth on a type that nothing returns',
    'type T @auth { a: Int }',
    /^type T @auth has no effect: no field returns it/,
  ],
  [
    '@auth on an interface that nothing returns',
    'interface I @auth { a: Int } type T implements I { a: Int }',
    /^interface I @auth has no effect/,
  ],
  [
    'a policy on an interface that nothing implements',
    'interface I { a: Int @auth } extend type Query { x: I @public }',
    /^I\.a .*no type implements I/,
  ],

  [
    'an owner path without a root',
    query('x(id: ID): Int @auth(owner: ["id"])'),
    /^Query\.x @auth\(owner: "id"\) must begin with/,
  ],
  ['an owner path that ends at its root', query('x(id: ID): Int @auth(owner: ["args"])'), /^Query\.x .*names no field/],
  [
    'an owner path to no argument',
    query('x(id: ID): Int @auth(owner: ["args.di"])'),
    /^Query\.x .*leads nowhere.*"di"/,
  ],
  [
    'an owner path into no input field',
    'input In { a: ID } extend type Query { x(in: In): Int @auth(owner: ["args.in.b"]) }',
    /^Query\.x .*leads nowhere.*"b" in In/,
  ],
  [
    'an owner path to no result field',
    'type T { a: ID } extend type Query { x: T @auth(owner: ["result.b"]) }',
    /^Query\.x .*leads nowhere.*"b" in T/,
  ],
  [
    'an owner path to an object',
    'type T { t: T } extend type Query { x: T @auth(owner: ["result.t"]) }',
    /^Query\.x .*does not lead to a scalar/,
  ],
  [
    'an owner path that a member of the union lacks',
    'type A { a: ID } type B { b: ID } union U = A | B extend type Query { x: U @auth(owner: ["result.a"]) }',
    /^Query\.x .*"a" in B/,
  ],
  [
    'an owner path to no parent field',
    'type T { a: ID @auth(owner: ["parent.c"]) } extend type Query { x: T @public }',
    /^T\.a .*leads nowhere.*"c" in T/,
  ],
  [
    'an owner path to the parent of a root field',
    'extend type Query { id: ID @public x: Int @auth(owner: ["parent.id"]) }',
    /^Query\.x .*has no parent/,
  ],
  [
    'an owner path of a type to arguments',
    'type T @auth(owner: ["args.a"]) { a: ID } extend type Query { x(a: ID): T @auth }',
    /^type T .*cannot look into arguments/,
  ],
  [
    'an owner of the result where nothing can be undone',
    'type T { a: ID } extend type Mutation { x: T @auth(owner: ["result.a"]) @audit(action: "x.do", level: NONE) }',
    /^Mutation\.x cannot be undone/,
  ],

  [
    'a window with a typo',
    query('x: Int @public @rateLimit(max: 1, window: "1 minuet")'),
    /^Query\.x @rateLimit\(window: "1 minuet"\)/,
  ],
  ['an empty window', query('x: Int @public @rateLimit(max: 1, window: "")'), /^Query\.x @rateLimit\(window: ""\)/],
  [
    'a window without a unit',
    query('x: Int @public @rateLimit(max: 1, window: "3600")'),
    /^Query\.x @rateLimit\(window: "3600"\)/,
  ],
  [
    'a window that is no whole number',
    query('x: Int @public @rateLimit(max: 1, window: "1.3333s")'),
    /^Query\.x @rateLimit\(window: "1\.3333s"\)/,
  ],
  [
    'a window below a second',
    query('x: Int @public @rateLimit(max: 1, window: "500ms")'),
    /^Query\.x @rateLimit\(window: "500ms"\)/,
  ],
  [
    'a window over a month',
    query('x: Int @public @rateLimit(max: 1, window: "1y")'),
    /^Query\.x @rateLimit\(window: "1y"\)/,
  ],
  [
    'a negative window',
    query('x: Int @public @rateLimit(max: 1, window: "-1h")'),
    /^Query\.x @rateLimit\(window: "-1h"\)/,
  ],
  [
    'max: 0',
    query('x: Int @public @rateLimit(max: 0, window: "1m")'),
    /^Query\.x @rateLimit\(max: 0\) must be 1 or more/,
  ],
  ['a negative max', query('x: Int @public @rateLimit(max: -1, window: "1m")'), /^Query\.x @rateLimit\(max: -1\)/],
  [
    'a max that is no number',
    query('x: Int @public @rateLimit(max: "many", window: "1m")'),
    /^Query\.x @rateLimit: .*"max"/,
  ],
  [
    'an identity argument that does not exist',
    query('x(a: ID): Int @public @rateLimit(max: 1, window: "1m", identityArgs: ["b"])'),
    /^Query\.x @rateLimit\(identityArgs: "b"\) leads nowhere/,
  ],
  [
    'a path behind a scalar argument',
    query('x(a: ID): Int @public @rateLimit(max: 1, window: "1m", identityArgs: ["a.b"])'),
    /^Query\.x @rateLimit\(identityArgs: "a\.b"\) leads nowhere/,
  ],

  [
    'an own account that does not exist',
    query('x(a: EmailAddress): Int @public @rateLimit(max: 1, window: "1m", ownAccount: "b")'),
    /^Query\.x @rateLimit\(ownAccount: "b"\) leads nowhere/,
  ],
  [
    'an own account that is no e-mail address',
    query('x(a: String): Int @public @rateLimit(max: 1, window: "1m", ownAccount: "a")'),
    /^Query\.x @rateLimit\(ownAccount: "a"\) leads to String, not to EmailAddress/,
  ],

  ['a mutation without @audit', mutation('x: Int @auth'), /^Mutation\.x has no @audit/],
  ['@audit on a query', query('x: Int @auth @audit(action: "x.read")'), /^Query\.x @audit has no effect/],
  [
    '@audit on a field of an object',
    'type T { a: Int @audit(action: "x.read") } extend type Query { x: T @public }',
    /^T\.a @audit has no effect/,
  ],
  [
    'an action that is not noun.verb',
    mutation('x: Int @auth @audit(action: "do it")'),
    /^Mutation\.x @audit\(action: "do it"\)/,
  ],
  [
    'a path to redact that does not exist',
    mutation('x(a: ID): Int @auth @audit(action: "x.do", redact: ["password"])'),
    /^Mutation\.x @audit\(redact: "password"\) leads nowhere/,
  ],
  [
    'an unknown severity',
    mutation('x: Int @auth @audit(action: "x.do", severity: LOUD)'),
    /^Mutation\.x @audit: .*LOUD/,
  ],

  ['a list without a bound', query('x: [Int!]! @public'), /^Query\.x is a list without a bound/],
  [
    'a list without a bound below the root',
    'type T { a: [[Int]] } extend type Query { x: T @public }',
    /^T\.a is a list without a bound/,
  ],
  [
    'a list of a connection that is not its edges',
    'type TConnection { edges: [Int!]! nodes: [Int!]! } extend type Query { x(first: Int): TConnection @public }',
    /^TConnection\.nodes is a list without a bound/,
  ],
  [
    'a connection without first',
    'type TConnection { edges: [Int!]! } extend type Query { x(after: String): TConnection @public }',
    /^Query\.x returns a connection without a bound.*`first`/,
  ],
  [
    '@listSize on a field that is not a list',
    query('x: Int @public @listSize(assumedSize: 3)'),
    /^Query\.x @listSize has no effect/,
  ],
  ['@listSize that says nothing', query('x: [Int] @public @listSize'), /^Query\.x @listSize needs/],
  [
    '@listSize of 0',
    query('x: [Int] @public @listSize(assumedSize: 0)'),
    /^Query\.x @listSize\(assumedSize\) must be 1 or more/,
  ],
  [
    '@listSize with an argument that does not exist',
    query('x: [Int] @public @listSize(slicingArguments: ["first"])'),
    /^Query\.x @listSize names the argument "first"/,
  ],

  [
    '@auth on a union',
    'type A { a: Int } union U @auth = A extend type Query { x: U @public }',
    /^laboratory\.graphql:1 .*"@auth".*UNION/,
  ],
  [
    '@auth on an enum',
    'enum E @auth { A } extend type Query { x: E @public }',
    /^laboratory\.graphql:1 .*"@auth".*ENUM/,
  ],
  [
    '@rateLimit on a type',
    '\ntype T @rateLimit(max: 1, window: "1m") { a: Int }',
    /^laboratory\.graphql:2 .*"@rateLimit".*OBJECT/,
  ],
  [
    '@audit on an argument',
    query('\n\nx(a: Int @audit(action: "x.do")): Int @auth'),
    /^laboratory\.graphql:3 .*"@audit".*ARGUMENT_DEFINITION/,
  ],
  ['a directive with a typo', query('x: Int @auht'), /^laboratory\.graphql:1 .*"@auht"/],
  [
    'a directive argument with a typo',
    query('x: Int @auth(role: [ADMIN])'),
    /^laboratory\.graphql:1 .*"role".*"@auth"/,
  ],
  [
    '@auth twice',
    query('x: Int @auth(roles: [VIEWER]) @auth(roles: [ADMIN])'),
    /^laboratory\.graphql:1 .*"@auth" can only be used once/,
  ],
  ['@rateLimit without max', query('x: Int @public @rateLimit(window: "1m")'), /^laboratory\.graphql:1 .*"max"/],
  [
    'a field that is defined twice',
    `${query('x: Int @auth')} ${query('x: Int @public')}`,
    /^laboratory\.graphql:1 .*"Query\.x"/,
  ],
];

describe('start-up is refused, with a sentence that names the place, for', () => {
  test.each(refusals)('%s', (_name, sdl, sentence) => {
    expect(problemsOf(sdl)).toContainEqual(expect.stringMatching(sentence));
  });

  test('a root field without resolver', () => {
    const sdl = `${query('x: Int @public y: Int @public')} type Subscription { z: Int @auth }`;
    expect(problemsOf(sdl, { Query: { y: () => 1 }, Subscription: { z: { resolve: () => 1 } } })).toEqual([
      'Query.x has no resolver',
      'Subscription.z has no resolver',
    ]);
  });
});

describe('all problems', () => {
  const policyCases = refusals.filter(([, , sentence]) => !sentence.source.startsWith('^laboratory'));
  const manyMistakes = `
    extend type Query {
      noPolicy: Int
      boss: Int @auth(roles: [BOSS])
      scope: Int @auth(scopes: [["nope:read"]])
      window: Int @public @rateLimit(max: 1, window: "1 minuet")
      zero: Int @public @rateLimit(max: 0, window: "nonsense", identityArgs: ["a"])
      both: Int @public @auth
      list: [Int] @public
      audited: Int @auth @audit(action: "nonsense", redact: ["a"])
      owner(id: ID): Int @auth(owner: ["args.a", "args.b", "args.id"])
    }
    extend type Mutation { unaudited: Int @auth }
    type Alone @auth { a: Int }
  `;

  test('are in one message', () => {
    const problems = problemsOf(manyMistakes);
    const places = problems.map((problem) => problem.split(' ')[0]);
    expect(problems).toHaveLength(16);
    expect(new Set(places)).toEqual(
      new Set([
        'Query.noPolicy',
        'Query.boss',
        'Query.scope',
        'Query.window',
        'Query.zero',
        'Query.both',
        'Query.list',
        'Query.audited',
        'Query.owner',
        'Mutation.unaudited',
        'type',
      ]),
    );
    try {
      guardSdl(manyMistakes);
      expect.unreachable();
    } catch (error) {
      for (const problem of problems) expect(String(error)).toContain(`\n- ${problem}`);
    }
  });

  test('are told beside those of the SDL itself', () => {
    const problems = problemsOf(`${manyMistakes} union U @auth = Alone`);
    expect(problems).toHaveLength(17);
    expect(problems[0]).toMatch(/^laboratory\.graphql:\d+ .*"@auth".*UNION/);
  });

  test('are one each for a mistake that stands alone', () => {
    const counts = policyCases.map(([name, sdl]) => ({ name, problems: problemsOf(sdl).length }));
    expect(counts.filter(({ problems }) => problems !== 1)).toEqual([]);
  });
});

describe('start-up is not refused for', () => {
  const accepted: [string, string][] = [
    [
      'an interface that nothing returns, where a type of it is returned',
      'interface I @auth { a: Int } type T implements I { a: Int } extend type Query { x: T @auth }',
    ],
    ['a type that only a union returns', 'type T @auth { a: Int } union U = T extend type Query { x: U @auth }'],
    [
      'a type that only an interface returns',
      'interface I { a: Int } type T implements I @auth { a: Int } extend type Query { x: I @auth }',
    ],
    ['@auth in an extension of a type', 'type T { a: Int } extend type T @auth extend type Query { x: T @auth }'],
    [
      'windows as people write them',
      query(
        'x: Int @public @rateLimit(max: 1, window: "1 minute") @rateLimit(max: 9, window: "24h") @rateLimit(max: 9, window: "30s")',
      ),
    ],
    ['a bounded list', query('x(first: Int!): [Int] @public @listSize(slicingArguments: ["first"])')],
    [
      'an owner path through lists, inputs and unions',
      'input In { ids: [ID!] } type A { a: ID } type B { a: ID } union U = A | B extend type Query { x(in: [In]): [U] @auth(owner: ["args.in.ids", "result.a"]) @listSize(assumedSize: 2) }',
    ],
  ];
  test.each(accepted)('%s', (_name, sdl) => {
    expect(problemsOf(sdl)).toEqual([]);
  });
});

describe('the table', () => {
  const sdl = `
    interface Node @auth(roles: [VIEWER]) { id: ID @auth(scopes: [["tasks:read"]]) @rateLimit(max: 9, window: "1m") }
    type Doc implements Node { id: ID @rateLimit(max: 3, window: "1m") title: String }
    type Vault implements Node @auth(roles: [OPERATOR]) { id: ID @auth(credentials: [SESSION]) }
    union Thing = Doc | Vault
    extend type Query {
      bare: Int @auth
      open: Int @public
      docs: [Doc!]! @auth(roles: [AGENT]) @listSize(assumedSize: 5)
      node: Node @auth(roles: [AGENT])
      thing: Thing @auth(roles: [AGENT])
    }
    type Plain { a: Int }
  `;
  const { policy } = guardSdl(sdl, stubsOf(parse(sdl)));
  const originsOf = (coordinate: string) => policy.get(coordinate)?.auth.map(({ origin }) => origin);

  test('makes a bare @auth ADMIN', () => {
    expect(policy.get('Query.bare')?.auth).toMatchObject([
      { roles: ['ADMIN'], scopes: [], credentials: [], owner: [] },
    ]);
  });

  test('leaves fields without policy out', () => {
    expect([...policy.keys()].sort()).toEqual(
      ['Doc.id', 'Query.bare', 'Query.docs', 'Query.node', 'Query.open', 'Query.thing', 'Vault.id'].sort(),
    );
  });

  test('pushes what stands at an interface and at its fields down to its types, beside their own', () => {
    expect(originsOf('Doc.id')).toEqual(['Node.id']);
    expect(originsOf('Vault.id')).toEqual(['Vault.id', 'Node.id']);
    expect(policy.get('Doc.id')?.rateLimits.map(({ max }) => max)).toEqual([3, 9]);
    expect(policy.get('Vault.id')?.rateLimits.map(({ max }) => max)).toEqual([9]);
  });

  test('gives a field the rules of every type that it can return', () => {
    expect(originsOf('Query.docs')).toEqual(['Query.docs', 'interface Node']);
    expect(originsOf('Query.node')).toEqual(['Query.node', 'interface Node', 'type Vault']);
    expect(originsOf('Query.thing')).toEqual(['Query.thing', 'interface Node', 'type Vault']);
  });
});
