import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema, readDocuments } from '../../src/schema.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { saidBy } from '../support/operations.ts';
import { type Fixture, fixtures } from './accessFixtures.ts';
import { agentId, type Caller, createWorld, otherAgentId, type World } from './accessWorld.ts';
import { Expectations } from './expectation.ts';
import { announce, type Cell, cellsOf, differences, rootRoute } from './matrix.ts';

type SentCell = Cell & { caller: Caller };

const { policy } = createSchema();
const expectations = new Expectations(readDocuments());
const coordinates = expectations.coordinates();

let app: TestApp;
let world: World;
let count = 0;

beforeAll(async () => {
  app = await startApp({ env: { LOG_LEVEL: 'error' } });
  world = await createWorld(app);
});
afterAll(async () => {
  announce(count, "of Nexus's own schema over HTTP");
  await app?.stop();
});

/** A machine with more to do than this test may pass a deadline of ours: then nothing was done, and it is asked again. */
async function run({ query, caller }: Cell) {
  const { sends } = caller as Caller;
  const answer = await app.request(query, {}, sends);
  return answer.status === 503 ? app.request(query, {}, sends) : answer;
}

/** The cells of a field. A call that changes something has a row of its own to change in each. */
async function cellsOfField(coordinate: string): Promise<SentCell[]> {
  const found: SentCell[] = [];
  for (const fixture of fixtures[coordinate] ?? [])
    for (const caller of world.callers) found.push(...(await cellsFor(coordinate, fixture, caller)));
  return found;
}

async function cellsFor(coordinate: string, fixture: Fixture, caller: Caller): Promise<SentCell[]> {
  const found: SentCell[] = [];
  const isMutation = coordinate.startsWith('Mutation.');
  for (let form = 0; form === 0 || (isMutation && form < found.length); form++) {
    const prepared = await fixture.prepare(world, caller);
    const sender = prepared.caller ?? caller;
    const target = { coordinate, label: fixture.label, ...prepared };
    const cells = (prepared.routes ?? [rootRoute(coordinate)]).flatMap((route) =>
      cellsOf(expectations, target, route, sender).map((cell) => ({ ...cell, caller: sender })),
    );
    if (form === 0) found.push(...cells);
    else found.splice(form, 1, ...cells.slice(form, form + 1));
  }
  return found;
}

test('the plain reading of the SDL and the compiled table know the same fields', () => {
  expect([...policy.keys()].sort()).toEqual(coordinates);
});

test('every field of the table has a fixture', () => {
  const missing = coordinates.filter((coordinate) => !fixtures[coordinate]);
  const sentences = missing.map(
    (one) => `${one} has no fixture: say in test/policy/accessFixtures.ts how it is asked for.`,
  );
  expect(sentences).toEqual([]);
  expect(Object.keys(fixtures).filter((coordinate) => !coordinates.includes(coordinate))).toEqual([]);
});

describe('every caller is answered as the SDL says, on every way, by', () => {
  test.each(coordinates)('%s', async (coordinate) => {
    const cells = await cellsOfField(coordinate);
    const refused = cells.filter(({ expected }) => / 40[13]$/.test(expected));
    const others = cells.filter((cell) => !refused.includes(cell));
    count += cells.length;

    const before = await world.fingerprint();
    const found = await differences(refused, run, { atATime: 8 });
    if ((await world.fingerprint()) !== before) found.push(`${coordinate} had an effect though it was refused.`);
    found.push(...(await differences(others, run)));
    expect(found).toEqual([]);
    expect(cells.length).toBeGreaterThan(50);
  });
});

describe("another owner's object is answered in the words of one that is not there:", () => {
  const callerNamed = (name: string) => world.callers.find((caller) => caller.name === name)?.sends ?? null;
  const absent = (id: string) => `${id.slice(0, -4)}0000`;
  const cases: [string, string, (id: string) => string, () => Promise<string>][] = [
    [
      'task',
      'AGENT key',
      (id) => `{ task(id: "${id}") { id } }`,
      () => world.newTask({ assignedTo: otherAgentId, createdBy: world.stranger }),
    ],
    [
      'task of nobody',
      'AGENT key',
      (id) => `{ task(id: "${id}") { id } }`,
      () => world.newTask({ assignedTo: null, createdBy: world.stranger }),
    ],
    ['apiKey', 'VIEWER', (id) => `{ apiKey(id: "${id}") { id } }`, () => world.newKey(world.stranger)],
    [
      'rotateApiKey',
      'OPERATOR',
      (id) => `mutation { rotateApiKey(id: "${id}") { secret } }`,
      () => world.newKey(world.stranger),
    ],
    [
      'revokeApiKey',
      'VIEWER',
      (id) => `mutation { revokeApiKey(id: "${id}") { apiKey { id } } }`,
      () => world.newKey(world.stranger),
    ],
    [
      'revokeSession',
      'OPERATOR',
      (id) => `mutation { revokeSession(id: "${id}") { session { id } } }`,
      async () => (await world.newSession(world.stranger)).id,
    ],
    [
      'sessions',
      'VIEWER',
      (id) => `{ sessions(userId: "${id}") { edges { node { id } } } }`,
      async () => world.stranger,
    ],
    [
      'apiKeys',
      'VIEWER',
      (id) => `{ apiKeys(ownerId: "${id}") { edges { node { id } } } }`,
      async () => world.stranger,
    ],
    [
      'revokeAllUserSessions',
      'VIEWER',
      (id) => `mutation { revokeAllUserSessions(userId: "${id}") { revokedCount } }`,
      async () => world.stranger,
    ],
  ];
  test.each(cases)('%s for %s', async (_name, caller, query, make) => {
    const id = await make();
    const before = await world.fingerprint();
    const another = await app.request(query(id), {}, callerNamed(caller));
    const nothing = await app.request(query(absent(id)), {}, callerNamed(caller));
    expect(another.errors?.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
    expect(saidBy(another)).toEqual(saidBy(nothing));
    expect(await world.fingerprint()).toBe(before);
  });

  test('an agent of a list is the caller alone', async () => {
    const query =
      '{ agents(first: 100) { edges { node { id } } } tasks(first: 100) { edges { node { assignedTo } } } }';
    const { agents, tasks } = await app.succeed(query, {}, callerNamed('AGENT key'));
    expect(agents.edges).toEqual([{ node: { id: agentId } }]);
    const assignees = tasks.edges.map(({ node }: { node: { assignedTo: string } }) => node.assignedTo);
    expect(new Set(assignees)).toEqual(new Set([agentId]));
  });
});
