import { agentId, type Caller, otherAgentId, type World } from './accessWorld.ts';
import { type Route, rootRoute, type Target } from './matrix.ts';

/** A target for one caller, who may have to come with another session, because the call ends it. */
export type Prepared = Omit<Target, 'coordinate' | 'label'> & { caller?: Caller; routes?: Route[] };
export type Fixture = { label: string; prepare(world: World, caller: Caller): Prepared | Promise<Prepared> };

const page = '(first: 2) { edges { node { id } } pageInfo { hasNextPage } }';

/** How each field of the table is asked for. A field without an entry fails the matrix. */
export const fixtures: Readonly<Record<string, readonly Fixture[]>> = {
  'Query.me': always('me { kind roles scopes tier user { id } apiKey { id } session { id } }'),
  'Query.rateLimit': always('rateLimit { tier cost limits { name limit remaining } }'),
  'Query.users': always(`users${page}`),
  'Query.agents': always('agents(first: 2) { edges { node { id status } } }'),
  'Query.apiKeys': always(`apiKeys${page}`),
  'Query.sessions': always(`sessions${page}`),
  'Query.tasks': always(`tasks${page}`),
  'Query.auditEvents': always('auditEvents(first: 2) { edges { node { id actor { kind } } } }'),
  'Query.ipBlocks': always(`ipBlocks${page}`),
  'Query.agent': perAgent((id) => ({ field: `agent(id: "${id}") { id status }`, args: { id } })),
  'Query.telemetry': perAgent((id) => ({
    field: `telemetry(agentId: "${id}", first: 1) { edges { node { timestamp } } }`,
    args: { agentId: id },
  })),
  'Query.apiKey': [
    ...one('own', async (world, { ownId }) => apiKey(await world.newKey(userOf(world, ownId)), userOf(world, ownId))),
    ...one("another's", async (world) => apiKey(await world.newKey(world.stranger), world.stranger)),
  ],
  'Query.task': perAgent(async (assignedTo, world) => ({
    field: `task(id: "${await world.newTask({ assignedTo, createdBy: world.stranger })}") { id name }`,
    result: { assignedTo },
  })),

  'Mutation.login': one('a person', ({ person }) => ({
    field: `login(email: "${person.email}", password: "${person.password}") { accessToken }`,
  })),
  'Mutation.logout': one('own session', async (world, caller) => ({
    field: 'logout { session { id } }',
    caller: await world.again(caller),
  })),
  'Mutation.refreshAccessToken': always('refreshAccessToken { accessToken }'),
  'Mutation.revokeSession': one('own session', async (world, { ownId }) => ({
    field: `revokeSession(id: "${(await world.newSession(userOf(world, ownId))).id}") { session { revokedAt } }`,
  })),
  'Mutation.revokeAllUserSessions': one('own sessions', async (world, caller) => {
    const again = await world.again(caller);
    return { field: `revokeAllUserSessions(userId: "${userOf(world, again.ownId)}") { revokedCount }`, caller: again };
  }),
  'Mutation.changePassword': one('own password', async (world, caller) => ({
    field: `changePassword(currentPassword: "${world.person.password}", newPassword: "quite another long one 7") { user { id } }`,
    caller: await world.again(caller),
  })),

  'Mutation.createApiKey': always('createApiKey(input: { name: "made", scopes: ["tasks:read"] }) { secret }'),
  'Mutation.rotateApiKey': one('own key', async (world, { ownId }) => ({
    field: `rotateApiKey(id: "${await world.newKey(userOf(world, ownId))}") { secret }`,
  })),
  'Mutation.revokeApiKey': one('own key', async (world, { ownId }) => ({
    field: `revokeApiKey(id: "${await world.newKey(userOf(world, ownId))}") { apiKey { revokedAt } }`,
  })),

  'Mutation.createTask': always('createTask(input: { name: "made", type: ANALYSIS }) { task { id } }'),
  'Mutation.updateTask': perTask((id) => `updateTask(id: "${id}", input: { name: "changed" }) { task { id } }`),
  'Mutation.assignTask': perTask((id) => `assignTask(id: "${id}", agentId: "agent-assigned") { task { id } }`),
  'Mutation.cancelTask': perTask((id) => `cancelTask(id: "${id}") { task { status } }`),

  'Mutation.submitTelemetry': perAgent((agent) => ({
    field: `submitTelemetry(input: ${readingOf(agent)}) { telemetry { timestamp } }`,
    args: { input: { agentId: agent } },
  })),
  'Mutation.submitTelemetryBatch': [
    ...perAgent((agent) => batchOf([agent, agent])),
    ...one("another agent's among them", () => batchOf([agentId, otherAgentId])),
  ],

  'Mutation.createUser': one('somebody new', () => ({
    field: `createUser(input: { email: "${unique()}@example.com", password: "a password for nobody 1", roles: [VIEWER] }) { user { id } }`,
  })),
  'Mutation.setUserRoles': one('another user', async (world) => ({
    field: `setUserRoles(userId: "${await world.newUser()}", roles: [OPERATOR]) { user { roles } }`,
  })),
  'Mutation.setUserTier': one('another user', async (world) => ({
    field: `setUserTier(userId: "${await world.newUser()}", tier: PREMIUM) { user { tier } }`,
  })),
  'Mutation.disableUser': one('another user', async (world) => ({
    field: `disableUser(userId: "${await world.newUser()}") { user { disabledAt } }`,
  })),

  'Mutation.blockIp': one('a range of strangers', () => ({
    field: `blockIp(input: { cidr: "${someRange()}", reason: "of the matrix" }) { ipBlock { cidr } }`,
  })),
  'Mutation.unblockIp': one('an active block', async (world) => ({
    field: `unblockIp(id: "${await world.newBlock()}") { ipBlock { id } }`,
  })),

  'Agent.latestTelemetry': ofAgents('latestTelemetry { timestamp }'),
  'Agent.tasks': ofAgents('tasks(first: 1) { pageInfo { hasNextPage } }'),
  'Task.parameters': ofTasks('parameters'),
  'Task.result': ofTasks('result'),
  'Task.error': ofTasks('error'),
};

function one(label: string, prepare: Fixture['prepare']): Fixture[] {
  return [{ label, prepare }];
}

function always(field: string): Fixture[] {
  return one('plain', () => ({ field }));
}

function perAgent(prepare: (agentId: string, world: World) => Prepared | Promise<Prepared>): Fixture[] {
  return [
    ...one("the agent's own", (world) => prepare(agentId, world)),
    ...one("another agent's", (world) => prepare(otherAgentId, world)),
  ];
}

function perTask(fieldOf: (taskId: string) => string): Fixture[] {
  return one('a pending task', async (world) => ({
    field: fieldOf(await world.newTask({ assignedTo: null, createdBy: world.stranger })),
  }));
}

function apiKey(id: string, ownerId: string): Prepared {
  return { field: `apiKey(id: "${id}") { id }`, result: { owner: { id: ownerId } } };
}

/** The fields of an agent, on every way to it. */
function ofAgents(field: string): Fixture[] {
  return perAgent(async (id, world) => {
    const taskId = await world.newTask({ assignedTo: id, createdBy: world.stranger });
    const toTask = { coordinate: 'Query.task', result: { assignedTo: id } };
    const routes = [
      through('Agent', `agent(id: "${id}")`, '', [{ coordinate: 'Query.agent', args: { id } }]),
      through('Agent', `task(id: "${taskId}")`, 'agent', [toTask]),
    ];
    // A list shows an agent itself alone, so on these ways it does not come to another.
    const lists = [
      through('Agent', 'agents(first: 20)', 'edges node', [{ coordinate: 'Query.agents' }]),
      through('Agent', `tasks(filter: { assignedTo: "${id}" }, first: 20)`, 'edges node agent', [
        { coordinate: 'Query.tasks' },
      ]),
    ];
    return { field, parent: { id }, routes: id === agentId ? [...routes, ...lists] : routes };
  });
}

/** The fields of a task that are not for everybody, on every way to it. */
function ofTasks(field: string): Fixture[] {
  const ofTask = async (world: World, assignedTo: string, createdBy: string): Promise<Prepared> => {
    const id = await world.newTask({ assignedTo, createdBy });
    return {
      field,
      parent: { createdBy: { id: createdBy }, assignedTo },
      routes: [
        through('Task', `task(id: "${id}")`, '', [{ coordinate: 'Query.task', result: { assignedTo } }]),
        {
          ...through('Task', `tasks(filter: { assignedTo: "${assignedTo}" }, first: 20)`, 'edges node', [
            { coordinate: 'Query.tasks' },
          ]),
          isEmptyFor: ({ roles }) => roles.includes('AGENT') && assignedTo !== agentId,
        },
        through('Task', `agent(id: "${assignedTo}")`, 'tasks(first:20) edges node', [
          { coordinate: 'Query.agent', args: { id: assignedTo } },
          { coordinate: 'Agent.tasks', parent: { id: assignedTo } },
        ]),
      ],
    };
  };
  return [
    ...one("the agent's own", (world) => ofTask(world, agentId, world.stranger)),
    ...one("another agent's", (world) => ofTask(world, otherAgentId, world.stranger)),
    ...one('created by the caller', async (world, caller) => {
      const assignedTo = `agent-${unique()}`; // Lists of its tasks hold no task of another creator.
      await world.newAgent(assignedTo);
      return ofTask(world, assignedTo, userOf(world, caller.ownId));
    }),
    ...one('just created', (world, { ownId }) => ({
      field,
      parent: { createdBy: { id: userOf(world, ownId) }, assignedTo: null },
      routes: [
        through('Task', 'createTask(input: { name: "made", type: ANALYSIS })', 'task', [
          { coordinate: 'Mutation.createTask' },
        ]),
      ],
    })),
  ];
}

/** The way through a root field and the fields below it, whose names stand one after another. */
function through(onType: string, root: string, below: string, steps: Route['steps']): Route {
  const [first] = steps;
  const { operation } = rootRoute(first?.coordinate ?? '');
  const path = [root, ...below.split(' ').filter(Boolean)];
  return {
    label: path.join(' > '),
    operation,
    onType,
    steps,
    wrap: (selection) => path.reduceRight((text, part) => `{ ${part} ${text} }`, `{ ${selection} }`),
  };
}

/** The user behind a caller, and a stranger where there is none. */
function userOf({ stranger }: World, ownId: string | null): string {
  return ownId?.startsWith('user_') ? ownId : stranger;
}

function batchOf(agents: string[]): Prepared {
  return {
    field: `submitTelemetryBatch(inputs: [${agents.map(readingOf).join(', ')}]) { accepted duplicates }`,
    args: { inputs: agents.map((agent) => ({ agentId: agent })) },
  };
}

let counter = 0;

function readingOf(agent: string): string {
  counter += 1;
  const timestamp = new Date(Date.now() - counter * 1000).toISOString();
  return `{ agentId: "${agent}", timestamp: "${timestamp}", metrics: { load: 1 }, status: ACTIVE }`;
}

function someRange(): string {
  counter += 1;
  return `198.18.${counter % 256}.0/24`;
}

function unique(): string {
  counter += 1;
  return `n${counter}`;
}
