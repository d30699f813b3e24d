import type { Credential } from '../../support/send.ts';
import type { Answer } from '../post.ts';
import type { Victim } from './world.ts';

/** A request of a victim, and whether its answer says that the rights are still there. */
export type Attempt = {
  credential: Credential;
  query: string;
  variables(): object;
  isAccepted(data: Answer['data']): boolean;
};

/** A way to take rights away. */
export type Kind = {
  name: string;
  role: 'ADMIN' | 'OPERATOR';
  /** A field that takes `$id`. */
  mutation: string;
  /** What the field takes; the same is the subject whose epoch is raised. Keys are an agent's by turns. */
  idOf(victim: Victim, turn: number): string;
  credentialsOf(victim: Victim, turn: number): Credential[];
  /** Whether what is left is fewer roles, not nothing. */
  leavesViewer?: true;
};

/** Whether Redis is there, and somebody who is not revoked. */
export type Surroundings = { hasRedis: boolean; bystander: Victim };

const cookie = (victim: Victim): Credential => ({ cookie: victim.cookie });
const accessToken = (victim: Victim): Credential => ({ bearer: victim.accessToken });
const keyOf = (victim: Victim, turn: number) => (turn % 2 === 0 ? victim.key : victim.agentKey);
const people = (victim: Victim) => [cookie(victim), accessToken(victim), { bearer: victim.key.secret }];

const revokeSession = 'revokeSession(id: $id) { session { id } }';

/** The kinds; `withoutRedis`: those that need no limit, whose counters are in Redis. */
export const kinds: readonly (Kind & { withoutRedis: boolean })[] = [
  {
    name: 'revokeApiKey',
    role: 'OPERATOR',
    mutation: 'revokeApiKey(id: $id) { apiKey { id } }',
    idOf: (victim, turn) => keyOf(victim, turn).id,
    credentialsOf: (victim, turn) => [{ bearer: keyOf(victim, turn).secret }],
    withoutRedis: true,
  },
  {
    name: 'rotateApiKey, overlap 0',
    role: 'OPERATOR',
    mutation: 'rotateApiKey(id: $id, overlapSeconds: 0) { apiKey { id } }',
    idOf: (victim, turn) => keyOf(victim, turn).id,
    credentialsOf: (victim, turn) => [{ bearer: keyOf(victim, turn).secret }],
    withoutRedis: false,
  },
  {
    name: 'revokeSession, cookie',
    role: 'OPERATOR',
    mutation: revokeSession,
    idOf: (victim) => victim.sessionId,
    credentialsOf: (victim) => [cookie(victim)],
    withoutRedis: true,
  },
  {
    name: 'revokeSession, access token',
    role: 'OPERATOR',
    mutation: revokeSession,
    idOf: (victim) => victim.sessionId,
    credentialsOf: (victim) => [accessToken(victim)],
    withoutRedis: true,
  },
  {
    name: 'revokeAllUserSessions',
    role: 'OPERATOR',
    mutation: 'revokeAllUserSessions(userId: $id) { revokedCount }',
    idOf: (victim) => victim.userId,
    credentialsOf: (victim) => [cookie(victim), accessToken(victim)],
    withoutRedis: true,
  },
  {
    name: 'disableUser',
    role: 'OPERATOR',
    mutation: 'disableUser(userId: $id) { user { id } }',
    idOf: (victim) => victim.userId,
    credentialsOf: people,
    withoutRedis: true,
  },
  {
    name: 'setUserRoles to VIEWER',
    role: 'ADMIN',
    mutation: 'setUserRoles(userId: $id, roles: [VIEWER]) { user { id } }',
    idOf: (victim) => victim.userId,
    credentialsOf: people,
    leavesViewer: true,
    withoutRedis: true,
  },
];

const createTask = 'mutation { createTask(input: { name: "drill", type: ANALYSIS }) { task { id } } }';
const submitTelemetry =
  'mutation($input: TelemetryInput!) { submitTelemetry(input: $input) { telemetry { agentId } } }';
const revokeSpare = `mutation($id: ID!) { ${revokeSession} }`;

/**
 * A read and a write for each credential. Without Redis there are no limits, and so neither tasks nor readings: then
 * the write is the revocation of a session that nobody uses, one's own or, where it takes an ADMIN, another's; an
 * agent only reads.
 */
export function attemptsOf(kind: Kind, victim: Victim, turn: number, { hasRedis, bystander }: Surroundings): Attempt[] {
  const { credentialsOf, leavesViewer } = kind;
  const isAgent = kind.idOf(victim, turn) === victim.agentKey.id;
  const spare = { id: (leavesViewer ? bystander : victim).spareSessionId };
  const write = hasRedis ? writeOf(victim, isAgent) : { query: revokeSpare, variables: () => spare };
  return credentialsOf(victim, turn).flatMap((credential) => {
    const read: Attempt = {
      ...{ credential, query: '{ me { roles } }', variables: () => ({}) },
      isAccepted: ({ me }) => !leavesViewer || me.roles[0] !== 'VIEWER',
    };
    return isAgent && !hasRedis ? [read] : [read, { ...write, credential, isAccepted: () => true }];
  });
}

function writeOf({ agentKey }: Victim, isAgent: boolean): Pick<Attempt, 'query' | 'variables'> {
  return isAgent
    ? { query: submitTelemetry, variables: () => ({ input: reading(agentKey.agentId) }) }
    : { query: createTask, variables: () => ({}) };
}

let readings = 0;

/** One that nobody has sent before. */
function reading(agentId: string) {
  readings += 1;
  const timestamp = new Date(Date.UTC(2020, 0, 1) + readings).toISOString();
  return { agentId, timestamp, metrics: { cpu: 0.5 }, status: 'ACTIVE' };
}
