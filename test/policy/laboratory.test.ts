import { desc, sql } from 'drizzle-orm';
import { type GraphQLResolveInfo, getIntrospectionQuery, isObjectType } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agents } from '../../src/agents/table.ts';
import { auditEvents } from '../../src/audit/table.ts';
import type { Context } from '../../src/context.ts';
import { InputError, NotFoundError, OverloadedError, UnauthenticatedError } from '../../src/errors.ts';
import { createMemoryCounters } from '../../src/limits/memoryCounters.ts';
import { enforcePolicy } from '../../src/policy/enforce.ts';
import { prepared } from '../../src/policy/prepared.ts';
import { callerFacts, type LabAnswer, type Laboratory, openLaboratory } from './laboratory.ts';

const sdlText = `
  input Line { text: String }
  input In { name: String! count: Int kind: Severity tags: [String!] inner: In }
  type Left { name: String @rateLimit(max: 1, window: "1m") }
  type Right { name: String @rateLimit(max: 1, window: "1m") }
  type Deep { deep: Deep value: Int list: [Deep!] @listSize(assumedSize: 3) admin: Int @auth }
  type Note { to: ID text: String }

  extend type Query {
    open: Int @public
    nothing: Int @public
    admin: Int @auth
    operator: Int @auth(roles: [OPERATOR])
    deep: Deep @public
    echo(text: String, texts: [String], input: In, inputs: [In!], n: Int, json: JSONObject): String @public
    required(n: Int!): Int @public
    breaks: Int @public
    counted: Int @public @rateLimit(max: 3, window: "1m")
    countedForOperators: Int @auth(roles: [OPERATOR]) @rateLimit(max: 2, window: "1m")
    perAddress: Int @public @rateLimit(max: 1, window: "1m", per: ADDRESS)
    perCaller: Int @public @rateLimit(max: 1, window: "1m", per: CALLER)
    forEveryone(a: String, b: String): Int
      @public
      @rateLimit(max: 1, window: "1m", per: EVERYONE, identityArgs: ["a", "b"])
    forLists(a: [String!], b: [String!]): Int
      @public
      @rateLimit(max: 1, window: "1m", per: EVERYONE, identityArgs: ["a", "b"])
    twoLimits: Int @public @rateLimit(max: 4, window: "1m") @rateLimit(max: 5, window: "1m", per: ADDRESS)
    tried(code: String): Int @public @rateLimit(max: 2, window: "1m", count: FAILED)
    triedTwice(code: String): Int
      @public
      @rateLimit(max: 2, window: "1m", per: ADDRESS, count: FAILED)
      @rateLimit(max: 1, window: "1m", per: EVERYONE, count: FAILED)
    left: Left @public
    right: Right @public
  }
  extend type Mutation {
    openDo(n: Int): Int @public @audit(action: "lab.open", level: NONE)
    adminDo: Int @auth @audit(action: "lab.admin", level: NONE)
    deepDo: Deep @public @audit(action: "lab.deep", level: NONE)
    secretDo(password: String, note: String, json: JSONObject, tags: [Line!]): Int
      @auth
      @audit(action: "lab.secret", level: REQUEST, redact: ["password"])
    writeNote(to: ID!): Note @auth(roles: [ADMIN], owner: ["result.to"]) @audit(action: "lab.note")
    effectDo: Int @public @audit(action: "lab.effect")
    preparedDo(fails: String): Int @public @rateLimit(max: 2, window: "1m") @audit(action: "lab.prepared")
    preparedUnaudited: Int @public @audit(action: "lab.prepared", level: NONE)
  }
  type Subscription {
    notes: Note @auth(roles: [ADMIN], owner: ["result.to"])
    ticks: Int @public @rateLimit(max: 2, window: "1m")
  }
`;

const admin = callerFacts('admin', 'SESSION', ['ADMIN'], []);
const operator = callerFacts('operator', 'SESSION', ['OPERATOR'], []);
const viewer = callerFacts('viewer', 'SESSION', ['VIEWER'], []);
const badToken = callerFacts('bad token', 'BAD');

const failures: Record<string, Error> = {
  UNAUTHENTICATED: new UnauthenticatedError(),
  BAD_USER_INPUT: new InputError([{ field: 'code', message: 'is bad' }]),
  NOT_FOUND: new NotFoundError('thing'),
  DEPENDENCY_UNAVAILABLE: new OverloadedError(),
  INTERNAL_SERVER_ERROR: new TypeError('a bug'),
};

function resolversOf(calls: string[]) {
  const say =
    (name: string, value: unknown = 1) =>
    () => {
      calls.push(name);
      return value;
    };
  const tried = (_parent: unknown, { code }: { code?: string }) => {
    const failure = code ? failures[code] : undefined;
    if (failure) throw failure;
    return 1;
  };
  const deep = { deep: () => deep, value: 7, list: () => [deep, deep, deep], admin: 9 };
  const names = ['counted', 'countedForOperators', 'perAddress', 'perCaller', 'forEveryone', 'forLists', 'twoLimits'];
  return {
    Query: {
      ...Object.fromEntries([...names, 'open', 'admin', 'operator', 'required'].map((name) => [name, say(name)])),
      nothing: () => null,
      deep: () => deep,
      echo: (_parent: unknown, { text }: { text?: string }) => text ?? 'echo',
      breaks: () => {
        throw new TypeError('select secret from /var/lib at 10.0.0.1');
      },
      tried,
      triedTwice: tried,
      left: () => ({ name: 'left' }),
      right: () => ({ name: 'right' }),
    },
    Mutation: {
      openDo: say('openDo'),
      adminDo: say('adminDo'),
      deepDo: say('deepDo', deep),
      secretDo: say('secretDo'),
      writeNote: async (_parent: unknown, { to }: { to: string }, { db, audit }: Context) => {
        calls.push('writeNote');
        await db.insert(agents).values({ id: `agent-${to.replace(/\W/g, '')}` });
        audit.target('agent', to);
        return { to, text: 'noted' };
      },
      effectDo: async (_parent: unknown, _args: unknown, ctx: Context) => {
        await ctx.db.insert(agents).values({ id: 'agent-effect' }).onConflictDoNothing();
        ctx.afterCommit(async () => {
          const limit = { subject: '', key: 'x', max: 9, windowMs: 1000 };
          calls.push(`effect beside ${(await ctx.services.counters.reserve([{ limit, units: 1 }])).allowed}`);
          throw new Error('The effect failed.');
        });
        return 1;
      },
      preparedDo: prepared(async (_parent: unknown, { fails }: { fails?: string }, ctx) => {
        calls.push(`prepared ${await placeOf(ctx)}`);
        if (fails === 'before') throw new UnauthenticatedError();
        return async (scope) => {
          calls.push(`ran ${await placeOf(scope)}`);
          if (fails === 'inside') throw new UnauthenticatedError();
          return 1;
        };
      }),
      preparedUnaudited: prepared(async (_parent: unknown, _args: unknown, ctx) => async (scope) => {
        calls.push(`unaudited ${scope === ctx}`);
        return 1;
      }),
    },
    Subscription: {
      notes: {
        subscribe: async function* () {
          calls.push('stream');
          for (const to of [operator.ownId, viewer.ownId, operator.ownId]) yield { notes: { to, text: `to ${to}` } };
        },
      },
      ticks: {
        subscribe: async function* () {
          for (const ticks of [1, 2, 3, 4]) yield { ticks };
        },
      },
    },
  };
}

/** Where statements through this context run: those of one transaction have its number. */
async function placeOf({ db }: Context): Promise<'inside' | 'outside'> {
  const number = async () => JSON.stringify(await db.execute(sql`select pg_current_xact_id()::text as number`));
  const numbers = new Set([await number(), await number()]);
  return numbers.size === 1 ? 'inside' : 'outside';
}

let laboratory: Laboratory;
beforeAll(async () => {
  laboratory = await openLaboratory(sdlText, resolversOf);
});
afterAll(() => laboratory?.stop());
beforeEach(() => {
  laboratory.calls.length = 0;
  laboratory.logged.length = 0;
  laboratory.counters = createMemoryCounters();
});

const codesOf = ({ errors = [] }: LabAnswer) => errors.map(({ extensions }) => extensions.code);
const rowsOf = (action: string) =>
  laboratory.database.db
    .select()
    .from(auditEvents)
    .where(sql`${auditEvents.action} = ${action}`)
    .orderBy(desc(auditEvents.sequence));

describe('admission', () => {
  test('a mutation with one forbidden field runs none of it', async () => {
    const answer = await laboratory.run('mutation { a: openDo adminDo b: openDo }', {}, { caller: viewer });
    expect(answer).toMatchObject({ status: 403, data: undefined });
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
    expect(laboratory.calls).toEqual([]);
  });

  test('a mutation with a forbidden field below its answer runs none of it', async () => {
    const answer = await laboratory.run('mutation { openDo deepDo { deep { admin } } }', {}, { caller: viewer });
    expect(answer.status).toBe(403);
    expect(laboratory.calls).toEqual([]);
  });

  test('a mutation runs its fields where all are allowed', async () => {
    const answer = await laboratory.run('mutation { a: openDo adminDo b: openDo }', {}, { caller: admin });
    expect(answer).toMatchObject({ status: 200, data: { a: 1, adminDo: 1, b: 1 } });
    expect(laboratory.calls).toEqual(['openDo', 'adminDo', 'openDo']);
  });

  test('a bad credential refuses public fields too, and documents without any field of ours', async () => {
    for (const query of ['{ open }', '{ __typename }', '{ __schema { queryType { name } } }', 'mutation { openDo }']) {
      const answer = await laboratory.run(query, {}, { caller: badToken });
      expect(answer, query).toMatchObject({ status: 401, data: undefined });
      expect(codesOf(answer), query).toEqual(['UNAUTHENTICATED']);
    }
    expect(laboratory.calls).toEqual([]);
  });

  test('a query answers what is allowed beside what is not', async () => {
    const answer = await laboratory.run('{ open admin operator }', {}, { caller: operator });
    expect(answer).toMatchObject({ status: 200, data: { open: 1, admin: null, operator: 1 } });
    expect(answer.errors).toMatchObject([{ path: ['admin'], extensions: { code: 'FORBIDDEN' } }]);
    expect(laboratory.calls).toEqual(['open', 'operator']);
  });

  test('a query that is refused in all its fields is refused as a whole', async () => {
    expect(await laboratory.run('{ admin operator }')).toMatchObject({ status: 401, data: undefined });
    expect(await laboratory.run('{ admin other: admin }', {}, { caller: viewer })).toMatchObject({ status: 403 });
  });

  test('a refusal beside a field that is truly null is not one of the whole request', async () => {
    const answer = await laboratory.run('{ nothing admin }', {}, { caller: viewer });
    expect(answer).toMatchObject({ status: 200, data: { nothing: null, admin: null } });
  });

  test('only refusals that time heals have Retry-After', async () => {
    for (const [caller, status] of [[undefined, 401] as const, [viewer, 403] as const]) {
      const answer = await laboratory.run('{ admin }', {}, { caller });
      expect(answer.status).toBe(status);
      expect(answer.headers.has('retry-after')).toBe(false);
    }
    await laboratory.run('{ perAddress }');
    const limited = await laboratory.run('{ perAddress }');
    expect(limited).toMatchObject({ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
    const { retryAfterSeconds } = limited.errors?.[0]?.extensions ?? {};
    expect(retryAfterSeconds).toBeGreaterThan(0);
    expect(limited.headers.get('retry-after')).toBe(String(retryAfterSeconds));
  });

  test('of several operations only the one that is asked for counts', async () => {
    const query = 'mutation A { openDo } mutation B { adminDo }';
    const contextValue = laboratory.contextOf();
    const { body } = await laboratory.server.executeOperation({ query, operationName: 'A' }, { contextValue });
    expect(body).toMatchObject({ singleResult: { data: { openDo: 1 } } });
    const refused = await laboratory.server.executeOperation(
      { query, operationName: 'B' },
      { contextValue: laboratory.contextOf() },
    );
    expect(refused.http.status).toBe(401);
    expect(laboratory.calls).toEqual(['openDo']);
  });

  test('a subscription is not served where it would not be guarded', async () => {
    const answer = await laboratory.run('subscription { ticks }');
    expect(codesOf(answer)).toEqual(['BAD_REQUEST']);
  });
});

describe('what @skip and @include leave out', () => {
  const skipping = 'mutation($s: Boolean!) { openDo adminDo @skip(if: $s) }';

  test('does not refuse a mutation, whatever the same document was asked for before', async () => {
    for (const s of [true, false, true]) {
      laboratory.calls.length = 0;
      const answer = await laboratory.run(skipping, { s }, { caller: viewer });
      expect(answer.status).toBe(s ? 200 : 403);
      expect(laboratory.calls).toEqual(s ? ['openDo'] : []);
    }
  });

  const cases: [query: string, variables: object, isAllowed: boolean][] = [
    ['mutation { openDo adminDo @skip(if: true) }', {}, true],
    ['mutation { openDo adminDo @skip(if: false) }', {}, false],
    ['mutation { openDo adminDo @include(if: false) }', {}, true],
    ['mutation { openDo adminDo @include(if: true) @skip(if: true) }', {}, true],
    ['mutation { openDo adminDo @include(if: true) @skip(if: false) }', {}, false],
    ['mutation($s: Boolean = true) { openDo adminDo @skip(if: $s) }', {}, true],
    ['mutation($s: Boolean = true) { openDo adminDo @skip(if: $s) }', { s: false }, false],
    ['mutation($s: Boolean! = false) { openDo adminDo @include(if: $s) }', {}, true],
    ['mutation($s: Boolean! = false) { openDo adminDo @include(if: $s) }', { s: true }, false],
    ['mutation { openDo ... @skip(if: true) { adminDo } }', {}, true],
    ['mutation { openDo ... on Mutation @include(if: true) { adminDo } }', {}, false],
    ['mutation { openDo ...F @skip(if: true) } fragment F on Mutation { adminDo }', {}, true],
    ['mutation { openDo ...F @skip(if: false) } fragment F on Mutation { adminDo }', {}, false],
    ['mutation { openDo ...F @skip(if: true) ...F } fragment F on Mutation { adminDo }', {}, false],
    ['mutation { openDo ...F ...F @skip(if: true) } fragment F on Mutation { adminDo }', {}, false],
    [
      'mutation($s: Boolean!) { ...G ...F @skip(if: $s) } fragment F on Mutation { ...G } fragment G on Mutation { openDo ...H @include(if: $s) } fragment H on Mutation { adminDo }',
      { s: false },
      true,
    ],
    [
      'mutation($s: Boolean!) { ...G ...F @skip(if: $s) } fragment F on Mutation { ...G } fragment G on Mutation { openDo ...H @include(if: $s) } fragment H on Mutation { adminDo }',
      { s: true },
      false,
    ],
    [
      'mutation { openDo deepDo { ...F } deepDo { ...F @skip(if: true) } } fragment F on Deep { admin @include(if: false) value }',
      {},
      true,
    ],
    [
      'mutation { openDo deepDo { ...F @skip(if: true) } deepDo { deep { ...F } } } fragment F on Deep { admin }',
      {},
      false,
    ],
  ];
  test.each(cases)('%s with %o', async (query, variables, isAllowed) => {
    const answer = await laboratory.run(query, variables, { caller: viewer });
    expect(codesOf(answer)).toEqual(isAllowed ? [] : ['FORBIDDEN']);
    expect(laboratory.calls.includes('openDo')).toBe(isAllowed);
    expect(laboratory.calls).not.toContain('adminDo');
  });

  test('is not left out by a null or by a text', async () => {
    const query = 'mutation($s: Boolean = true) { openDo adminDo @skip(if: $s) }';
    for (const s of [null, 'true', 1]) {
      const answer = await laboratory.run(query, { s }, { caller: viewer });
      expect(answer.errors, String(s)).toBeDefined();
    }
    expect(laboratory.calls).toEqual([]);
  });
});

describe('a resolver of two steps', () => {
  const lastOutcome = async () => (await rowsOf('lab.prepared'))[0]?.outcome;

  test('prepares before the transaction, and only the rest runs inside', async () => {
    expect((await laboratory.run('mutation { preparedDo }')).data).toEqual({ preparedDo: 1 });
    expect(laboratory.calls).toEqual(['prepared outside', 'ran inside']);
    expect(await lastOutcome()).toBe('SUCCEEDED');
  });

  test('does nothing where a limit refuses', async () => {
    await laboratory.run('mutation { preparedDo }');
    await laboratory.run('mutation { preparedDo }');
    laboratory.calls.length = 0;
    expect(codesOf(await laboratory.run('mutation { preparedDo }'))).toEqual(['RATE_LIMITED']);
    expect(laboratory.calls).toEqual([]);
  });

  test.each([
    ['before', ['prepared outside']],
    ['inside', ['prepared outside', 'ran inside']],
  ])('that fails %s is a refusal in the audit log', async (fails, calls) => {
    const answer = await laboratory.run('mutation($fails: String) { preparedDo(fails: $fails) }', { fails });
    expect([codesOf(answer), laboratory.calls]).toEqual([['UNAUTHENTICATED'], calls]);
    expect(await lastOutcome()).toBe('REFUSED');
  });

  test('does both without a transaction where nothing is audited, and where it is called directly', async () => {
    expect((await laboratory.run('mutation { preparedUnaudited }')).data).toEqual({ preparedUnaudited: 1 });
    expect(laboratory.calls).toEqual(['unaudited true']);
    const double = prepared(
      async (_parent: unknown, { n }: { n: number }, _ctx) =>
        async () =>
          2 * n,
    );
    expect(await double(null, { n: 4 }, laboratory.contextOf(), {} as GraphQLResolveInfo)).toBe(8);
  });
});

describe('a rate limit', () => {
  test('counts every alias, and runs all of them or none', async () => {
    const refused = await laboratory.run('{ a: counted b: counted c: counted d: counted }');
    expect([refused.status, codesOf(refused), laboratory.calls]).toEqual([429, ['RATE_LIMITED'], []]);
    expect((await laboratory.run('{ a: counted b: counted c: counted }')).errors).toBeUndefined();
    expect(codesOf(await laboratory.run('{ a: counted }'))).toEqual(['RATE_LIMITED']);
    expect(laboratory.calls).toHaveLength(3);
  });

  test('counts once what the answer holds once', async () => {
    await laboratory.run('{ counted counted ...F } fragment F on Query { counted }');
    const { errors } = await laboratory.run('{ a: counted b: counted }');
    expect(errors).toBeUndefined();
  });

  test('lets exactly its maximum through, however many come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => laboratory.run('{ counted }')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(97);
    expect(laboratory.calls).toHaveLength(3);
  });

  test('does not count callers whom auth refuses', async () => {
    const visit = { caller: viewer };
    for (let i = 0; i < 5; i++) await laboratory.run('{ countedForOperators open }', {}, visit);
    const promoted = { caller: { ...viewer, roles: ['OPERATOR'] } };
    const answers = [1, 2, 3].map(() => laboratory.run('{ countedForOperators }', {}, promoted));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 429]);
  });

  test('counts each address apart, and all credentials behind it together', async () => {
    const statusFrom = async (ip: string, caller = viewer) =>
      (await laboratory.run('{ perAddress }', {}, { ip, caller })).status;
    expect(await statusFrom('192.0.2.7')).toBe(200);
    expect(await statusFrom('192.0.2.7', operator)).toBe(429);
    expect(await statusFrom('192.0.2.8')).toBe(200);
  });

  test('counts each caller apart wherever it is, and strangers by address', async () => {
    const statusOf = async (ip: string, caller?: typeof viewer) =>
      (await laboratory.run('{ perCaller }', {}, { ip, caller })).status;
    expect(await statusOf('192.0.2.7', viewer)).toBe(200);
    expect(await statusOf('192.0.2.8', { ...viewer, credential: 'API_KEY' })).toBe(429);
    expect(await statusOf('192.0.2.7', operator)).toBe(200);
    expect(await statusOf('192.0.2.7')).toBe(200);
    expect(await statusOf('192.0.2.7')).toBe(429);
    expect(await statusOf('192.0.2.8')).toBe(200);
  });

  const collisions: [string, string, string][] = [
    ['texts that join to the same', 'forEveryone(a: "a", b: "bc")', 'forEveryone(a: "ab", b: "c")'],
    ['texts with separators', 'forEveryone(a: "a|1:b", b: "c")', 'forEveryone(a: "a", b: "b|1:c")'],
    ['values in another order', 'forEveryone(a: "a", b: "b")', 'forEveryone(a: "b", b: "a")'],
    ['one value in another place', 'forEveryone(a: "a")', 'forEveryone(b: "a")'],
    ['lists that join to the same', 'forLists(a: ["x"], b: ["y", "z"])', 'forLists(a: ["x", "y"], b: ["z"])'],
    ['fields of one name in two types', 'left { name }', 'right { name }'],
  ];
  test.each(collisions)('does not mistake %s', async (_name, one, other) => {
    expect((await laboratory.run(`{ ${one} }`)).errors).toBeUndefined();
    expect((await laboratory.run(`{ ${other} }`)).errors).toBeUndefined();
    for (const again of [one, other]) expect(codesOf(await laboratory.run(`{ ${again} }`))).toEqual(['RATE_LIMITED']);
  });

  const equals: [string, string, string][] = [
    ['case and space', 'forEveryone(a: "Ann@Example.com", b: "")', 'forEveryone(a: " ann@example.COM", b: "")'],
    ['compatible letters', 'forEveryone(a: "ｆｕｌｌ")', 'forEveryone(a: "full")'],
  ];
  test.each(equals)('is not got around by %s', async (_name, one, other) => {
    expect((await laboratory.run(`{ ${one} }`)).errors).toBeUndefined();
    expect(codesOf(await laboratory.run(`{ ${other} }`))).toEqual(['RATE_LIMITED']);
  });

  test('is not got around by long values, nor are those mixed up', async () => {
    const long = 'x'.repeat(100_000);
    const ask = async (a: string) => codesOf(await laboratory.run('query($a: String) { forEveryone(a: $a) }', { a }));
    expect(await ask(`${long}a`)).toEqual([]);
    expect(await ask(`${long}b`)).toEqual([]);
    expect(await ask(`${long}a`)).toEqual(['RATE_LIMITED']);
  });

  test('has a count of its own beside another of the same field and window', async () => {
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push((await laboratory.run('{ twoLimits }')).status);
    expect(answers).toEqual([200, 200, 200, 200, 429]);
  });

  describe('of failed attempts', () => {
    const ask = async (code: string | null, field = 'tried', ip?: string) =>
      codesOf(await laboratory.run(`query($code: String) { ${field}(code: $code) }`, { code }, ip ? { ip } : {}));

    test.each([null, ...Object.keys(failures).filter((code) => code !== 'UNAUTHENTICATED')])(
      'gives the place of a call back that ends with %s',
      async (code) => {
        for (let i = 0; i < 5; i++) expect(await ask(code)).toEqual(code === null ? [] : [code]);
        for (let i = 0; i < 2; i++) expect(await ask('UNAUTHENTICATED')).toEqual(['UNAUTHENTICATED']);
        expect(await ask(null)).toEqual(['RATE_LIMITED']);
      },
    );

    test('goes on counting after a success', async () => {
      const codes = [];
      for (const code of ['UNAUTHENTICATED', null, 'UNAUTHENTICATED', null]) codes.push(...(await ask(code)));
      expect(codes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'RATE_LIMITED']);
    });

    test('gives the place of a call back that a later limit refuses', async () => {
      expect(await ask('UNAUTHENTICATED', 'triedTwice', '192.0.2.1')).toEqual(['UNAUTHENTICATED']);
      for (let i = 0; i < 5; i++) expect(await ask(null, 'triedTwice', '192.0.2.2')).toEqual(['RATE_LIMITED']);
      const limit = { subject: '192.0.2.2', key: 'Query.triedTwice', max: 2, windowMs: 60_000 };
      const { states } = await laboratory.counters.reserve([{ limit, units: 0 }]);
      expect(states).toEqual([{ remaining: 2, resetMs: 0 }]);
    });
  });

  test('that cannot be asked refuses the call, and the resolver does not run', async () => {
    laboratory.counters = {
      reserve: () => Promise.reject(new Error('ECONNREFUSED 10.0.0.1:6379')),
      close: async () => undefined,
    };
    const answer = await laboratory.run('{ counted }');
    expect(answer).toMatchObject({ status: 503 });
    expect(codesOf(answer)).toEqual(['DEPENDENCY_UNAVAILABLE']);
    expect(JSON.stringify(answer)).not.toContain('10.0.0.1');
    expect(laboratory.calls).toEqual([]);
  });

  test('of a subscription counts the opening and not the events', async () => {
    const { errors, isOpened } = await laboratory.firstEvent('subscription { ticks }');
    expect({ errors, isOpened }).toEqual({ errors: undefined, isOpened: true });
    expect((await laboratory.firstEvent('subscription { ticks }')).isOpened).toBe(true);
    const third = await laboratory.firstEvent('subscription { ticks }');
    expect(third.isOpened).toBe(false);
    expect(third.errors?.[0]?.extensions.code).toBe('RATE_LIMITED');
  });
});

describe('a stream', () => {
  test('shows each event to its owner alone', async () => {
    const { subscribe, parse } = await import('graphql');
    const stream = await subscribe({
      schema: laboratory.schema,
      document: parse('subscription { notes { text } }'),
      contextValue: laboratory.contextOf({ caller: operator }),
    });
    if (!(Symbol.asyncIterator in stream)) throw new Error('No stream was opened.');
    const events = [];
    for await (const { data, errors } of stream) events.push(errors?.[0]?.extensions.code ?? data?.notes);
    expect(events).toEqual([{ text: `to ${operator.ownId}` }, 'NOT_FOUND', { text: `to ${operator.ownId}` }]);
  });
});

describe('an audited mutation', () => {
  test("whose result is not the caller's is undone", async () => {
    const refused = await laboratory.run('mutation { writeNote(to: "another") { text } }', {}, { caller: viewer });
    expect(codesOf(refused)).toEqual(['NOT_FOUND']);
    expect(laboratory.calls).toEqual(['writeNote']);
    expect(await laboratory.database.db.select().from(agents).where(sql`id = 'agent-another'`)).toEqual([]);
    expect(await rowsOf('lab.note')).toEqual([]);
    const to = viewer.ownId;
    const query = 'mutation($to: ID!) { writeNote(to: $to) { text } }';
    expect((await laboratory.run(query, { to }, { caller: viewer })).data).toEqual({ writeNote: { text: 'noted' } });
    expect(await rowsOf('lab.note')).toMatchObject([
      {
        outcome: 'SUCCEEDED',
        actorKind: 'USER',
        actorId: viewer.ownId,
        targets: [{ type: 'agent', id: to }],
        detail: null,
      },
    ]);
  });

  test('has its effects after the commit, and one that fails does not change the answer', async () => {
    const answer = await laboratory.run('mutation { effectDo }');
    expect(answer).toMatchObject({ status: 200, data: { effectDo: 1 } });
    expect(laboratory.calls).toEqual(['effect beside true']);
    expect(laboratory.logged.join()).toContain('An effect after a committed change failed.');
    expect(await laboratory.database.db.select().from(agents).where(sql`id = 'agent-effect'`)).toHaveLength(1);
  });

  test('changes nothing, and has no effects, where its record cannot be written', async () => {
    const { db } = laboratory.database;
    await db.execute(sql`delete from agents where id = 'agent-effect'`);
    await db.execute(sql`alter table audit_events rename to away`);
    try {
      const answer = await laboratory.run('mutation { effectDo }');
      expect(answer).toMatchObject({ status: 503, data: { effectDo: null } });
      expect(codesOf(answer)).toEqual(['DEPENDENCY_UNAVAILABLE']);
    } finally {
      await db.execute(sql`alter table away rename to audit_events`);
    }
    expect(laboratory.calls).toEqual([]);
    expect(await db.select().from(agents).where(sql`id = 'agent-effect'`)).toEqual([]);
  });
});

describe('the record of a refusal', () => {
  const query =
    'mutation($password: String, $note: String, $json: JSONObject) { secretDo(password: $password, note: $note, json: $json) }';
  const lastRow = async () => (await rowsOf('lab.secret'))[0];

  test('has the redacted arguments, the code and the caller', async () => {
    await laboratory.run(query, { password: 'hunter2', note: 'let me in' }, { caller: viewer });
    expect(await lastRow()).toMatchObject({
      outcome: 'REFUSED',
      actorId: viewer.ownId,
      detail: { code: 'FORBIDDEN', arguments: { password: '[REDACTED]', note: 'let me in' } },
    });
  });

  test('is there once for a code and path, for strangers and for bad credentials too', async () => {
    const before = (await rowsOf('lab.secret')).length;
    await laboratory.run('mutation { secretDo secretDo ...F other: secretDo } fragment F on Mutation { secretDo }');
    expect(await rowsOf('lab.secret')).toHaveLength(before + 2);
    await laboratory.run('mutation { secretDo }', {}, { caller: badToken });
    expect(await rowsOf('lab.secret')).toHaveLength(before + 3);
    expect(await lastRow()).toMatchObject({ actorKind: 'ANONYMOUS', detail: { code: 'UNAUTHENTICATED' } });
  });

  const unkept: [string, object][] = [
    ['a long argument', { note: 'x'.repeat(100_000), password: 'hunter2' }],
    ['NUL', { note: 'a\0b', password: 'hunter2' }],
    ['a lone surrogate', { note: 'a\ud800b', password: 'hunter2' }],
    ['NUL within JSON', { json: { deep: ['a\0b'] }, password: 'hunter2' }],
    ['arguments of the wrong kind, where redaction would miss', { password: { plain: 'hunter2' } }],
  ];
  test.each(unkept)('is written without the arguments where they hold %s', async (_name, variables) => {
    const before = (await rowsOf('lab.secret')).length;
    await laboratory.run(query, variables, { caller: badToken });
    expect(laboratory.logged).toEqual([]);
    expect(await rowsOf('lab.secret')).toHaveLength(before + 1);
    const row = await lastRow();
    expect(row?.detail).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(JSON.stringify(row)).not.toContain('hunter2');
    expect(JSON.stringify(row).length).toBeLessThan(5000);
  });

  test('costs little, whatever comes with the bad credential', async () => {
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, i]));
    const many = Array.from({ length: 140 }, (_, i) => `a${i}: secretDo(note: $note, tags: $tags)`).join(' ');
    const aliased = `mutation($note: String, $tags: [Line!]) { ${many} }`;
    const tags = Array.from({ length: 1000 }, (_, i) => ({ text: `line ${i}` }));
    for (const variables of [{ note: wide, tags }, { tags }, { tags: [{ text: 'x', ...wide }] }]) {
      const { cpuMs, answer } = await measured(() => laboratory.run(aliased, variables, { caller: badToken }));
      expect(answer.status).toBe(401);
      expect(cpuMs).toBeLessThan(100);
    }
  });

  test('is not written for a stranger at a field that is not audited', async () => {
    const before = (await rowsOf('access.refuse')).length;
    await laboratory.run('{ admin open }');
    expect(await rowsOf('access.refuse')).toHaveLength(before);
    await laboratory.run('{ admin open }', {}, { caller: viewer });
    expect((await rowsOf('access.refuse'))[0]).toMatchObject({
      outcome: 'REFUSED',
      targets: [{ type: 'field', id: 'Query.admin' }],
      detail: { code: 'FORBIDDEN' },
    });
  });
});

describe('a document', () => {
  const nest = (depth: number) => `${'deep { '.repeat(depth - 1)}value${' }'.repeat(depth - 1)}`;
  const aliases = (count: number) => Array.from({ length: count }, (_, i) => `a${i}: open`).join(' ');

  const cases: [string, string, string[]][] = [
    ['of depth 10', `{ ${nest(10)} }`, []],
    ['of depth 11', `{ ${nest(11)} }`, ['OPERATION_TOO_DEEP']],
    [
      'of depth 11 in inline fragments',
      `{ ... { ${nest(11).replaceAll('{', '{ ... on Deep {').replaceAll('}', '} }')} } }`,
      ['OPERATION_TOO_DEEP'],
    ],
    [
      'of depth 11 by fragments',
      `{ deep { deep { deep { deep { deep { deep { ...F } } } } } } } fragment F on Deep { ${nest(5)} }`,
      ['OPERATION_TOO_DEEP'],
    ],
    ['of 15 aliases', `{ ${aliases(15)} }`, []],
    ['of 16 aliases', `{ ${aliases(16)} }`, ['TOO_MANY_ALIASES']],
    ['of 100 aliases', `{ ${aliases(100)} }`, ['TOO_MANY_ALIASES']],
    [
      'of 16 aliases by a fragment that is spread twice',
      '{ deep { ...F } d: deep { ...F deep { value } } } fragment F on Deep { a: value b: value c: value d: value e: value f: value g: value h: value }',
      ['TOO_MANY_ALIASES'],
    ],
    ['of 16 aliases of __typename', `{ ${aliases(16).replaceAll('open', '__typename')} }`, ['TOO_MANY_ALIASES']],
    ['of more than 2000 tokens', `{ ${'open '.repeat(2001)} }`, ['GRAPHQL_PARSE_FAILED']],
    ['with a field that does not exist', '{ passwords }', ['GRAPHQL_VALIDATION_FAILED']],
    ['with NUL in a literal', '{ echo(text: "a\\u0000b") }', ['BAD_USER_INPUT']],
    ['with NUL in a literal of a default', 'query($t: String = "\\u0000") { echo(text: $t) }', ['BAD_USER_INPUT']],
    ['with NUL in a literal below an input', '{ echo(input: { name: "n", tags: ["\\u0000"] }) }', ['BAD_USER_INPUT']],
    ['with NUL in a literal of JSON', '{ echo(json: { a: "\\u0000" }) }', ['BAD_USER_INPUT']],
    ['with a lone surrogate in a literal', '{ echo(text: "\\ud800") }', ['GRAPHQL_PARSE_FAILED']],
  ];
  test.each(cases)('%s', async (_name, query, codes) => {
    const answer = await laboratory.run(query);
    expect(codesOf(answer)).toEqual(codes);
    expect(answer.status).toBe(codes.length > 0 ? 400 : 200);
  });

  test('of the usual introspection is answered', async () => {
    const answer = await laboratory.run(getIntrospectionQuery({ inputValueDeprecation: true }));
    expect(answer.errors).toBeUndefined();
    expect(answer.data.__schema.types.length).toBeGreaterThan(20);
  });

  const doubling = (levels: number, body: (next: string) => string) =>
    `{ deep { ...F0 } } ${Array.from({ length: levels }, (_, i) => `fragment F${i} on Deep { ${i + 1 < levels ? body(`...F${i + 1}`) : 'value'} }`).join(' ')}`;
  const exponential: [string, string, string[]][] = [
    ['spreads', doubling(150, (next) => `${next} ${next}`), ['OPERATION_TOO_DEEP']],
    ['spreads, less deep', doubling(35, (next) => `${next} ${next}`), ['GRAPHQL_VALIDATION_FAILED']],
    ['spreads with fields', doubling(12, (next) => `${next} value ${next}`), ['GRAPHQL_VALIDATION_FAILED']],
    ['aliases', doubling(80, (next) => `a: deep { ${next} } b: deep { ${next} }`), ['OPERATION_TOO_DEEP']],
    ['aliases, less deep', doubling(9, (next) => `a: deep { ${next} } b: deep { ${next} }`), ['TOO_MANY_ALIASES']],
  ];
  test.each(exponential)('that doubles with each fragment is answered at once: %s', async (_name, query, codes) => {
    const { ms, answer } = await measured(() => laboratory.run(query));
    expect(codesOf(answer)).toEqual(codes);
    expect(ms).toBeLessThan(1000);
  });
});

describe('variables', () => {
  const query =
    'query($text: String, $texts: [String], $input: In, $inputs: [In!], $n: Int) { echo(text: $text, texts: $texts, input: $input, inputs: $inputs, n: $n) }';
  const problemsFor = async (variables: object) => {
    const { errors, status } = await laboratory.run(query, variables);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    expect(status).toBe(400);
    return errors?.[0]?.extensions.problems as { field: string; message: string }[];
  };
  const unknownFields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, i]));

  const unstorable: [string, object, string][] = [
    ['NUL', { text: 'a\0' }, 'text'],
    ['a lone surrogate', { text: '\ud800' }, 'text'],
    ['NUL in a list', { texts: ['fine', 'a\0'] }, 'texts.1'],
    ['NUL where a list of one is meant', { texts: 'a\0' }, 'texts'],
    ['NUL in an input', { input: { name: 'n', tags: ['\0'] } }, 'input.tags.0'],
    [
      'a lone surrogate deep down',
      { inputs: [{ name: 'n' }, { name: 'n', inner: { name: '\udc00' } }] },
      'inputs.1.inner.name',
    ],
  ];
  test.each(unstorable)('with %s are refused at their place', async (_name, variables, field) => {
    expect(await problemsFor(variables)).toEqual([{ field, message: expect.stringMatching(/NUL/) }]);
  });

  test('with problems have all of them named at once, and no value repeated', async () => {
    const secret = 'my secret value';
    const problems = await problemsFor({
      n: secret,
      texts: [1, 'fine', { secret }],
      input: { count: secret, kind: secret, tags: [null], extra: secret, inner: { name: 5 } },
    });
    expect(problems.map(({ field }) => field).sort()).toEqual(
      [
        'n',
        'texts.0',
        'texts.2',
        'input.name',
        'input.extra',
        'input.count',
        'input.kind',
        'input.tags.0',
        'input.inner.name',
      ].sort(),
    );
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  test('that are missing or null where they are needed are named', async () => {
    const needed = 'query($n: Int!, $m: Int!) { a: required(n: $n) b: required(n: $m) }';
    const { errors } = await laboratory.run(needed, { n: null });
    expect(errors?.[0]?.extensions.problems).toEqual([
      { field: 'n', message: 'must not be null' },
      { field: 'm', message: 'is required' },
    ]);
  });

  test('named like members of every object are named too', async () => {
    const needed = 'query($constructor: Int!) { required(n: $constructor) }';
    const { errors } = await laboratory.run(needed);
    expect(errors?.[0]?.extensions.problems).toEqual([{ field: 'constructor', message: 'is required' }]);
  });

  test('that are null where the default covered for it fail at the field alone', async () => {
    const { errors, data } = await laboratory.run('query($n: Int = 1) { open required(n: $n) }', { n: null });
    expect(data).toEqual({ open: 1, required: null });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', problems: [{ field: 'n' }] } }]);
  });

  const wide: [string, object][] = [
    ['20,000 unknown fields', { input: { name: 'n', ...unknownFields(20_000) } }],
    ['20,000 unknown fields in a list', { inputs: [{ name: 'n', ...unknownFields(20_000) }] }],
    [
      '1,000 elements of 10 unknown fields',
      { inputs: Array.from({ length: 1000 }, () => ({ name: 'n', ...unknownFields(10) })) },
    ],
    ['20,000 elements', { texts: Array.from({ length: 20_000 }, () => 1) }],
    ['20,000 elements where one is meant', { input: Array.from({ length: 20_000 }, () => 1) }],
    ['20,000 fields where a text is meant', { text: unknownFields(20_000) }],
    ['1,000 wrong elements', { texts: Array.from({ length: 1000 }, () => ({ a: 1 })) }],
    [
      '50 unknown fields with long names',
      {
        inputs: Array.from({ length: 10 }, (_, i) => ({
          name: 'n',
          ...Object.fromEntries(Array.from({ length: 5 }, (_, k) => [`${i}${k}${'x'.repeat(4000)}`, 1])),
        })),
      },
    ],
  ];
  test.each(wide)('of %s are refused at once, in a short answer', async (_name, variables) => {
    const { cpuMs, answer } = await measured(() => laboratory.run(query, variables));
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(cpuMs).toBeLessThan(50);
    expect(JSON.stringify(answer).length).toBeLessThan(25_000);
  });

  test('that the operation does not know are ignored, however many', async () => {
    const { cpuMs, answer } = await measured(() => laboratory.run('{ open }', unknownFields(20_000)));
    expect(answer.status).toBe(200);
    expect(cpuMs).toBeLessThan(50);
  });
});

describe('errors', () => {
  test('that nobody foresaw are masked, with the id of the request', async () => {
    const { errors, data } = await laboratory.run('{ open breaks }');
    expect(data).toEqual({ open: 1, breaks: null });
    expect(errors).toEqual([
      {
        message: 'Internal server error.',
        path: ['breaks'],
        locations: [{ line: 1, column: 8 }],
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    ]);
    expect(laboratory.logged.join()).toContain('A request failed.');
  });
});

describe('bodies over 256 KiB', () => {
  test('are refused', async () => {
    const answer = await laboratory.run('{ open }', {}, { caller: admin, bodyBytes: 256 * 1024 + 1 });
    expect(answer).toMatchObject({ status: 413, errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    expect((await laboratory.run('{ open }', {}, { bodyBytes: 256 * 1024 })).status).toBe(200);
  });
});

test('a field without policy keeps the default resolver of graphql-js', () => {
  const wrapped: string[] = [];
  for (const type of Object.values(laboratory.schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()))
      if (field.resolve || field.subscribe) wrapped.push(`${type.name}.${field.name}`);
  }
  expect(wrapped.sort()).toEqual([...laboratory.policy.keys()].sort());
  expect(wrapped).toContain('Left.name');
  expect(wrapped).not.toContain('Deep.value');
});

test('a policy that no field answers to stops start-up', () => {
  const [found] = laboratory.guards.values();
  if (!found) throw new Error('The laboratory has no policy.');
  for (const coordinate of ['Query.ghost', 'Ghost.open', 'In.name']) {
    const guards = new Map([...laboratory.guards, [coordinate, found]]);
    expect(() => enforcePolicy(laboratory.schema, guards)).toThrow(`The policy of ${coordinate} is not enforced.`);
  }
});

/** The cheapest of three runs: the first pays for the compilers, and any may pay for the memory of others. */
async function measured(run: () => Promise<LabAnswer>) {
  const runs = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    const before = process.cpuUsage();
    const answer = await run();
    const { user, system } = process.cpuUsage(before);
    runs.push({ answer, ms: performance.now() - start, cpuMs: (user + system) / 1000 });
  }
  const [cheapest] = runs.sort((a, b) => a.cpuMs - b.cpuMs);
  if (!cheapest) throw new Error('Nothing was run.');
  return cheapest;
}
