import { createHash, randomBytes } from 'node:crypto';
import { formatSessionCookie, hashSecret, newSessionSecret } from '../../src/sessions/secret.ts';
import { newId } from '../../src/storage/id.ts';
import type { Credential, Person, TestApp } from '../support/app.ts';
import type { CallerFacts } from './expectation.ts';

/** The scopes of a role by the documentation, written down a second time on purpose. */
const viewerScopes = [
  'tasks:read',
  'telemetry:read',
  'apiKeys:read',
  'apiKeys:write',
  'sessions:read',
  'sessions:write',
];
const operatorScopes = [...viewerScopes, 'tasks:write', 'telemetry:write'];
const adminScopes = [...operatorScopes, 'users:read', 'users:write', 'audit:read', 'incidents:write'];
const agentScopes = ['tasks:read', 'telemetry:read', 'telemetry:write'];

export const agentId = 'agent-own';
export const otherAgentId = 'agent-other';

/** A caller with what it sends. */
export type Caller = CallerFacts & { credential: CallerFacts['credential']; sends: Credential };

export type World = {
  app: TestApp;
  callers: readonly Caller[];
  /** Somebody whose rows are nobody's among the callers. */
  stranger: string;
  /** Whose password is known, to log in with. */
  person: Person;
  newUser(roles?: readonly string[]): Promise<string>;
  newSession(userId: string): Promise<{ id: string; sends: Credential }>;
  newKey(ownerId: string): Promise<string>;
  newBlock(): Promise<string>;
  newTask(task: { assignedTo: string | null; createdBy: string }): Promise<string>;
  newAgent(id: string): Promise<void>;
  /** The same caller with another user and session, which may be lost. A key stays as it is. */
  again(caller: Caller): Promise<Caller>;
  /** Changes with everything that a mutation may change. */
  fingerprint(): Promise<string>;
};

/** The callers of the matrix in an app, and ways to make rows that they ask for. */
export async function createWorld(app: TestApp): Promise<World> {
  const { sql } = app;
  const [person, viewer, operator, admin, token, stranger] = await Promise.all([
    app.createPerson('VIEWER'),
    app.createPerson('VIEWER'),
    app.createPerson('OPERATOR'),
    app.createPerson('ADMIN'),
    app.createPerson('ADMIN'),
    app.createPerson('OPERATOR'),
  ]);
  // New users for new sessions have the password of the one whose password is known.
  const [{ password_hash: passwordHash } = { password_hash: '' }] = await sql<{ password_hash: string }[]>`
    select password_hash from users where id = ${person.id}`;

  const newUser: World['newUser'] = async (roles = ['VIEWER']) => {
    const id = newId('user');
    await sql`
      insert into users (id, email, password_hash, roles, tier)
      values (${id}, ${`${id}@example.com`}, ${passwordHash}, ${[...roles]}, 'STANDARD')`;
    return id;
  };
  const newSession: World['newSession'] = async (userId) => {
    const [id, secret] = [newId('sess'), newSessionSecret()];
    await sql`
      insert into sessions (id, user_id, secret_hash, ip) values (${id}, ${userId}, ${hashSecret(secret)}, '192.0.2.1')`;
    return { id, sends: { cookie: `nexus.sid=${formatSessionCookie(id, secret)}` } };
  };
  const newKey: World['newKey'] = async (ownerId) => {
    const id = newId('key');
    const secretHash = createHash('sha256').update(randomBytes(32)).digest('hex');
    await sql`
      insert into api_keys (id, name, start, secret_hash, tier, role, scopes, allowed_ips, owner_id)
      values (${id}, 'of the matrix', 'nxk_test_0000', ${secretHash}, 'FREE', 'VIEWER', ${['tasks:read']}, ${[]}, ${ownerId})`;
    return id;
  };
  const newAgent: World['newAgent'] = async (id) => {
    await sql`insert into agents (id, status) values (${id}, 'ACTIVE') on conflict do nothing`;
    await sql`
      insert into telemetry (agent_id, timestamp, metrics, status)
      values (${id}, now(), ${sql.json({ load: 1 })}, 'ACTIVE')`;
  };
  const newTask: World['newTask'] = async ({ assignedTo, createdBy }) => {
    const id = newId('task');
    const json = sql.json({ kept: 'from most' });
    await sql`
      insert into tasks (id, name, type, priority, assigned_to, parameters, result, error, max_attempts, created_by)
      values (${id}, 'of the matrix', 'ANALYSIS', 1, ${assignedTo}, ${json}, ${json}, 'secret', 5, ${createdBy})`;
    return id;
  };

  let blocks = 0;
  const newBlock: World['newBlock'] = async () => {
    const id = newId('block');
    blocks += 1;
    await sql`
      insert into ip_blocks (id, cidr, reason, automatic, expires_at)
      values (${id}, ${`192.0.2.${blocks % 256}`}, 'of the matrix', false, now() + interval '1 hour')`;
    return id;
  };

  const key = async (name: string, ownerRoles: string[], role: string, scopes: string[]): Promise<Caller> => {
    const ownerId = await newUser(ownerRoles);
    const isAgent = role === 'AGENT';
    const { secret } = await app.createKey({ role, scopes, ownerId, tier: 'ENTERPRISE', ...(isAgent && { agentId }) });
    const ownId = isAgent ? agentId : ownerId;
    return { name, credential: 'API_KEY', roles: [role], scopes, ownId, sends: { bearer: secret } };
  };
  const session = (name: string, { id, cookie }: Person, role: string, scopes: string[]): Caller => {
    return { name, credential: 'SESSION', roles: [role], scopes, ownId: id, sends: { cookie } };
  };
  const expired = await app.createKey({ role: 'ADMIN', scopes: adminScopes, tier: 'ENTERPRISE' });
  await sql`update api_keys set expires_at = now() - interval '1 second' where id = ${expired.id}`;
  // No field asks for this scope, so no key gets it now.
  const withoutScope = await app.createKey({ role: 'ADMIN', scopes: ['tasks:read'], tier: 'ENTERPRISE' });
  await sql`update api_keys set scopes = '{tasks:work}' where id = ${withoutScope.id}`;
  const bad = { credential: 'BAD', roles: [], scopes: [], ownId: null } as const;
  await newAgent(agentId);
  await newAgent(otherAgentId);

  const callers: Caller[] = [
    { name: 'anonymous', credential: 'NONE', roles: [], scopes: [], ownId: null, sends: null },
    session('VIEWER', viewer, 'VIEWER', viewerScopes),
    session('OPERATOR', operator, 'OPERATOR', operatorScopes),
    session('ADMIN', admin, 'ADMIN', adminScopes),
    {
      ...session('ADMIN token', token, 'ADMIN', adminScopes),
      credential: 'ACCESS_TOKEN',
      sends: { bearer: token.accessToken },
    },
    await key('VIEWER key', ['VIEWER'], 'VIEWER', viewerScopes),
    await key('ADMIN key', ['ADMIN'], 'ADMIN', adminScopes),
    await key('AGENT key', ['OPERATOR'], 'AGENT', agentScopes),
    {
      ...{ name: 'key without the scope', credential: 'API_KEY', roles: ['ADMIN'], scopes: ['tasks:work'] },
      ...{ ownId: app.admin.id, sends: { bearer: withoutScope.secret } },
    },
    { ...bad, name: 'expired key', sends: { bearer: expired.secret } },
    { ...bad, name: 'bad token', sends: { bearer: `${token.accessToken.slice(0, -9)}AAAAAAAAA` } },
  ];

  return {
    app,
    callers,
    stranger: stranger.id,
    person,
    newUser,
    newSession,
    newKey,
    newBlock,
    newTask,
    newAgent,
    async again(caller) {
      if (caller.credential !== 'SESSION' && caller.credential !== 'ACCESS_TOKEN') return caller;
      const ownId = await newUser(caller.roles);
      const { sends } = await newSession(ownId);
      if (caller.credential === 'SESSION') return { ...caller, ownId, sends };
      const { refreshAccessToken } = await app.succeed('mutation { refreshAccessToken { accessToken } }', {}, sends);
      return { ...caller, ownId, sends: { bearer: refreshAccessToken.accessToken } };
    },
    async fingerprint() {
      const [row] = await sql<{ print: string }[]>`
        select md5(string_agg(line, ',' order by line)) as print from (
          select t::text as line from tasks t
          union all select u::text from users u
          union all select a::text from agents a
          union all select (id, secret_hash, previous_secret_hash, revoked_at)::text from api_keys
          union all select (id, revoked_at)::text from sessions
          union all select (id, version)::text from ip_blocks
          union all select (agent_id, timestamp)::text from telemetry
          union all select id from audit_events where outcome = 'SUCCEEDED'
        ) lines`;
      return row?.print ?? '';
    },
  };
}
