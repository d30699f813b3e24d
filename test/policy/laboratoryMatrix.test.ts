import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CallerFacts, Expectations } from './expectation.ts';
import { anonymous, callerFacts, type Laboratory, openLaboratory } from './laboratory.ts';
import {
  announce,
  type Cell,
  type CellAnswer,
  cellsOf,
  differences,
  type Route,
  rootRoute,
  type Target,
} from './matrix.ts';

const reading = ['tasks:read', 'telemetry:read'];
const writing = [...reading, 'tasks:write'];
const everything = [...writing, 'users:read', 'audit:read'];

const callers: CallerFacts[] = [
  anonymous,
  callerFacts('VIEWER', 'SESSION', ['VIEWER'], reading),
  callerFacts('OPERATOR', 'SESSION', ['OPERATOR'], writing),
  callerFacts('ADMIN', 'SESSION', ['ADMIN'], everything),
  callerFacts('ADMIN token', 'ACCESS_TOKEN', ['ADMIN'], everything),
  callerFacts('ADMIN key', 'API_KEY', ['ADMIN'], everything),
  callerFacts('AGENT key', 'API_KEY', ['AGENT'], reading),
  callerFacts('OPERATOR key', 'API_KEY', ['OPERATOR'], writing),
  callerFacts('key without the scope', 'API_KEY', ['ADMIN'], ['incidents:write']),
  callerFacts('key of half the scopes', 'API_KEY', ['ADMIN'], ['tasks:write', 'telemetry:read']),
  callerFacts('bad token', 'BAD'),
];

/** What Nexus's own schema does not have: interfaces, unions, rules of types, subscriptions, several rules at once. */
const sdl = `
  interface Node @auth(roles: [VIEWER]) {
    id: ID!
    secret: String @auth(roles: [OPERATOR])
  }
  type Doc implements Node {
    id: ID!
    secret: String
    ownerId: ID
    readers: [Reader!]! @listSize(assumedSize: 9)
    note: String @auth(roles: [ADMIN], owner: ["parent.ownerId"])
    board: String @auth(owner: ["parent.readers.id"])
    vault: Vault
    related: [Thing!] @listSize(assumedSize: 9)
  }
  type Reader { id: ID! }
  type Vault implements Node @auth(scopes: [["tasks:read", "tasks:write"], ["users:read"]]) {
    id: ID!
    secret: String @auth(credentials: [SESSION, ACCESS_TOKEN])
    gold: Int @auth(credentials: [SESSION])
  }
  type Plain { text: String hint: String @auth(roles: [VIEWER, AGENT]) thing: Thing }
  union Thing = Doc | Plain
  union Treasure = Vault | Plain

  interface Item { id: ID! price: Int @auth(roles: [OPERATOR, AGENT]) }
  interface Ware implements Item { id: ID! price: Int @auth(scopes: [["tasks:read"]]) }
  type Book implements Item & Ware { id: ID! price: Int }
  type Pen implements Item { id: ID! price: Int @auth(scopes: [["audit:read"]]) }
  union Stock = Book | Pen

  type Letter { to: ID from: Reader text: String }
  input Lines { lines: [Line!]! }
  input Line { ownerId: ID! }

  extend type Query {
    open: String @public
    bare: Int @auth
    anyRole: Int @auth(roles: [VIEWER, AGENT])
    anyCaller: Int @auth(scopes: [["tasks:read", "tasks:write"], ["audit:read"]])
    withSession: Int @auth(credentials: [SESSION])
    allThree: Int @auth(roles: [OPERATOR, AGENT], scopes: [["tasks:read"]], credentials: [API_KEY])
    node(id: ID!): Node @auth(roles: [VIEWER, AGENT])
    nodes: [Node!] @auth(roles: [VIEWER]) @listSize(assumedSize: 9)
    doc: Doc @auth(roles: [VIEWER])
    docs: [[Doc]!] @auth(roles: [OPERATOR]) @listSize(assumedSize: 3)
    vault: Vault @auth(roles: [VIEWER, AGENT])
    thing: Thing @auth(roles: [VIEWER, AGENT])
    treasures: [Treasure!] @auth(roles: [AGENT, VIEWER]) @listSize(assumedSize: 9)
    plain: Plain @public
    item(id: ID!): Item @auth(roles: [VIEWER, AGENT])
    items: [Item!] @auth(roles: [VIEWER, AGENT]) @listSize(assumedSize: 9)
    stock: [Stock!] @public @listSize(assumedSize: 9)
    mine(ownerId: ID!): Int @auth(roles: [ADMIN], owner: ["args.ownerId"])
    mineAll(ids: [ID!]!): Int @auth(roles: [ADMIN], owner: ["args.ids"])
    mineWithin(input: Lines!): Int @auth(roles: [ADMIN], owner: ["args.input.lines.ownerId"], scopes: [["tasks:read"]])
    letter: Letter @auth(roles: [ADMIN], owner: ["result.to", "result.from.id"])
    letterTo(to: ID): Letter @auth(owner: ["args.to", "result.to"])
    noLetter: Letter @auth(owner: ["result.to"])
    letters: [Letter!] @auth(roles: [ADMIN], owner: ["result.to"]) @listSize(assumedSize: 9)
  }
  extend type Mutation {
    openDo: Int @public @audit(action: "lab.open", level: NONE)
    adminDo: Int @auth @audit(action: "lab.admin", level: NONE)
    sessionDo: Int @auth(credentials: [SESSION]) @audit(action: "lab.session", level: NONE)
    mineDo(ownerId: ID!): Int @auth(roles: [ADMIN], owner: ["args.ownerId"]) @audit(action: "lab.mine", level: NONE)
    letterDo: Letter @auth(roles: [ADMIN], owner: ["result.to"]) @audit(action: "lab.letter")
    makeDoc: Doc @auth(roles: [OPERATOR]) @audit(action: "lab.doc", level: NONE)
    makeItem: Item @auth(roles: [VIEWER, AGENT]) @audit(action: "lab.item", level: NONE)
    makeStock: Stock @public @audit(action: "lab.stock", level: NONE)
  }
  type Subscription {
    openTick: Int @public
    agentTick: Int @auth(roles: [AGENT], credentials: [API_KEY])
    docChanged: Doc @auth(roles: [VIEWER])
    itemSold: Item @public
    mineCame(ownerId: ID!): Int @auth(roles: [ADMIN], owner: ["args.ownerId"])
    letterCame: Letter @auth(roles: [ADMIN], owner: ["result.to"])
  }
`;

const agentId = 'own id of AGENT key';
const viewerId = 'own id of VIEWER';

const vault = { __typename: 'Vault', id: 'vault', secret: 'opens', gold: 7 };
const plain = { __typename: 'Plain', text: 'plain', hint: 'hint', thing: { __typename: 'Plain', hint: 'deeper' } };
const doc = {
  __typename: 'Doc',
  id: 'doc',
  secret: 'hidden',
  ownerId: viewerId,
  readers: [{ id: viewerId }, { id: viewerId }],
  note: 'note',
  board: 'board',
  vault,
  related: [plain],
};
const sharedDoc = { ...doc, ownerId: agentId, readers: [{ id: viewerId }, { id: agentId }] };
const book = { __typename: 'Book', id: 'book', price: 10 };
const pen = { __typename: 'Pen', id: 'pen', price: 2 };
const letter = { to: agentId, from: { id: viewerId }, text: 'dear' };
const mixedLetters = [letter, { ...letter, to: viewerId }];

async function* once(calls: string[], event: object) {
  calls.push('stream');
  yield event;
}

function resolversOf(calls: string[]) {
  const called = (name: string, value: unknown) => () => {
    calls.push(name);
    return value;
  };
  const stream = (event: object) => ({ subscribe: () => once(calls, event) });
  const { Query, Mutation, Subscription } = {
    Query: {
      open: 'open',
      bare: 1,
      anyRole: 1,
      anyCaller: 1,
      withSession: 1,
      allThree: 1,
      nodes: [doc, vault],
      doc,
      docs: [[doc]],
      vault,
      thing: doc,
      treasures: [vault, plain],
      plain,
      items: [book, pen],
      stock: [book, pen],
      mine: 1,
      mineAll: 1,
      mineWithin: 1,
      letter,
      letterTo: letter,
      noLetter: null,
      letters: mixedLetters,
    },
    Mutation: {
      openDo: 1,
      adminDo: 1,
      sessionDo: 1,
      mineDo: 1,
      letterDo: letter,
      makeDoc: doc,
      makeItem: book,
      makeStock: book,
    },
    Subscription: {
      openTick: 1,
      agentTick: 1,
      docChanged: doc,
      itemSold: book,
      mineCame: 1,
      letterCame: letter,
    },
  };
  const all = (values: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, called(name, value)]));
  return {
    Query: {
      ...all(Query),
      node: (_parent: unknown, { id }: { id: string }) => (id === 'vault' ? vault : doc),
      item: (_parent: unknown, { id }: { id: string }) => (id === 'pen' ? pen : book),
    },
    Mutation: all(Mutation),
    Subscription: {
      ...Object.fromEntries(Object.entries(Subscription).map(([name, value]) => [name, stream({ [name]: value })])),
      // With a resolver of its own beside `subscribe`, as graphql-shield overlooks it.
      docChanged: { ...stream({ changed: sharedDoc }), resolve: ({ changed }: { changed: unknown }) => changed },
    },
  };
}

/** How each root field is asked for, and what its owner paths find; the rest needs neither. */
const rootTargets: Record<string, Omit<Target, 'coordinate'>[]> = {
  'Query.node': [
    { label: 'a doc', field: 'node(id: "doc") { id }' },
    { label: 'a vault', field: 'node(id: "vault") { __typename }' },
  ],
  'Query.item': [
    { label: 'a book', field: 'item(id: "book") { id }' },
    { label: 'a pen', field: 'item(id: "pen") { id }' },
  ],
  'Query.mine': [
    { label: "the agent's", field: `mine(ownerId: "${agentId}")`, args: { ownerId: agentId } },
    { label: "a viewer's", field: `mine(ownerId: "${viewerId}")`, args: { ownerId: viewerId } },
  ],
  'Query.mineAll': [
    { label: "the agent's", field: `mineAll(ids: ["${agentId}", "${agentId}"])`, args: { ids: [agentId, agentId] } },
    { label: "somebody else's among them", field: `mineAll(ids: ["${agentId}", "x"])`, args: { ids: [agentId, 'x'] } },
    { label: 'one without a list', field: `mineAll(ids: "${viewerId}")`, args: { ids: [viewerId] } },
    { label: 'none', field: 'mineAll(ids: [])', args: { ids: [] } },
  ],
  'Query.mineWithin': [agentId, viewerId].map((ownerId) => ({
    label: ownerId,
    field: `mineWithin(input: { lines: [{ ownerId: "${ownerId}" }, { ownerId: "${agentId}" }] })`,
    args: { input: { lines: [{ ownerId }, { ownerId: agentId }] } },
  })),
  'Query.letter': [{ label: 'to the agent from a viewer', field: 'letter { text }', result: letter }],
  'Query.letterTo': [
    { label: 'without to', field: 'letterTo { text }', args: {}, result: letter },
    { label: 'to a viewer', field: `letterTo(to: "${viewerId}") { text }`, args: { to: viewerId }, result: letter },
  ],
  'Query.noLetter': [{ label: 'nothing', field: 'noLetter { text }', result: null }],
  'Query.letters': [{ label: 'mixed', field: 'letters { text }', result: mixedLetters }],
  'Mutation.mineDo': [
    { label: "the agent's", field: `mineDo(ownerId: "${agentId}")`, args: { ownerId: agentId } },
    { label: "a viewer's", field: `mineDo(ownerId: "${viewerId}")`, args: { ownerId: viewerId } },
  ],
  'Mutation.letterDo': [{ label: 'to the agent', field: 'letterDo { text }', result: letter }],
  'Subscription.mineCame': [
    { label: "the agent's", field: `mineCame(ownerId: "${agentId}")`, args: { ownerId: agentId } },
    { label: "a viewer's", field: `mineCame(ownerId: "${viewerId}")`, args: { ownerId: viewerId } },
  ],
  'Subscription.letterCame': [{ label: 'to the agent', field: 'letterCame { text }', result: letter }],
};
const objectFields = new Set(['nodes', 'doc', 'docs', 'vault', 'thing', 'treasures', 'plain', 'items', 'stock']);
objectFields.add('makeDoc').add('makeItem').add('makeStock').add('docChanged').add('itemSold');

/** A route through root fields without arguments, one inside the other; `hasField` is false where it ends at a union. */
function route(operation: Route['operation'], path: string, onType: string, label: string, hasField = true): Route {
  const [root = '', ...inner] = path.split('.');
  const rootType = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[operation];
  return {
    label,
    operation,
    onType,
    hasField,
    steps: [{ coordinate: `${rootType}.${root}` }],
    wrap: (selection) => [root, ...inner].reduceRight((text, part) => `{ ${part} ${text} }`, `{ ${selection} }`),
  };
}

const docRoutes: Route[] = [
  route('query', 'doc', 'Doc', 'nested'),
  route('query', 'docs', 'Doc', 'in lists of lists'),
  {
    ...route('query', 'node(id: "doc")', 'Node', 'through the interface', false),
    steps: [{ coordinate: 'Query.node' }],
  },
  route('query', 'nodes', 'Node', 'through a list of the interface', false),
  route('query', 'thing', 'Thing', 'through a union', false),
  route('mutation', 'makeDoc', 'Doc', 'in the answer of a mutation'),
];
const eventRoute = route('subscription', 'docChanged', 'Doc', 'in an event');
const sharedRoutes = docRoutes.map((one) =>
  one.onType === 'Node' ? { ...one, hasField: one.label === 'through the interface' } : one,
);

/** The fields that do not stand at the root. */
const nested: { target: Target; routes: Route[] }[] = [
  {
    target: { coordinate: 'Doc.secret', label: 'of the interface', field: 'secret' },
    routes: [...sharedRoutes, eventRoute],
  },
  { target: { coordinate: 'Doc.note', label: "a viewer's", field: 'note', parent: doc }, routes: docRoutes },
  { target: { coordinate: 'Doc.note', label: "the agent's", field: 'note', parent: sharedDoc }, routes: [eventRoute] },
  { target: { coordinate: 'Doc.board', label: 'read by a viewer', field: 'board', parent: doc }, routes: docRoutes },
  {
    target: { coordinate: 'Doc.board', label: 'read by two', field: 'board', parent: sharedDoc },
    routes: [eventRoute],
  },
  {
    target: { coordinate: 'Doc.vault', label: 'by its type', field: 'vault { id }' },
    routes: [...docRoutes, eventRoute],
  },
  {
    target: { coordinate: 'Doc.related', label: 'by the interface of a member', field: 'related { __typename }' },
    routes: docRoutes,
  },
  {
    target: { coordinate: 'Vault.secret', label: 'several rules', field: 'secret' },
    routes: [
      route('query', 'vault', 'Vault', 'nested'),
      {
        ...route('query', 'node(id: "vault")', 'Node', 'through the interface'),
        steps: [{ coordinate: 'Query.node' }],
      },
      route('query', 'treasures', 'Treasure', 'through a list of a union', false),
      {
        ...route('query', 'doc.vault', 'Vault', 'below an object'),
        steps: [{ coordinate: 'Query.doc' }, { coordinate: 'Doc.vault' }],
      },
      {
        ...route('mutation', 'makeDoc.vault', 'Vault', 'in the answer of a mutation'),
        steps: [{ coordinate: 'Mutation.makeDoc' }, { coordinate: 'Doc.vault' }],
      },
    ],
  },
  {
    target: { coordinate: 'Vault.gold', label: 'one rule', field: 'gold' },
    routes: [route('query', 'vault', 'Vault', 'nested')],
  },
  {
    target: { coordinate: 'Plain.hint', label: 'below a public field', field: 'hint' },
    routes: [
      route('query', 'plain', 'Plain', 'nested'),
      route('query', 'treasures', 'Treasure', 'through a list of a union', false),
    ],
  },
  {
    target: { coordinate: 'Plain.thing', label: 'a union', field: 'thing { __typename }' },
    routes: [route('query', 'plain', 'Plain', 'nested')],
  },
  ...['Book', 'Pen'].map((type) => ({
    target: { coordinate: `${type}.price`, label: 'of interfaces', field: 'price' },
    routes: [
      {
        ...route('query', `item(id: "${type.toLowerCase()}")`, 'Item', 'through the interface'),
        steps: [{ coordinate: 'Query.item' }],
      },
      route('query', 'stock', 'Stock', 'through a list of a union', false),
    ],
  })),
  {
    target: { coordinate: 'Book.price', label: 'of interfaces', field: 'price' },
    routes: [
      route('subscription', 'itemSold', 'Item', 'in an event'),
      route('mutation', 'makeStock', 'Stock', 'in the answer of a mutation, a union', false),
    ],
  },
];

let laboratory: Laboratory;
let expectations: Expectations;
let cells: Cell[];

beforeAll(async () => {
  laboratory = await openLaboratory(sdl, resolversOf);
  expectations = new Expectations(laboratory.documents);
  const roots = expectations.coordinates().filter((coordinate) => /^(Query|Mutation|Subscription)\./.test(coordinate));
  const targets = roots.flatMap((coordinate): Target[] => {
    const [, name = ''] = coordinate.split('.');
    const plainly = { label: 'plain', field: objectFields.has(name) ? `${name} { __typename }` : name };
    return (rootTargets[coordinate] ?? [plainly]).map((target) => ({ coordinate, ...target }));
  });
  const pairs = [...targets.map((target) => ({ target, routes: [rootRoute(target.coordinate)] })), ...nested];
  cells = pairs.flatMap(({ target, routes }) =>
    routes.flatMap((one) => callers.flatMap((caller) => cellsOf(expectations, target, one, caller))),
  );
});
afterAll(() => laboratory?.stop());

async function runCell({ operation, query, caller }: Cell): Promise<CellAnswer> {
  if (operation !== 'subscription') return laboratory.run(query, {}, { caller });
  const { data, errors, isOpened } = await laboratory.firstEvent(query, { caller });
  return { data, errors, status: isOpened ? 'stream' : 'no stream' };
}

test('every field of the table has cells', () => {
  const covered = new Set(cells.map(({ coordinate }) => coordinate));
  expect(expectations.coordinates().filter((coordinate) => !covered.has(coordinate))).toEqual([]);
});

test('every cell answers as the SDL says', async () => {
  // A bad credential is refused at the door, which a stream has of its own.
  const admitted = cells.filter(({ operation, caller }) => operation !== 'subscription' || caller.credential !== 'BAD');
  expect(await differences(admitted, runCell)).toEqual([]);
  announce(admitted.length, 'of the laboratory');
});

test('the wrappers alone answer the same, without any decision before execution', async () => {
  const wrapped = cells.filter(({ operation, caller }) => operation !== 'subscription' && caller.credential !== 'BAD');
  const run = ({ query, caller }: Cell): Promise<CellAnswer> => laboratory.runUnadmitted(query, {}, { caller });
  const expectation = ({ expectedUnadmitted }: Cell) => expectedUnadmitted;
  expect(await differences(wrapped, run, { expectation })).toEqual([]);
  announce(wrapped.length, 'of the laboratory, by the wrappers alone');
});

test('no generator has started for a caller who is refused', async () => {
  const refused = cells.filter(({ expected, caller }) => expected.endsWith('no stream') && caller.credential !== 'BAD');
  laboratory.calls.length = 0;
  for (const { query, caller } of refused) await laboratory.firstEvent(query, { caller });
  expect(refused.length).toBeGreaterThan(50);
  expect(laboratory.calls).toEqual([]);
});

test('no resolver of a mutation has run for a caller who is refused', async () => {
  const refused = cells.filter(({ operation, expected }) => operation === 'mutation' && / 40[13]$/.test(expected));
  laboratory.calls.length = 0;
  for (const { query, caller } of refused) await laboratory.run(query, {}, { caller });
  expect(refused.length).toBeGreaterThan(200);
  expect(laboratory.calls).toEqual([]);
});

test('the plain reading of the SDL and the compiled table know the same fields', () => {
  expect([...laboratory.policy.keys()].sort()).toEqual(expectations.coordinates());
});
