import type { Scope } from '../auth/roles.ts';
import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { AgentRow } from '../agents/repository.ts';
import type { ApiKeyView } from '../apiKeys/repository.ts';
import type { IpBlockView } from '../ipBlocks/repository.ts';
import type { SessionView } from '../sessions/repository.ts';
import type { TaskView } from '../tasks/repository.ts';
import type { TelemetryRow } from '../telemetry/repository.ts';
import type { UserView } from '../users/repository.ts';
import type { Context } from '../context.ts';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Omit<T, K extends keyof T> = Pick<T, Exclude<keyof T, K>>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** The id of an agent: agent- followed by lower-case letters and digits, at most 64 characters. */
  AgentId: { input: string; output: string; }
  /** An instant, RFC 3339, in UTC. */
  DateTime: { input: Date; output: Date; }
  /**
   * An e-mail address (HTML living standard, valid e-mail address). It is read without space around it, NFKC, in lower case
   * and without dots at the end: all such spellings are one address.
   */
  EmailAddress: { input: string; output: string; }
  /** A JSON object: at most 10 levels deep and 64 KiB of text. */
  JSONObject: { input: Record<string, unknown>; output: Record<string, unknown>; }
  /** An integer between -(2^53)+1 and 2^53-1. */
  SafeInt: { input: number; output: number; }
  /** A permission of a credential, resource:verb: one of the thirteen that the documentation lists. */
  Scope: { input: Scope; output: Scope; }
};

/** A program that works on tasks and sends telemetry. */
export type Agent = {
  __typename?: 'Agent';
  /** The id. */
  id: Scalars['AgentId']['output'];
  /** The timestamp of its newest telemetry; null where it never sent any. */
  lastSeenAt?: Maybe<Scalars['DateTime']['output']>;
  /** Its newest telemetry; null where it never sent any. */
  latestTelemetry?: Maybe<Telemetry>;
  /** What the agent last said of itself; OFFLINE where it never said anything. */
  status: AgentStatus;
  /** The tasks that are given to it, the newest first. */
  tasks?: Maybe<TaskConnection>;
};


/** A program that works on tasks and sends telemetry. */
export type AgentTasksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
};

/** A page of agents. */
export type AgentConnection = {
  __typename?: 'AgentConnection';
  /** The agents with their cursors. */
  edges: Array<AgentEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** An agent in a page. */
export type AgentEdge = {
  __typename?: 'AgentEdge';
  /** Where this agent stands in the list. */
  cursor: Scalars['String']['output'];
  /** The agent. */
  node: Agent;
};

/** What an agent says of itself. */
export type AgentStatus =
  /** At work or ready for it. */
  | 'ACTIVE'
  /** There, not ready for work. */
  | 'INACTIVE'
  /** Not there. */
  | 'OFFLINE';

/** A key for programs. Its secret is stored as a hash only. */
export type ApiKey = {
  __typename?: 'ApiKey';
  /** The agent that the key speaks for; null unless its role is AGENT. */
  agentId?: Maybe<Scalars['AgentId']['output']>;
  /** The CIDR ranges from which the key may be used; empty: from anywhere. */
  allowedIps: Array<Scalars['String']['output']>;
  /** When it was created. */
  createdAt: Scalars['DateTime']['output'];
  /** The SHA-256 of the documents that the key may send; null: any. */
  documents?: Maybe<Array<Scalars['String']['output']>>;
  /** When it ends; null: never. */
  expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** The id, key_… */
  id: Scalars['ID']['output'];
  /** When it was last used, to the minute; null: never. */
  lastUsedAt?: Maybe<Scalars['DateTime']['output']>;
  /** What people call it. */
  name: Scalars['String']['output'];
  /** Whose key it is. */
  owner: UserReference;
  /** Until when the old secret works; null where there is none. */
  previousExpiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** When it was revoked; null where it was not. */
  revokedAt?: Maybe<Scalars['DateTime']['output']>;
  /** What the key is, never more than its owner at the moment of a request. */
  role: Role;
  /** When it last got a new secret; null: never. */
  rotatedAt?: Maybe<Scalars['DateTime']['output']>;
  /** What the key may do, never more than its owner at the moment of a request. */
  scopes: Array<Scalars['Scope']['output']>;
  /** How the secret begins: the prefix and 4 characters. */
  start: Scalars['String']['output'];
  /** How generous the key's limits are. */
  tier: Tier;
};

/** A page of API keys. */
export type ApiKeyConnection = {
  __typename?: 'ApiKeyConnection';
  /** The keys with their cursors. */
  edges: Array<ApiKeyEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** An API key in a page. */
export type ApiKeyEdge = {
  __typename?: 'ApiKeyEdge';
  /** Where this key stands in the list. */
  cursor: Scalars['String']['output'];
  /** The key. */
  node: ApiKey;
};

/** The answer of assignTask. */
export type AssignTaskPayload = {
  __typename?: 'AssignTaskPayload';
  /** The assigned task. */
  task: Task;
};

/** Who did something. */
export type AuditActor = {
  __typename?: 'AuditActor';
  /** The id of the API key or session that was used; null for an anonymous caller. */
  credentialId?: Maybe<Scalars['String']['output']>;
  /** The id of the user or agent; null for an anonymous caller. */
  id?: Maybe<Scalars['String']['output']>;
  /** What kind of caller. */
  kind: AuditActorKind;
};

/** What kind of caller did something. */
export type AuditActorKind =
  /** A software agent with its key. */
  | 'AGENT'
  /** Somebody without a credential, or with one that does not work. */
  | 'ANONYMOUS'
  /** Nexus itself. */
  | 'SYSTEM'
  /** A person, or a key of a person. */
  | 'USER';

/** Something that somebody did, or was refused to do. */
export type AuditEvent = {
  __typename?: 'AuditEvent';
  /** What: noun.verb. */
  action: Scalars['String']['output'];
  /** Who. */
  actor: AuditActor;
  /** The redacted arguments, `isReplacedSecret` where a key came in with its secret before the last, and what else is known. */
  detail?: Maybe<Scalars['JSONObject']['output']>;
  /** The id, audit_… */
  id: Scalars['ID']['output'];
  /** From which address. */
  ip: Scalars['String']['output'];
  /** When, by the database's clock. */
  occurredAt: Scalars['DateTime']['output'];
  /** How it ended. */
  outcome: AuditOutcome;
  /** In which request: the X-Request-Id of its answer. */
  requestId: Scalars['String']['output'];
  /** Its place in the order in which events were written. */
  sequence: Scalars['SafeInt']['output'];
  /** How much attention it deserves. */
  severity: Severity;
  /** To what. */
  targets: Array<AuditTarget>;
  /** With which User-Agent; null where it sent none. */
  userAgent?: Maybe<Scalars['String']['output']>;
};

/** A page of audit events. */
export type AuditEventConnection = {
  __typename?: 'AuditEventConnection';
  /** The events with their cursors. */
  edges: Array<AuditEventEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** An audit event in a page. */
export type AuditEventEdge = {
  __typename?: 'AuditEventEdge';
  /** Where this event stands in the list. */
  cursor: Scalars['String']['output'];
  /** The event. */
  node: AuditEvent;
};

/** Which audit events: all conditions must hold. */
export type AuditFilter = {
  /** What: noun.verb. */
  action?: InputMaybe<Scalars['String']['input']>;
  /** Who: the id of the user or agent. */
  actorId?: InputMaybe<Scalars['String']['input']>;
  /** At this instant or later. */
  from?: InputMaybe<Scalars['DateTime']['input']>;
  /** How it ended. */
  outcome?: InputMaybe<AuditOutcome>;
  /** How much attention it deserves. */
  severity?: InputMaybe<Severity>;
  /** To what: an id. */
  targetId?: InputMaybe<Scalars['String']['input']>;
  /** Before this instant. */
  to?: InputMaybe<Scalars['DateTime']['input']>;
};

/** How much of a mutation the audit log keeps. */
export type AuditLevel =
  /** Who did what to which target, when, and from where. */
  | 'METADATA'
  /** Nothing: the request event in the log is enough. */
  | 'NONE'
  /** The arguments too, redacted. */
  | 'REQUEST';

/** How an audited act ended. */
export type AuditOutcome =
  /** It was refused: no effect. */
  | 'REFUSED'
  /** It was done. */
  | 'SUCCEEDED';

/** What something was done to. */
export type AuditTarget = {
  __typename?: 'AuditTarget';
  /** Its id. */
  id: Scalars['String']['output'];
  /** The kind of thing: user, session, apiKey, task, agent, ipBlock. */
  type: Scalars['String']['output'];
};

/** Addresses to block. */
export type BlockIpInput = {
  /**
   * The range in CIDR notation, at most an IPv4 /8 or an IPv6 /16, or an address alone. It may not hold the caller's own
   * address, loopback, or a proxy of Nexus.
   */
  cidr: Scalars['String']['input'];
  /** How long, in seconds: 1 to 31,536,000 (a year). */
  durationSeconds?: InputMaybe<Scalars['Int']['input']>;
  /** Why, 1 to 500 characters. */
  reason: Scalars['String']['input'];
};

/** The answer of blockIp. */
export type BlockIpPayload = {
  __typename?: 'BlockIpPayload';
  /** The block. */
  ipBlock: IpBlock;
};

/** The answer of cancelTask. */
export type CancelTaskPayload = {
  __typename?: 'CancelTaskPayload';
  /** The cancelled task. */
  task: Task;
};

/** The answer of changePassword. */
export type ChangePasswordPayload = {
  __typename?: 'ChangePasswordPayload';
  /** The user whose password was changed. */
  user: User;
};

/** An API key to create. */
export type CreateApiKeyInput = {
  /** The agent it speaks for, together with the role AGENT. */
  agentId?: InputMaybe<Scalars['AgentId']['input']>;
  /** The CIDR ranges from which it may be used, at most 50; from anywhere where absent. */
  allowedIps?: InputMaybe<Array<Scalars['String']['input']>>;
  /**
   * The SHA-256 of the documents that it may send, in hex, 1 to 1,000; any where absent. Another document, be it by one
   * space, is FORBIDDEN. The documents must be allowed here too, where TRUSTED_DOCUMENTS are enforced.
   */
  documents?: InputMaybe<Array<Scalars['String']['input']>>;
  /** When it ends; never where absent. */
  expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
  /** What people call it, 1 to 200 characters. */
  name: Scalars['String']['input'];
  /** Whose key it is: the caller where absent; another user only for an ADMIN. */
  ownerId?: InputMaybe<Scalars['ID']['input']>;
  /** What it is: AGENT with an agentId, else VIEWER where absent. */
  role?: InputMaybe<Role>;
  /** What it may do, at least one scope. */
  scopes: Array<Scalars['Scope']['input']>;
  /** How generous its limits are, never more than its owner's unless an ADMIN makes it. */
  tier?: InputMaybe<Tier>;
};

/** The answer of createApiKey. */
export type CreateApiKeyPayload = {
  __typename?: 'CreateApiKeyPayload';
  /** The new key. */
  apiKey: ApiKey;
  /** The key itself, shown only here. */
  secret: Scalars['String']['output'];
};

/** A task to create. */
export type CreateTaskInput = {
  /** The agent it is given to; any agent where absent. */
  assignedTo?: InputMaybe<Scalars['AgentId']['input']>;
  /** When it should be done, in the future. */
  deadline?: InputMaybe<Scalars['DateTime']['input']>;
  /** HTML, at most 10,000 characters, sanitised to b, i, em, strong and a[href=http(s)]. */
  description?: InputMaybe<Scalars['String']['input']>;
  /**
   * 1 to 200 characters of the client's choice: the same key and input again answer the same task, the same key and
   * another input are IDEMPOTENCY_CONFLICT. Keys are the user's own.
   */
  idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** How often it may be started, 1 to 25. */
  maxAttempts?: InputMaybe<Scalars['Int']['input']>;
  /** What people call it, 1 to 200 characters. */
  name: Scalars['String']['input'];
  /** What the agent needs to know. */
  parameters?: InputMaybe<Scalars['JSONObject']['input']>;
  /** How urgent it is. */
  priority?: InputMaybe<TaskPriority>;
  /** The kind of work. */
  type: TaskType;
};

/** The answer of createTask. */
export type CreateTaskPayload = {
  __typename?: 'CreateTaskPayload';
  /** The task. */
  task: Task;
};

/** A user to create. */
export type CreateUserInput = {
  /** The address to log in with. */
  email: Scalars['EmailAddress']['input'];
  /** The password, 12 to 200 characters, not a common one. */
  password: Scalars['String']['input'];
  /** The roles, at least one of ADMIN, OPERATOR and VIEWER. */
  roles: Array<Role>;
  /** The tier of the user's sessions and tokens. */
  tier?: InputMaybe<Tier>;
};

/** The answer of createUser. */
export type CreateUserPayload = {
  __typename?: 'CreateUserPayload';
  /** The new user. */
  user: User;
};

/** The kinds of credential; a request carries at most one. */
export type CredentialKind =
  /** A signed token of an hour, in Authorization. */
  | 'ACCESS_TOKEN'
  /** A secret that begins with nxk_, in Authorization or X-API-Key. */
  | 'API_KEY'
  /** The session cookie. */
  | 'SESSION';

/** The answer of disableUser. */
export type DisableUserPayload = {
  __typename?: 'DisableUserPayload';
  /** The disabled user. */
  user: User;
};

/** A range of addresses whose requests are refused with 403 IP_BLOCKED. */
export type IpBlock = {
  __typename?: 'IpBlock';
  /** Whether Nexus itself blocked it, because of what came from there. */
  automatic: Scalars['Boolean']['output'];
  /** The range in CIDR notation, IPv4 or IPv6. */
  cidr: Scalars['String']['output'];
  /** Since when. */
  createdAt: Scalars['DateTime']['output'];
  /** Who blocked it; null for an automatic block. */
  createdBy?: Maybe<UserReference>;
  /** When it ends by itself. */
  expiresAt: Scalars['DateTime']['output'];
  /** The id, block_… */
  id: Scalars['ID']['output'];
  /** Why. */
  reason: Scalars['String']['output'];
};

/** A page of blocks. */
export type IpBlockConnection = {
  __typename?: 'IpBlockConnection';
  /** The blocks with their cursors. */
  edges: Array<IpBlockEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** A block in a page. */
export type IpBlockEdge = {
  __typename?: 'IpBlockEdge';
  /** Where this block stands in the list. */
  cursor: Scalars['String']['output'];
  /** The block. */
  node: IpBlock;
};

/** Where a limit stands. */
export type LimitStatus = {
  __typename?: 'LimitStatus';
  /** So many units, or calls of the field, in any window of that length. */
  limit: Scalars['SafeInt']['output'];
  /** The name of the limit as in the RateLimit header: hour, minute, or the field that it belongs to. */
  name: Scalars['String']['output'];
  /** So many are left. */
  remaining: Scalars['SafeInt']['output'];
  /** When more are left, if nothing else is counted meanwhile. */
  resetAt: Scalars['DateTime']['output'];
  /** The length of the window. */
  windowSeconds: Scalars['Int']['output'];
};

/** The answer of login. */
export type LoginPayload = {
  __typename?: 'LoginPayload';
  /** A signed access token, to be sent as Authorization: Bearer. */
  accessToken: Scalars['String']['output'];
  /** When the access token ends. */
  accessTokenExpiresAt: Scalars['DateTime']['output'];
  /** The session of the cookie. */
  session: Session;
  /** Who logged in. */
  user: User;
};

/** The answer of logout. */
export type LogoutPayload = {
  __typename?: 'LogoutPayload';
  /** The ended session. */
  session: Session;
};

/** The caller of this request. */
export type Me = {
  __typename?: 'Me';
  /** The API key; null where the credential is another. */
  apiKey?: Maybe<ApiKey>;
  /** The kind of credential that the request carries. */
  kind: CredentialKind;
  /** The roles that the credential has now. */
  roles: Array<Role>;
  /** The scopes that the credential has now. */
  scopes: Array<Scalars['Scope']['output']>;
  /** The session of the cookie or of the access token; null with an API key. */
  session?: Maybe<Session>;
  /** The tier of the key, or of the user. */
  tier: Tier;
  /** The user, or the owner of the key. */
  user: User;
};

/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type Mutation = {
  __typename?: 'Mutation';
  /** Gives a pending task to an agent. A task that is not pending is CONFLICT. */
  assignTask?: Maybe<AssignTaskPayload>;
  /**
   * Refuses every request from a range of addresses, at once here and within two seconds in every process. Where the range
   * is blocked already, that block goes on to the later of the two ends, with this reason and author.
   */
  blockIp?: Maybe<BlockIpPayload>;
  /** Cancels a task that is not finished. A finished task is CONFLICT. */
  cancelTask?: Maybe<CancelTaskPayload>;
  /** Changes the caller's password and revokes the caller's other sessions. A wrong current password is UNAUTHENTICATED. */
  changePassword?: Maybe<ChangePasswordPayload>;
  /** Creates an API key. The secret is in this answer and never again. A key has at most what its maker and its owner have. */
  createApiKey?: Maybe<CreateApiKeyPayload>;
  /** Creates a task, for anybody or for one agent. */
  createTask?: Maybe<CreateTaskPayload>;
  /** Creates a user. An e-mail address that is taken is CONFLICT. */
  createUser?: Maybe<CreateUserPayload>;
  /** Disables a user: all of that user's credentials stop working. The last ADMIN cannot be disabled: CONFLICT. */
  disableUser?: Maybe<DisableUserPayload>;
  /**
   * Logs in with e-mail address and password: sets the session cookie and answers an access token of one hour. An unknown
   * address, a wrong password and a disabled user are the same UNAUTHENTICATED. Failed attempts are counted by address and
   * by account; a call that carries a working session or access token of the account is not locked out by those of others.
   */
  login?: Maybe<LoginPayload>;
  /** Ends the session of the cookie or of the access token. */
  logout?: Maybe<LogoutPayload>;
  /** A new access token from a living session. */
  refreshAccessToken?: Maybe<RefreshAccessTokenPayload>;
  /** Revokes all sessions of a user: the caller's own, or anybody's for an ADMIN. Another user is NOT_FOUND. */
  revokeAllUserSessions?: Maybe<RevokeAllUserSessionsPayload>;
  /** Revokes a key, its old secret too. Another owner's key is NOT_FOUND. */
  revokeApiKey?: Maybe<RevokeApiKeyPayload>;
  /** Revokes one of the caller's sessions; an ADMIN may revoke anybody's. Another user's is NOT_FOUND. */
  revokeSession?: Maybe<RevokeSessionPayload>;
  /**
   * Gives a key a new secret, shown in this answer and never again; the old one works for `overlapSeconds` more.
   * Answers to the old one have the header `Nexus-Key-Deprecated: @<when it ends, in seconds since 1970>`, and its audit
   * events `isReplacedSecret` in their detail. Another owner's key is NOT_FOUND; a key that has more than the caller is
   * FORBIDDEN; of rotations at the same time one succeeds and the others are CONFLICT.
   */
  rotateApiKey?: Maybe<RotateApiKeyPayload>;
  /** Replaces a user's roles, at once for all the credentials of that user. The last ADMIN stays one: CONFLICT. */
  setUserRoles?: Maybe<SetUserRolesPayload>;
  /**
   * Replaces a user's tier, at once for all the sessions and access tokens of that user. The user's API keys keep the tiers
   * that they have.
   */
  setUserTier?: Maybe<SetUserTierPayload>;
  /**
   * Stores one reading: an agent's key for its own agent, or an ADMIN. A reading of the same agent and timestamp that is
   * already there stays as it is.
   */
  submitTelemetry?: Maybe<SubmitTelemetryPayload>;
  /**
   * Stores 1 to 1000 readings at once. Bad ones are named and the good ones are stored; readings of the same agent and
   * timestamp that are already there, or twice in the batch, are counted as duplicates and not added.
   */
  submitTelemetryBatch?: Maybe<SubmitTelemetryBatchPayload>;
  /** Ends a block. One that is unknown, or has ended, is NOT_FOUND. */
  unblockIp?: Maybe<UnblockIpPayload>;
  /** Changes a task that is not finished; fields that are absent stay. A finished task is CONFLICT. */
  updateTask?: Maybe<UpdateTaskPayload>;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationAssignTaskArgs = {
  agentId: Scalars['AgentId']['input'];
  id: Scalars['ID']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationBlockIpArgs = {
  input: BlockIpInput;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationCancelTaskArgs = {
  id: Scalars['ID']['input'];
  reason?: InputMaybe<Scalars['String']['input']>;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationChangePasswordArgs = {
  currentPassword: Scalars['String']['input'];
  newPassword: Scalars['String']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationCreateApiKeyArgs = {
  input: CreateApiKeyInput;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationCreateTaskArgs = {
  input: CreateTaskInput;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationCreateUserArgs = {
  input: CreateUserInput;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationDisableUserArgs = {
  userId: Scalars['ID']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationLoginArgs = {
  email: Scalars['EmailAddress']['input'];
  password: Scalars['String']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationRevokeAllUserSessionsArgs = {
  userId: Scalars['ID']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationRevokeApiKeyArgs = {
  id: Scalars['ID']['input'];
  reason?: InputMaybe<Scalars['String']['input']>;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationRevokeSessionArgs = {
  id: Scalars['ID']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationRotateApiKeyArgs = {
  id: Scalars['ID']['input'];
  overlapSeconds?: InputMaybe<Scalars['Int']['input']>;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationSetUserRolesArgs = {
  roles: Array<Role>;
  userId: Scalars['ID']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationSetUserTierArgs = {
  tier: Tier;
  userId: Scalars['ID']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationSubmitTelemetryArgs = {
  input: TelemetryInput;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationSubmitTelemetryBatchArgs = {
  inputs: Array<TelemetryInput>;
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationUnblockIpArgs = {
  id: Scalars['ID']['input'];
};


/** The mutations. The fields of one request run one after the other; one forbidden field, and none of them runs. */
export type MutationUpdateTaskArgs = {
  id: Scalars['ID']['input'];
  input: UpdateTaskInput;
};

/** Where a page of a connection stands (Relay cursor connections). */
export type PageInfo = {
  __typename?: 'PageInfo';
  /** The cursor of the page's last element, to be sent as `after`; null where the page is empty. */
  endCursor?: Maybe<Scalars['String']['output']>;
  /** Whether there are more elements after this page. */
  hasNextPage: Scalars['Boolean']['output'];
  /** Whether the page was asked for with `after`, so that elements stand before it. */
  hasPreviousPage: Scalars['Boolean']['output'];
  /** The cursor of the page's first element; null where the page is empty. */
  startCursor?: Maybe<Scalars['String']['output']>;
};

/** Whether a rule is enforced. */
export type PolicyMode =
  /** It refuses. */
  | 'ENFORCE'
  /** It counts and reports, and never refuses: to see what a limit would do. */
  | 'SHADOW';

/** The queries. */
export type Query = {
  __typename?: 'Query';
  /** One agent. An agent may ask for itself. */
  agent?: Maybe<Agent>;
  /** Agents in the order of their ids. An agent sees itself. */
  agents?: Maybe<AgentConnection>;
  /** One API key. Another owner's key is NOT_FOUND. */
  apiKey?: Maybe<ApiKey>;
  /** The caller's API keys, the newest first; an ADMIN sees all, or one owner's. Another owner's are NOT_FOUND. */
  apiKeys?: Maybe<ApiKeyConnection>;
  /** The audit log, the newest first. */
  auditEvents?: Maybe<AuditEventConnection>;
  /** The active blocks of addresses, the newest first. */
  ipBlocks?: Maybe<IpBlockConnection>;
  /** The caller: its credential, its rights, and who stands behind it. */
  me?: Maybe<Me>;
  /**
   * What is left of the caller's limits. Free of charge: an operation that asks for nothing else takes nothing of them, and
   * is answered where they are used up.
   */
  rateLimit?: Maybe<RateLimit>;
  /** The caller's sessions, the newest first; an ADMIN may ask for any user's. Another user's are NOT_FOUND. */
  sessions?: Maybe<SessionConnection>;
  /** One task. An agent sees its own: another's is NOT_FOUND. */
  task?: Maybe<Task>;
  /** Tasks, page by page. An agent sees its own. */
  tasks?: Maybe<TaskConnection>;
  /** Readings of one agent, the newest first. An agent may ask for its own. */
  telemetry?: Maybe<TelemetryConnection>;
  /** All users, the newest first. */
  users?: Maybe<UserConnection>;
};


/** The queries. */
export type QueryAgentArgs = {
  id: Scalars['AgentId']['input'];
};


/** The queries. */
export type QueryAgentsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
};


/** The queries. */
export type QueryApiKeyArgs = {
  id: Scalars['ID']['input'];
};


/** The queries. */
export type QueryApiKeysArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  ownerId?: InputMaybe<Scalars['ID']['input']>;
};


/** The queries. */
export type QueryAuditEventsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<AuditFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
};


/** The queries. */
export type QueryIpBlocksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
};


/** The queries. */
export type QuerySessionsArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  userId?: InputMaybe<Scalars['ID']['input']>;
};


/** The queries. */
export type QueryTaskArgs = {
  id: Scalars['ID']['input'];
};


/** The queries. */
export type QueryTasksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<TaskFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<TaskOrder>;
};


/** The queries. */
export type QueryTelemetryArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  agentId: Scalars['AgentId']['input'];
  first?: InputMaybe<Scalars['Int']['input']>;
  from?: InputMaybe<Scalars['DateTime']['input']>;
  to?: InputMaybe<Scalars['DateTime']['input']>;
};


/** The queries. */
export type QueryUsersArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
};

/** The limits of a caller. An owner shares them over all keys, sessions and tokens; strangers share those of their address. */
export type RateLimit = {
  __typename?: 'RateLimit';
  /**
   * The price of this operation: an object costs 1, an edge and a PageInfo nothing, a mutation 10 more. Each begun 100 take
   * one unit of the limits.
   */
  cost: Scalars['SafeInt']['output'];
  /** The limits that this operation is counted in. What is unlimited is not among them. */
  limits: Array<LimitStatus>;
  /** The tier of the key, or of the user; null without a credential. */
  tier?: Maybe<Tier>;
};

/** Which calls are counted. */
export type RateLimitCount =
  /** Every call. */
  | 'ALL'
  /**
   * Calls that end with UNAUTHENTICATED, a wrong password for example: a place is taken before the call and given back where
   * it ends in anything else, a success, a mistake of the input, the refusal of a later limit or a failure of ours.
   */
  | 'FAILED';

/** What happens to a call while the counts that all processes share do not answer. */
export type RateLimitFallback =
  /** This process counts alone, with its part of the limit. */
  | 'LOCAL'
  /** The call is DEPENDENCY_UNAVAILABLE: for what must never be tried more often than allowed. */
  | 'REFUSE';

/** Whose calls share one count. */
export type RateLimitSubject =
  /** Each client address has its own count; of IPv6, each /64. */
  | 'ADDRESS'
  /** Each user or agent has its own count, over all its credentials; without a credential, each address. */
  | 'CALLER'
  /** All callers share one count; with identityArgs, all callers that send the same values. */
  | 'EVERYONE';

/** The answer of refreshAccessToken. */
export type RefreshAccessTokenPayload = {
  __typename?: 'RefreshAccessTokenPayload';
  /** A signed access token, to be sent as Authorization: Bearer. */
  accessToken: Scalars['String']['output'];
  /** When the access token ends. */
  accessTokenExpiresAt: Scalars['DateTime']['output'];
};

/** A reading of a batch that was not stored. It repeats what the client sent, so it costs nothing. */
export type RejectedTelemetry = {
  __typename?: 'RejectedTelemetry';
  /** Why, as an error code: BAD_USER_INPUT. */
  code: Scalars['String']['output'];
  /** The first wrong field, a dotted path in the reading. */
  field: Scalars['String']['output'];
  /** Its place in the batch, from 0. */
  index: Scalars['Int']['output'];
  /** Why, for people: every problem of the reading. */
  message: Scalars['String']['output'];
};

/** The answer of revokeAllUserSessions. */
export type RevokeAllUserSessionsPayload = {
  __typename?: 'RevokeAllUserSessionsPayload';
  /** How many living sessions were revoked. */
  revokedCount: Scalars['Int']['output'];
};

/** The answer of revokeApiKey. */
export type RevokeApiKeyPayload = {
  __typename?: 'RevokeApiKeyPayload';
  /** The revoked key. */
  apiKey: ApiKey;
};

/** The answer of revokeSession. */
export type RevokeSessionPayload = {
  __typename?: 'RevokeSessionPayload';
  /** The revoked session. */
  session: Session;
};

/** What a caller is: ADMIN includes OPERATOR, OPERATOR includes VIEWER; AGENT stands apart. */
export type Role =
  /** Everything. */
  | 'ADMIN'
  /** A software agent: its own telemetry and its own tasks. */
  | 'AGENT'
  /** Creates, changes, assigns and cancels tasks, and reads what a VIEWER reads. */
  | 'OPERATOR'
  /** Reads tasks, agents and telemetry; manages its own API keys and sessions. */
  | 'VIEWER';

/** The answer of rotateApiKey. */
export type RotateApiKeyPayload = {
  __typename?: 'RotateApiKeyPayload';
  /** The key. */
  apiKey: ApiKey;
  /** The new secret, shown only here. */
  secret: Scalars['String']['output'];
};

/**
 * A log-in that lasts: at most 24 hours, and 2 hours without use. Its cookie gets a new secret after a change of the user's
 * roles or password; the old one works for 30 seconds more, and ends the session if it comes later.
 */
export type Session = {
  __typename?: 'Session';
  /** When the user logged in. */
  createdAt: Scalars['DateTime']['output'];
  /** Whether this request came with this session. */
  current: Scalars['Boolean']['output'];
  /** When the session ends if it is not used; never later than 24 hours after it began. */
  expiresAt: Scalars['DateTime']['output'];
  /** The id, sess_…; not the secret of the cookie. */
  id: Scalars['ID']['output'];
  /** The address from which the user logged in. */
  ip: Scalars['String']['output'];
  /** When the session was last used, to the minute. */
  lastSeenAt: Scalars['DateTime']['output'];
  /** When it was revoked; null where it was not. */
  revokedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Whose session it is. */
  user: UserReference;
  /** The User-Agent that logged in; null where it sent none. */
  userAgent?: Maybe<Scalars['String']['output']>;
};

/** A page of sessions. */
export type SessionConnection = {
  __typename?: 'SessionConnection';
  /** The sessions with their cursors. */
  edges: Array<SessionEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** A session in a page. */
export type SessionEdge = {
  __typename?: 'SessionEdge';
  /** Where this session stands in the list. */
  cursor: Scalars['String']['output'];
  /** The session. */
  node: Session;
};

/** The answer of setUserRoles. */
export type SetUserRolesPayload = {
  __typename?: 'SetUserRolesPayload';
  /** The user with the new roles. */
  user: User;
};

/** The answer of setUserTier. */
export type SetUserTierPayload = {
  __typename?: 'SetUserTierPayload';
  /** The user with the new tier. */
  user: User;
};

/** How much attention something deserves. */
export type Severity =
  /** Look now. */
  | 'CRITICAL'
  /** Ordinary. */
  | 'INFO'
  /** Worth a look. */
  | 'WARNING';

/** The answer of submitTelemetryBatch. accepted + duplicates + the number of rejected = the number of readings sent. */
export type SubmitTelemetryBatchPayload = {
  __typename?: 'SubmitTelemetryBatchPayload';
  /** How many were stored. */
  accepted: Scalars['Int']['output'];
  /** How many were there already. */
  duplicates: Scalars['Int']['output'];
  /** The readings that were not stored, with every problem of each. */
  rejected: Array<RejectedTelemetry>;
};

/** The answer of submitTelemetry. */
export type SubmitTelemetryPayload = {
  __typename?: 'SubmitTelemetryPayload';
  /** The reading. */
  telemetry: Telemetry;
};

/** A piece of work for an agent. */
export type Task = {
  __typename?: 'Task';
  /** The agent it is given to, with its state; null: any agent. */
  agent?: Maybe<Agent>;
  /** The agent it is given to; null: any agent. */
  assignedTo?: Maybe<Scalars['AgentId']['output']>;
  /** How often it has been started. */
  attempts: Scalars['Int']['output'];
  /** When it was created. */
  createdAt: Scalars['DateTime']['output'];
  /** Who created it. */
  createdBy: UserReference;
  /** When it should be done; null: no matter when. */
  deadline?: Maybe<Scalars['DateTime']['output']>;
  /** HTML of b, i, em, strong and a[href] only; null where there is none. */
  description?: Maybe<Scalars['String']['output']>;
  /** Why it failed; for OPERATOR and up, its creator and its agent. */
  error?: Maybe<Scalars['String']['output']>;
  /** When it ended, however it ended; null: not yet. */
  finishedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The id, task_… */
  id: Scalars['ID']['output'];
  /** How often it may be started. */
  maxAttempts: Scalars['Int']['output'];
  /** What people call it. */
  name: Scalars['String']['output'];
  /** What the agent needs to know; for OPERATOR and up, its creator and its agent. */
  parameters?: Maybe<Scalars['JSONObject']['output']>;
  /** How urgent it is. */
  priority: TaskPriority;
  /** What the agent answered; for OPERATOR and up, its creator and its agent. */
  result?: Maybe<Scalars['JSONObject']['output']>;
  /** When it was first started; null: not yet. */
  startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** Where it stands. */
  status: TaskStatus;
  /** The kind of work. */
  type: TaskType;
  /** When it was last changed. */
  updatedAt: Scalars['DateTime']['output'];
};

/** A page of tasks. */
export type TaskConnection = {
  __typename?: 'TaskConnection';
  /** The tasks with their cursors. */
  edges: Array<TaskEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** A task in a page. */
export type TaskEdge = {
  __typename?: 'TaskEdge';
  /** Where this task stands in the list. */
  cursor: Scalars['String']['output'];
  /** The task. */
  node: Task;
};

/** Which tasks: all conditions must hold. */
export type TaskFilter = {
  /** Given to this agent. */
  assignedTo?: InputMaybe<Scalars['AgentId']['input']>;
  /** Created at this instant or later. */
  createdAfter?: InputMaybe<Scalars['DateTime']['input']>;
  /** Created before this instant. */
  createdBefore?: InputMaybe<Scalars['DateTime']['input']>;
  /** Created by this user. */
  createdBy?: InputMaybe<Scalars['ID']['input']>;
  /** How urgent. */
  priority?: InputMaybe<TaskPriority>;
  /** The status is one of these. */
  status?: InputMaybe<Array<TaskStatus>>;
  /** The kind of work. */
  type?: InputMaybe<TaskType>;
};

/** The order of a list of tasks. Tasks that are equal in it stand in the order of their ids. */
export type TaskOrder =
  /** The oldest first. */
  | 'CREATED_AT_ASC'
  /** The newest first. */
  | 'CREATED_AT_DESC'
  /** The earliest deadline first; tasks without one last. */
  | 'DEADLINE_ASC'
  /** The most urgent first, and the oldest first among those. */
  | 'PRIORITY_DESC';

/** How urgent a task is. */
export type TaskPriority =
  /** First. */
  | 'CRITICAL'
  /** Before others. */
  | 'HIGH'
  /** When there is nothing else. */
  | 'LOW'
  /** As it comes. */
  | 'MEDIUM';

/** Where a task stands. */
export type TaskStatus =
  /** Taken back. */
  | 'CANCELLED'
  /** Given up after its last attempt. */
  | 'FAILED'
  /** Waiting for an agent. */
  | 'PENDING'
  /** An agent works on it. */
  | 'RUNNING'
  /** Done. */
  | 'SUCCEEDED';

/** The kind of work. */
export type TaskType =
  /** Work on data. */
  | 'ANALYSIS'
  /** Work on other agents' work. */
  | 'COORDINATION'
  /** Work that watches. */
  | 'MONITORING';

/** One reading of an agent. */
export type Telemetry = {
  __typename?: 'Telemetry';
  /** The agent. */
  agentId: Scalars['AgentId']['output'];
  /** The measured values by name. */
  metrics: Scalars['JSONObject']['output'];
  /** What the agent said of itself. */
  status: AgentStatus;
  /** When it was measured, to the millisecond. */
  timestamp: Scalars['DateTime']['output'];
};

/** A page of readings. */
export type TelemetryConnection = {
  __typename?: 'TelemetryConnection';
  /** The readings with their cursors. */
  edges: Array<TelemetryEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** A reading in a page. */
export type TelemetryEdge = {
  __typename?: 'TelemetryEdge';
  /** Where this reading stands in the list. */
  cursor: Scalars['String']['output'];
  /** The reading. */
  node: Telemetry;
};

/** A reading to store. */
export type TelemetryInput = {
  /** The agent. */
  agentId: Scalars['AgentId']['input'];
  /** 1 to 64 finite numbers by name: letters, digits, _ and ., at most 64 characters, not beginning with a digit or a dot. */
  metrics: Scalars['JSONObject']['input'];
  /** What the agent says of itself. */
  status: AgentStatus;
  /** When it was measured, not more than 60 seconds ahead. */
  timestamp: Scalars['DateTime']['input'];
};

/** How generous the limits of a caller are. */
export type Tier =
  /** The largest. */
  | 'ENTERPRISE'
  /** The smallest. */
  | 'FREE'
  /** For production services. */
  | 'PREMIUM'
  /** What a person has. */
  | 'STANDARD';

/** The answer of unblockIp. */
export type UnblockIpPayload = {
  __typename?: 'UnblockIpPayload';
  /** The block that has ended. */
  ipBlock: IpBlock;
};

/** What to change of a task. */
export type UpdateTaskInput = {
  /** When it should be done, in the future; null removes it. */
  deadline?: InputMaybe<Scalars['DateTime']['input']>;
  /** HTML, at most 10,000 characters, sanitised to b, i, em, strong and a[href=http(s)]; null removes it. */
  description?: InputMaybe<Scalars['String']['input']>;
  /** What people call it, 1 to 200 characters. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** What the agent needs to know; null removes it. */
  parameters?: InputMaybe<Scalars['JSONObject']['input']>;
  /** How urgent it is. */
  priority?: InputMaybe<TaskPriority>;
};

/** The answer of updateTask. */
export type UpdateTaskPayload = {
  __typename?: 'UpdateTaskPayload';
  /** The changed task. */
  task: Task;
};

/** A person who may log in. */
export type User = {
  __typename?: 'User';
  /** When the user was created. */
  createdAt: Scalars['DateTime']['output'];
  /** Since when the user may not come in; null for an active user. */
  disabledAt?: Maybe<Scalars['DateTime']['output']>;
  /** The address to log in with. */
  email: Scalars['EmailAddress']['output'];
  /** The id, user_… */
  id: Scalars['ID']['output'];
  /** The roles. */
  roles: Array<Role>;
  /** The tier of the user's sessions and tokens. */
  tier: Tier;
};

/** A page of users. */
export type UserConnection = {
  __typename?: 'UserConnection';
  /** The users with their cursors. */
  edges: Array<UserEdge>;
  /** Where the page stands. */
  pageInfo: PageInfo;
};

/** A user in a page. */
export type UserEdge = {
  __typename?: 'UserEdge';
  /** Where this user stands in the list. */
  cursor: Scalars['String']['output'];
  /** The user. */
  node: User;
};

/** A user by id alone. The rest of a user is for that user and for an ADMIN. */
export type UserReference = {
  __typename?: 'UserReference';
  /** The id, user_… */
  id: Scalars['ID']['output'];
};



export type ResolverTypeWrapper<T> = Promise<T> | T;

export type Resolver<TResult, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = ResolverFn<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  | SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs>
  | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<TResult, TKey extends string, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo
) => Maybe<TTypes> | Promise<Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (obj: T, context: TContext, info: GraphQLResolveInfo) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<TResult = Record<PropertyKey, never>, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;





/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  Agent: ResolverTypeWrapper<AgentRow>;
  AgentConnection: ResolverTypeWrapper<Omit<AgentConnection, 'edges'> & { edges: Array<ResolversTypes['AgentEdge']> }>;
  AgentEdge: ResolverTypeWrapper<Omit<AgentEdge, 'node'> & { node: ResolversTypes['Agent'] }>;
  AgentId: ResolverTypeWrapper<Scalars['AgentId']['output']>;
  AgentStatus: AgentStatus;
  ApiKey: ResolverTypeWrapper<ApiKeyView>;
  ApiKeyConnection: ResolverTypeWrapper<Omit<ApiKeyConnection, 'edges'> & { edges: Array<ResolversTypes['ApiKeyEdge']> }>;
  ApiKeyEdge: ResolverTypeWrapper<Omit<ApiKeyEdge, 'node'> & { node: ResolversTypes['ApiKey'] }>;
  AssignTaskPayload: ResolverTypeWrapper<Omit<AssignTaskPayload, 'task'> & { task: ResolversTypes['Task'] }>;
  AuditActor: ResolverTypeWrapper<AuditActor>;
  AuditActorKind: AuditActorKind;
  AuditEvent: ResolverTypeWrapper<AuditEvent>;
  AuditEventConnection: ResolverTypeWrapper<AuditEventConnection>;
  AuditEventEdge: ResolverTypeWrapper<AuditEventEdge>;
  AuditFilter: AuditFilter;
  AuditLevel: AuditLevel;
  AuditOutcome: AuditOutcome;
  AuditTarget: ResolverTypeWrapper<AuditTarget>;
  BlockIpInput: BlockIpInput;
  BlockIpPayload: ResolverTypeWrapper<Omit<BlockIpPayload, 'ipBlock'> & { ipBlock: ResolversTypes['IpBlock'] }>;
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  CancelTaskPayload: ResolverTypeWrapper<Omit<CancelTaskPayload, 'task'> & { task: ResolversTypes['Task'] }>;
  ChangePasswordPayload: ResolverTypeWrapper<Omit<ChangePasswordPayload, 'user'> & { user: ResolversTypes['User'] }>;
  CreateApiKeyInput: CreateApiKeyInput;
  CreateApiKeyPayload: ResolverTypeWrapper<Omit<CreateApiKeyPayload, 'apiKey'> & { apiKey: ResolversTypes['ApiKey'] }>;
  CreateTaskInput: CreateTaskInput;
  CreateTaskPayload: ResolverTypeWrapper<Omit<CreateTaskPayload, 'task'> & { task: ResolversTypes['Task'] }>;
  CreateUserInput: CreateUserInput;
  CreateUserPayload: ResolverTypeWrapper<Omit<CreateUserPayload, 'user'> & { user: ResolversTypes['User'] }>;
  CredentialKind: CredentialKind;
  DateTime: ResolverTypeWrapper<Scalars['DateTime']['output']>;
  DisableUserPayload: ResolverTypeWrapper<Omit<DisableUserPayload, 'user'> & { user: ResolversTypes['User'] }>;
  EmailAddress: ResolverTypeWrapper<Scalars['EmailAddress']['output']>;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  IpBlock: ResolverTypeWrapper<IpBlockView>;
  IpBlockConnection: ResolverTypeWrapper<Omit<IpBlockConnection, 'edges'> & { edges: Array<ResolversTypes['IpBlockEdge']> }>;
  IpBlockEdge: ResolverTypeWrapper<Omit<IpBlockEdge, 'node'> & { node: ResolversTypes['IpBlock'] }>;
  JSONObject: ResolverTypeWrapper<Scalars['JSONObject']['output']>;
  LimitStatus: ResolverTypeWrapper<LimitStatus>;
  LoginPayload: ResolverTypeWrapper<Omit<LoginPayload, 'session' | 'user'> & { session: ResolversTypes['Session'], user: ResolversTypes['User'] }>;
  LogoutPayload: ResolverTypeWrapper<Omit<LogoutPayload, 'session'> & { session: ResolversTypes['Session'] }>;
  Me: ResolverTypeWrapper<Omit<Me, 'apiKey' | 'session' | 'user'> & { apiKey?: Maybe<ResolversTypes['ApiKey']>, session?: Maybe<ResolversTypes['Session']>, user: ResolversTypes['User'] }>;
  Mutation: ResolverTypeWrapper<Record<PropertyKey, never>>;
  PageInfo: ResolverTypeWrapper<PageInfo>;
  PolicyMode: PolicyMode;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  RateLimit: ResolverTypeWrapper<RateLimit>;
  RateLimitCount: RateLimitCount;
  RateLimitFallback: RateLimitFallback;
  RateLimitSubject: RateLimitSubject;
  RefreshAccessTokenPayload: ResolverTypeWrapper<RefreshAccessTokenPayload>;
  RejectedTelemetry: ResolverTypeWrapper<RejectedTelemetry>;
  RevokeAllUserSessionsPayload: ResolverTypeWrapper<RevokeAllUserSessionsPayload>;
  RevokeApiKeyPayload: ResolverTypeWrapper<Omit<RevokeApiKeyPayload, 'apiKey'> & { apiKey: ResolversTypes['ApiKey'] }>;
  RevokeSessionPayload: ResolverTypeWrapper<Omit<RevokeSessionPayload, 'session'> & { session: ResolversTypes['Session'] }>;
  Role: Role;
  RotateApiKeyPayload: ResolverTypeWrapper<Omit<RotateApiKeyPayload, 'apiKey'> & { apiKey: ResolversTypes['ApiKey'] }>;
  SafeInt: ResolverTypeWrapper<Scalars['SafeInt']['output']>;
  Scope: ResolverTypeWrapper<Scalars['Scope']['output']>;
  Session: ResolverTypeWrapper<SessionView>;
  SessionConnection: ResolverTypeWrapper<Omit<SessionConnection, 'edges'> & { edges: Array<ResolversTypes['SessionEdge']> }>;
  SessionEdge: ResolverTypeWrapper<Omit<SessionEdge, 'node'> & { node: ResolversTypes['Session'] }>;
  SetUserRolesPayload: ResolverTypeWrapper<Omit<SetUserRolesPayload, 'user'> & { user: ResolversTypes['User'] }>;
  SetUserTierPayload: ResolverTypeWrapper<Omit<SetUserTierPayload, 'user'> & { user: ResolversTypes['User'] }>;
  Severity: Severity;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
  SubmitTelemetryBatchPayload: ResolverTypeWrapper<SubmitTelemetryBatchPayload>;
  SubmitTelemetryPayload: ResolverTypeWrapper<Omit<SubmitTelemetryPayload, 'telemetry'> & { telemetry: ResolversTypes['Telemetry'] }>;
  Task: ResolverTypeWrapper<TaskView>;
  TaskConnection: ResolverTypeWrapper<Omit<TaskConnection, 'edges'> & { edges: Array<ResolversTypes['TaskEdge']> }>;
  TaskEdge: ResolverTypeWrapper<Omit<TaskEdge, 'node'> & { node: ResolversTypes['Task'] }>;
  TaskFilter: TaskFilter;
  TaskOrder: TaskOrder;
  TaskPriority: TaskPriority;
  TaskStatus: TaskStatus;
  TaskType: TaskType;
  Telemetry: ResolverTypeWrapper<TelemetryRow>;
  TelemetryConnection: ResolverTypeWrapper<Omit<TelemetryConnection, 'edges'> & { edges: Array<ResolversTypes['TelemetryEdge']> }>;
  TelemetryEdge: ResolverTypeWrapper<Omit<TelemetryEdge, 'node'> & { node: ResolversTypes['Telemetry'] }>;
  TelemetryInput: TelemetryInput;
  Tier: Tier;
  UnblockIpPayload: ResolverTypeWrapper<Omit<UnblockIpPayload, 'ipBlock'> & { ipBlock: ResolversTypes['IpBlock'] }>;
  UpdateTaskInput: UpdateTaskInput;
  UpdateTaskPayload: ResolverTypeWrapper<Omit<UpdateTaskPayload, 'task'> & { task: ResolversTypes['Task'] }>;
  User: ResolverTypeWrapper<UserView>;
  UserConnection: ResolverTypeWrapper<Omit<UserConnection, 'edges'> & { edges: Array<ResolversTypes['UserEdge']> }>;
  UserEdge: ResolverTypeWrapper<Omit<UserEdge, 'node'> & { node: ResolversTypes['User'] }>;
  UserReference: ResolverTypeWrapper<UserReference>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  Agent: AgentRow;
  AgentConnection: Omit<AgentConnection, 'edges'> & { edges: Array<ResolversParentTypes['AgentEdge']> };
  AgentEdge: Omit<AgentEdge, 'node'> & { node: ResolversParentTypes['Agent'] };
  AgentId: Scalars['AgentId']['output'];
  ApiKey: ApiKeyView;
  ApiKeyConnection: Omit<ApiKeyConnection, 'edges'> & { edges: Array<ResolversParentTypes['ApiKeyEdge']> };
  ApiKeyEdge: Omit<ApiKeyEdge, 'node'> & { node: ResolversParentTypes['ApiKey'] };
  AssignTaskPayload: Omit<AssignTaskPayload, 'task'> & { task: ResolversParentTypes['Task'] };
  AuditActor: AuditActor;
  AuditEvent: AuditEvent;
  AuditEventConnection: AuditEventConnection;
  AuditEventEdge: AuditEventEdge;
  AuditFilter: AuditFilter;
  AuditTarget: AuditTarget;
  BlockIpInput: BlockIpInput;
  BlockIpPayload: Omit<BlockIpPayload, 'ipBlock'> & { ipBlock: ResolversParentTypes['IpBlock'] };
  Boolean: Scalars['Boolean']['output'];
  CancelTaskPayload: Omit<CancelTaskPayload, 'task'> & { task: ResolversParentTypes['Task'] };
  ChangePasswordPayload: Omit<ChangePasswordPayload, 'user'> & { user: ResolversParentTypes['User'] };
  CreateApiKeyInput: CreateApiKeyInput;
  CreateApiKeyPayload: Omit<CreateApiKeyPayload, 'apiKey'> & { apiKey: ResolversParentTypes['ApiKey'] };
  CreateTaskInput: CreateTaskInput;
  CreateTaskPayload: Omit<CreateTaskPayload, 'task'> & { task: ResolversParentTypes['Task'] };
  CreateUserInput: CreateUserInput;
  CreateUserPayload: Omit<CreateUserPayload, 'user'> & { user: ResolversParentTypes['User'] };
  DateTime: Scalars['DateTime']['output'];
  DisableUserPayload: Omit<DisableUserPayload, 'user'> & { user: ResolversParentTypes['User'] };
  EmailAddress: Scalars['EmailAddress']['output'];
  ID: Scalars['ID']['output'];
  Int: Scalars['Int']['output'];
  IpBlock: IpBlockView;
  IpBlockConnection: Omit<IpBlockConnection, 'edges'> & { edges: Array<ResolversParentTypes['IpBlockEdge']> };
  IpBlockEdge: Omit<IpBlockEdge, 'node'> & { node: ResolversParentTypes['IpBlock'] };
  JSONObject: Scalars['JSONObject']['output'];
  LimitStatus: LimitStatus;
  LoginPayload: Omit<LoginPayload, 'session' | 'user'> & { session: ResolversParentTypes['Session'], user: ResolversParentTypes['User'] };
  LogoutPayload: Omit<LogoutPayload, 'session'> & { session: ResolversParentTypes['Session'] };
  Me: Omit<Me, 'apiKey' | 'session' | 'user'> & { apiKey?: Maybe<ResolversParentTypes['ApiKey']>, session?: Maybe<ResolversParentTypes['Session']>, user: ResolversParentTypes['User'] };
  Mutation: Record<PropertyKey, never>;
  PageInfo: PageInfo;
  Query: Record<PropertyKey, never>;
  RateLimit: RateLimit;
  RefreshAccessTokenPayload: RefreshAccessTokenPayload;
  RejectedTelemetry: RejectedTelemetry;
  RevokeAllUserSessionsPayload: RevokeAllUserSessionsPayload;
  RevokeApiKeyPayload: Omit<RevokeApiKeyPayload, 'apiKey'> & { apiKey: ResolversParentTypes['ApiKey'] };
  RevokeSessionPayload: Omit<RevokeSessionPayload, 'session'> & { session: ResolversParentTypes['Session'] };
  RotateApiKeyPayload: Omit<RotateApiKeyPayload, 'apiKey'> & { apiKey: ResolversParentTypes['ApiKey'] };
  SafeInt: Scalars['SafeInt']['output'];
  Scope: Scalars['Scope']['output'];
  Session: SessionView;
  SessionConnection: Omit<SessionConnection, 'edges'> & { edges: Array<ResolversParentTypes['SessionEdge']> };
  SessionEdge: Omit<SessionEdge, 'node'> & { node: ResolversParentTypes['Session'] };
  SetUserRolesPayload: Omit<SetUserRolesPayload, 'user'> & { user: ResolversParentTypes['User'] };
  SetUserTierPayload: Omit<SetUserTierPayload, 'user'> & { user: ResolversParentTypes['User'] };
  String: Scalars['String']['output'];
  SubmitTelemetryBatchPayload: SubmitTelemetryBatchPayload;
  SubmitTelemetryPayload: Omit<SubmitTelemetryPayload, 'telemetry'> & { telemetry: ResolversParentTypes['Telemetry'] };
  Task: TaskView;
  TaskConnection: Omit<TaskConnection, 'edges'> & { edges: Array<ResolversParentTypes['TaskEdge']> };
  TaskEdge: Omit<TaskEdge, 'node'> & { node: ResolversParentTypes['Task'] };
  TaskFilter: TaskFilter;
  Telemetry: TelemetryRow;
  TelemetryConnection: Omit<TelemetryConnection, 'edges'> & { edges: Array<ResolversParentTypes['TelemetryEdge']> };
  TelemetryEdge: Omit<TelemetryEdge, 'node'> & { node: ResolversParentTypes['Telemetry'] };
  TelemetryInput: TelemetryInput;
  UnblockIpPayload: Omit<UnblockIpPayload, 'ipBlock'> & { ipBlock: ResolversParentTypes['IpBlock'] };
  UpdateTaskInput: UpdateTaskInput;
  UpdateTaskPayload: Omit<UpdateTaskPayload, 'task'> & { task: ResolversParentTypes['Task'] };
  User: UserView;
  UserConnection: Omit<UserConnection, 'edges'> & { edges: Array<ResolversParentTypes['UserEdge']> };
  UserEdge: Omit<UserEdge, 'node'> & { node: ResolversParentTypes['User'] };
  UserReference: UserReference;
};

export type AuditDirectiveArgs = {
  action: Scalars['String']['input'];
  level?: Maybe<AuditLevel>;
  redact?: Maybe<Array<Scalars['String']['input']>>;
  severity?: Maybe<Severity>;
};

export type AuditDirectiveResolver<Result, Parent, ContextType = Context, Args = AuditDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type AuthDirectiveArgs = {
  credentials?: Maybe<Array<CredentialKind>>;
  maxAgeSeconds?: Maybe<Scalars['Int']['input']>;
  owner?: Maybe<Array<Scalars['String']['input']>>;
  roles?: Maybe<Array<Role>>;
  scopes?: Maybe<Array<Array<Scalars['Scope']['input']>>>;
};

export type AuthDirectiveResolver<Result, Parent, ContextType = Context, Args = AuthDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type CostDirectiveArgs = {
  weight: Scalars['Int']['input'];
};

export type CostDirectiveResolver<Result, Parent, ContextType = Context, Args = CostDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type ListSizeDirectiveArgs = {
  assumedSize?: Maybe<Scalars['Int']['input']>;
  sizedFields?: Maybe<Array<Scalars['String']['input']>>;
  slicingArguments?: Maybe<Array<Scalars['String']['input']>>;
};

export type ListSizeDirectiveResolver<Result, Parent, ContextType = Context, Args = ListSizeDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type PublicDirectiveArgs = { };

export type PublicDirectiveResolver<Result, Parent, ContextType = Context, Args = PublicDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type QuotaDirectiveArgs = {
  argument: Scalars['String']['input'];
  per: Scalars['Int']['input'];
};

export type QuotaDirectiveResolver<Result, Parent, ContextType = Context, Args = QuotaDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type RateLimitDirectiveArgs = {
  count?: Maybe<RateLimitCount>;
  fallback?: Maybe<RateLimitFallback>;
  identityArgs?: Maybe<Array<Scalars['String']['input']>>;
  max: Scalars['Int']['input'];
  mode?: Maybe<PolicyMode>;
  ownAccount?: Maybe<Scalars['String']['input']>;
  per?: Maybe<RateLimitSubject>;
  window: Scalars['String']['input'];
};

export type RateLimitDirectiveResolver<Result, Parent, ContextType = Context, Args = RateLimitDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type AgentResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Agent'] = ResolversParentTypes['Agent']> = {
  id?: Resolver<ResolversTypes['AgentId'], ParentType, ContextType>;
  lastSeenAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  latestTelemetry?: Resolver<Maybe<ResolversTypes['Telemetry']>, ParentType, ContextType>;
  status?: Resolver<ResolversTypes['AgentStatus'], ParentType, ContextType>;
  tasks?: Resolver<Maybe<ResolversTypes['TaskConnection']>, ParentType, ContextType, Partial<AgentTasksArgs>>;
};

export type AgentConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AgentConnection'] = ResolversParentTypes['AgentConnection']> = {
  edges?: Resolver<Array<ResolversTypes['AgentEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type AgentEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AgentEdge'] = ResolversParentTypes['AgentEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Agent'], ParentType, ContextType>;
};

export interface AgentIdScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['AgentId'], any> {
  name: 'AgentId';
}

export type ApiKeyResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ApiKey'] = ResolversParentTypes['ApiKey']> = {
  agentId?: Resolver<Maybe<ResolversTypes['AgentId']>, ParentType, ContextType>;
  allowedIps?: Resolver<Array<ResolversTypes['String']>, ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  documents?: Resolver<Maybe<Array<ResolversTypes['String']>>, ParentType, ContextType>;
  expiresAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  lastUsedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  owner?: Resolver<ResolversTypes['UserReference'], ParentType, ContextType>;
  previousExpiresAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  revokedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  role?: Resolver<ResolversTypes['Role'], ParentType, ContextType>;
  rotatedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  scopes?: Resolver<Array<ResolversTypes['Scope']>, ParentType, ContextType>;
  start?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  tier?: Resolver<ResolversTypes['Tier'], ParentType, ContextType>;
};

export type ApiKeyConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ApiKeyConnection'] = ResolversParentTypes['ApiKeyConnection']> = {
  edges?: Resolver<Array<ResolversTypes['ApiKeyEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type ApiKeyEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ApiKeyEdge'] = ResolversParentTypes['ApiKeyEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['ApiKey'], ParentType, ContextType>;
};

export type AssignTaskPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AssignTaskPayload'] = ResolversParentTypes['AssignTaskPayload']> = {
  task?: Resolver<ResolversTypes['Task'], ParentType, ContextType>;
};

export type AuditActorResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AuditActor'] = ResolversParentTypes['AuditActor']> = {
  credentialId?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  id?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  kind?: Resolver<ResolversTypes['AuditActorKind'], ParentType, ContextType>;
};

export type AuditEventResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AuditEvent'] = ResolversParentTypes['AuditEvent']> = {
  action?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  actor?: Resolver<ResolversTypes['AuditActor'], ParentType, ContextType>;
  detail?: Resolver<Maybe<ResolversTypes['JSONObject']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  ip?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  occurredAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  outcome?: Resolver<ResolversTypes['AuditOutcome'], ParentType, ContextType>;
  requestId?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  sequence?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  severity?: Resolver<ResolversTypes['Severity'], ParentType, ContextType>;
  targets?: Resolver<Array<ResolversTypes['AuditTarget']>, ParentType, ContextType>;
  userAgent?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type AuditEventConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AuditEventConnection'] = ResolversParentTypes['AuditEventConnection']> = {
  edges?: Resolver<Array<ResolversTypes['AuditEventEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type AuditEventEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AuditEventEdge'] = ResolversParentTypes['AuditEventEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['AuditEvent'], ParentType, ContextType>;
};

export type AuditTargetResolvers<ContextType = Context, ParentType extends ResolversParentTypes['AuditTarget'] = ResolversParentTypes['AuditTarget']> = {
  id?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  type?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type BlockIpPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['BlockIpPayload'] = ResolversParentTypes['BlockIpPayload']> = {
  ipBlock?: Resolver<ResolversTypes['IpBlock'], ParentType, ContextType>;
};

export type CancelTaskPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CancelTaskPayload'] = ResolversParentTypes['CancelTaskPayload']> = {
  task?: Resolver<ResolversTypes['Task'], ParentType, ContextType>;
};

export type ChangePasswordPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ChangePasswordPayload'] = ResolversParentTypes['ChangePasswordPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type CreateApiKeyPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CreateApiKeyPayload'] = ResolversParentTypes['CreateApiKeyPayload']> = {
  apiKey?: Resolver<ResolversTypes['ApiKey'], ParentType, ContextType>;
  secret?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type CreateTaskPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CreateTaskPayload'] = ResolversParentTypes['CreateTaskPayload']> = {
  task?: Resolver<ResolversTypes['Task'], ParentType, ContextType>;
};

export type CreateUserPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['CreateUserPayload'] = ResolversParentTypes['CreateUserPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export type DisableUserPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['DisableUserPayload'] = ResolversParentTypes['DisableUserPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export interface EmailAddressScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['EmailAddress'], any> {
  name: 'EmailAddress';
}

export type IpBlockResolvers<ContextType = Context, ParentType extends ResolversParentTypes['IpBlock'] = ResolversParentTypes['IpBlock']> = {
  automatic?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  cidr?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  createdBy?: Resolver<Maybe<ResolversTypes['UserReference']>, ParentType, ContextType>;
  expiresAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  reason?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type IpBlockConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['IpBlockConnection'] = ResolversParentTypes['IpBlockConnection']> = {
  edges?: Resolver<Array<ResolversTypes['IpBlockEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type IpBlockEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['IpBlockEdge'] = ResolversParentTypes['IpBlockEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['IpBlock'], ParentType, ContextType>;
};

export interface JsonObjectScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['JSONObject'], any> {
  name: 'JSONObject';
}

export type LimitStatusResolvers<ContextType = Context, ParentType extends ResolversParentTypes['LimitStatus'] = ResolversParentTypes['LimitStatus']> = {
  limit?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  remaining?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  resetAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  windowSeconds?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type LoginPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['LoginPayload'] = ResolversParentTypes['LoginPayload']> = {
  accessToken?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  accessTokenExpiresAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  session?: Resolver<ResolversTypes['Session'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type LogoutPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['LogoutPayload'] = ResolversParentTypes['LogoutPayload']> = {
  session?: Resolver<ResolversTypes['Session'], ParentType, ContextType>;
};

export type MeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Me'] = ResolversParentTypes['Me']> = {
  apiKey?: Resolver<Maybe<ResolversTypes['ApiKey']>, ParentType, ContextType>;
  kind?: Resolver<ResolversTypes['CredentialKind'], ParentType, ContextType>;
  roles?: Resolver<Array<ResolversTypes['Role']>, ParentType, ContextType>;
  scopes?: Resolver<Array<ResolversTypes['Scope']>, ParentType, ContextType>;
  session?: Resolver<Maybe<ResolversTypes['Session']>, ParentType, ContextType>;
  tier?: Resolver<ResolversTypes['Tier'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type MutationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Mutation'] = ResolversParentTypes['Mutation']> = {
  assignTask?: Resolver<Maybe<ResolversTypes['AssignTaskPayload']>, ParentType, ContextType, RequireFields<MutationAssignTaskArgs, 'agentId' | 'id'>>;
  blockIp?: Resolver<Maybe<ResolversTypes['BlockIpPayload']>, ParentType, ContextType, RequireFields<MutationBlockIpArgs, 'input'>>;
  cancelTask?: Resolver<Maybe<ResolversTypes['CancelTaskPayload']>, ParentType, ContextType, RequireFields<MutationCancelTaskArgs, 'id'>>;
  changePassword?: Resolver<Maybe<ResolversTypes['ChangePasswordPayload']>, ParentType, ContextType, RequireFields<MutationChangePasswordArgs, 'currentPassword' | 'newPassword'>>;
  createApiKey?: Resolver<Maybe<ResolversTypes['CreateApiKeyPayload']>, ParentType, ContextType, RequireFields<MutationCreateApiKeyArgs, 'input'>>;
  createTask?: Resolver<Maybe<ResolversTypes['CreateTaskPayload']>, ParentType, ContextType, RequireFields<MutationCreateTaskArgs, 'input'>>;
  createUser?: Resolver<Maybe<ResolversTypes['CreateUserPayload']>, ParentType, ContextType, RequireFields<MutationCreateUserArgs, 'input'>>;
  disableUser?: Resolver<Maybe<ResolversTypes['DisableUserPayload']>, ParentType, ContextType, RequireFields<MutationDisableUserArgs, 'userId'>>;
  login?: Resolver<Maybe<ResolversTypes['LoginPayload']>, ParentType, ContextType, RequireFields<MutationLoginArgs, 'email' | 'password'>>;
  logout?: Resolver<Maybe<ResolversTypes['LogoutPayload']>, ParentType, ContextType>;
  refreshAccessToken?: Resolver<Maybe<ResolversTypes['RefreshAccessTokenPayload']>, ParentType, ContextType>;
  revokeAllUserSessions?: Resolver<Maybe<ResolversTypes['RevokeAllUserSessionsPayload']>, ParentType, ContextType, RequireFields<MutationRevokeAllUserSessionsArgs, 'userId'>>;
  revokeApiKey?: Resolver<Maybe<ResolversTypes['RevokeApiKeyPayload']>, ParentType, ContextType, RequireFields<MutationRevokeApiKeyArgs, 'id'>>;
  revokeSession?: Resolver<Maybe<ResolversTypes['RevokeSessionPayload']>, ParentType, ContextType, RequireFields<MutationRevokeSessionArgs, 'id'>>;
  rotateApiKey?: Resolver<Maybe<ResolversTypes['RotateApiKeyPayload']>, ParentType, ContextType, RequireFields<MutationRotateApiKeyArgs, 'id' | 'overlapSeconds'>>;
  setUserRoles?: Resolver<Maybe<ResolversTypes['SetUserRolesPayload']>, ParentType, ContextType, RequireFields<MutationSetUserRolesArgs, 'roles' | 'userId'>>;
  setUserTier?: Resolver<Maybe<ResolversTypes['SetUserTierPayload']>, ParentType, ContextType, RequireFields<MutationSetUserTierArgs, 'tier' | 'userId'>>;
  submitTelemetry?: Resolver<Maybe<ResolversTypes['SubmitTelemetryPayload']>, ParentType, ContextType, RequireFields<MutationSubmitTelemetryArgs, 'input'>>;
  submitTelemetryBatch?: Resolver<Maybe<ResolversTypes['SubmitTelemetryBatchPayload']>, ParentType, ContextType, RequireFields<MutationSubmitTelemetryBatchArgs, 'inputs'>>;
  unblockIp?: Resolver<Maybe<ResolversTypes['UnblockIpPayload']>, ParentType, ContextType, RequireFields<MutationUnblockIpArgs, 'id'>>;
  updateTask?: Resolver<Maybe<ResolversTypes['UpdateTaskPayload']>, ParentType, ContextType, RequireFields<MutationUpdateTaskArgs, 'id' | 'input'>>;
};

export type PageInfoResolvers<ContextType = Context, ParentType extends ResolversParentTypes['PageInfo'] = ResolversParentTypes['PageInfo']> = {
  endCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  hasNextPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  hasPreviousPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  startCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type QueryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  agent?: Resolver<Maybe<ResolversTypes['Agent']>, ParentType, ContextType, RequireFields<QueryAgentArgs, 'id'>>;
  agents?: Resolver<Maybe<ResolversTypes['AgentConnection']>, ParentType, ContextType, Partial<QueryAgentsArgs>>;
  apiKey?: Resolver<Maybe<ResolversTypes['ApiKey']>, ParentType, ContextType, RequireFields<QueryApiKeyArgs, 'id'>>;
  apiKeys?: Resolver<Maybe<ResolversTypes['ApiKeyConnection']>, ParentType, ContextType, Partial<QueryApiKeysArgs>>;
  auditEvents?: Resolver<Maybe<ResolversTypes['AuditEventConnection']>, ParentType, ContextType, Partial<QueryAuditEventsArgs>>;
  ipBlocks?: Resolver<Maybe<ResolversTypes['IpBlockConnection']>, ParentType, ContextType, Partial<QueryIpBlocksArgs>>;
  me?: Resolver<Maybe<ResolversTypes['Me']>, ParentType, ContextType>;
  rateLimit?: Resolver<Maybe<ResolversTypes['RateLimit']>, ParentType, ContextType>;
  sessions?: Resolver<Maybe<ResolversTypes['SessionConnection']>, ParentType, ContextType, Partial<QuerySessionsArgs>>;
  task?: Resolver<Maybe<ResolversTypes['Task']>, ParentType, ContextType, RequireFields<QueryTaskArgs, 'id'>>;
  tasks?: Resolver<Maybe<ResolversTypes['TaskConnection']>, ParentType, ContextType, RequireFields<QueryTasksArgs, 'orderBy'>>;
  telemetry?: Resolver<Maybe<ResolversTypes['TelemetryConnection']>, ParentType, ContextType, RequireFields<QueryTelemetryArgs, 'agentId'>>;
  users?: Resolver<Maybe<ResolversTypes['UserConnection']>, ParentType, ContextType, Partial<QueryUsersArgs>>;
};

export type RateLimitResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RateLimit'] = ResolversParentTypes['RateLimit']> = {
  cost?: Resolver<ResolversTypes['SafeInt'], ParentType, ContextType>;
  limits?: Resolver<Array<ResolversTypes['LimitStatus']>, ParentType, ContextType>;
  tier?: Resolver<Maybe<ResolversTypes['Tier']>, ParentType, ContextType>;
};

export type RefreshAccessTokenPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RefreshAccessTokenPayload'] = ResolversParentTypes['RefreshAccessTokenPayload']> = {
  accessToken?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  accessTokenExpiresAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
};

export type RejectedTelemetryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RejectedTelemetry'] = ResolversParentTypes['RejectedTelemetry']> = {
  code?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  field?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  index?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  message?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type RevokeAllUserSessionsPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RevokeAllUserSessionsPayload'] = ResolversParentTypes['RevokeAllUserSessionsPayload']> = {
  revokedCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type RevokeApiKeyPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RevokeApiKeyPayload'] = ResolversParentTypes['RevokeApiKeyPayload']> = {
  apiKey?: Resolver<ResolversTypes['ApiKey'], ParentType, ContextType>;
};

export type RevokeSessionPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RevokeSessionPayload'] = ResolversParentTypes['RevokeSessionPayload']> = {
  session?: Resolver<ResolversTypes['Session'], ParentType, ContextType>;
};

export type RotateApiKeyPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['RotateApiKeyPayload'] = ResolversParentTypes['RotateApiKeyPayload']> = {
  apiKey?: Resolver<ResolversTypes['ApiKey'], ParentType, ContextType>;
  secret?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export interface SafeIntScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['SafeInt'], any> {
  name: 'SafeInt';
}

export interface ScopeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['Scope'], any> {
  name: 'Scope';
}

export type SessionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Session'] = ResolversParentTypes['Session']> = {
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  current?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  expiresAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  ip?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  lastSeenAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  revokedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  user?: Resolver<ResolversTypes['UserReference'], ParentType, ContextType>;
  userAgent?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type SessionConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SessionConnection'] = ResolversParentTypes['SessionConnection']> = {
  edges?: Resolver<Array<ResolversTypes['SessionEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type SessionEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SessionEdge'] = ResolversParentTypes['SessionEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Session'], ParentType, ContextType>;
};

export type SetUserRolesPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SetUserRolesPayload'] = ResolversParentTypes['SetUserRolesPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type SetUserTierPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SetUserTierPayload'] = ResolversParentTypes['SetUserTierPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type SubmitTelemetryBatchPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SubmitTelemetryBatchPayload'] = ResolversParentTypes['SubmitTelemetryBatchPayload']> = {
  accepted?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  duplicates?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  rejected?: Resolver<Array<ResolversTypes['RejectedTelemetry']>, ParentType, ContextType>;
};

export type SubmitTelemetryPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['SubmitTelemetryPayload'] = ResolversParentTypes['SubmitTelemetryPayload']> = {
  telemetry?: Resolver<ResolversTypes['Telemetry'], ParentType, ContextType>;
};

export type TaskResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Task'] = ResolversParentTypes['Task']> = {
  agent?: Resolver<Maybe<ResolversTypes['Agent']>, ParentType, ContextType>;
  assignedTo?: Resolver<Maybe<ResolversTypes['AgentId']>, ParentType, ContextType>;
  attempts?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  createdBy?: Resolver<ResolversTypes['UserReference'], ParentType, ContextType>;
  deadline?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  description?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  error?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  finishedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  maxAttempts?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  parameters?: Resolver<Maybe<ResolversTypes['JSONObject']>, ParentType, ContextType>;
  priority?: Resolver<ResolversTypes['TaskPriority'], ParentType, ContextType>;
  result?: Resolver<Maybe<ResolversTypes['JSONObject']>, ParentType, ContextType>;
  startedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  status?: Resolver<ResolversTypes['TaskStatus'], ParentType, ContextType>;
  type?: Resolver<ResolversTypes['TaskType'], ParentType, ContextType>;
  updatedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
};

export type TaskConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TaskConnection'] = ResolversParentTypes['TaskConnection']> = {
  edges?: Resolver<Array<ResolversTypes['TaskEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type TaskEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TaskEdge'] = ResolversParentTypes['TaskEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Task'], ParentType, ContextType>;
};

export type TelemetryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Telemetry'] = ResolversParentTypes['Telemetry']> = {
  agentId?: Resolver<ResolversTypes['AgentId'], ParentType, ContextType>;
  metrics?: Resolver<ResolversTypes['JSONObject'], ParentType, ContextType>;
  status?: Resolver<ResolversTypes['AgentStatus'], ParentType, ContextType>;
  timestamp?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
};

export type TelemetryConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TelemetryConnection'] = ResolversParentTypes['TelemetryConnection']> = {
  edges?: Resolver<Array<ResolversTypes['TelemetryEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type TelemetryEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TelemetryEdge'] = ResolversParentTypes['TelemetryEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Telemetry'], ParentType, ContextType>;
};

export type UnblockIpPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UnblockIpPayload'] = ResolversParentTypes['UnblockIpPayload']> = {
  ipBlock?: Resolver<ResolversTypes['IpBlock'], ParentType, ContextType>;
};

export type UpdateTaskPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UpdateTaskPayload'] = ResolversParentTypes['UpdateTaskPayload']> = {
  task?: Resolver<ResolversTypes['Task'], ParentType, ContextType>;
};

export type UserResolvers<ContextType = Context, ParentType extends ResolversParentTypes['User'] = ResolversParentTypes['User']> = {
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  disabledAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  email?: Resolver<ResolversTypes['EmailAddress'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  roles?: Resolver<Array<ResolversTypes['Role']>, ParentType, ContextType>;
  tier?: Resolver<ResolversTypes['Tier'], ParentType, ContextType>;
};

export type UserConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserConnection'] = ResolversParentTypes['UserConnection']> = {
  edges?: Resolver<Array<ResolversTypes['UserEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
};

export type UserEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserEdge'] = ResolversParentTypes['UserEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type UserReferenceResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserReference'] = ResolversParentTypes['UserReference']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
};

export type Resolvers<ContextType = Context> = {
  Agent?: AgentResolvers<ContextType>;
  AgentConnection?: AgentConnectionResolvers<ContextType>;
  AgentEdge?: AgentEdgeResolvers<ContextType>;
  AgentId?: GraphQLScalarType;
  ApiKey?: ApiKeyResolvers<ContextType>;
  ApiKeyConnection?: ApiKeyConnectionResolvers<ContextType>;
  ApiKeyEdge?: ApiKeyEdgeResolvers<ContextType>;
  AssignTaskPayload?: AssignTaskPayloadResolvers<ContextType>;
  AuditActor?: AuditActorResolvers<ContextType>;
  AuditEvent?: AuditEventResolvers<ContextType>;
  AuditEventConnection?: AuditEventConnectionResolvers<ContextType>;
  AuditEventEdge?: AuditEventEdgeResolvers<ContextType>;
  AuditTarget?: AuditTargetResolvers<ContextType>;
  BlockIpPayload?: BlockIpPayloadResolvers<ContextType>;
  CancelTaskPayload?: CancelTaskPayloadResolvers<ContextType>;
  ChangePasswordPayload?: ChangePasswordPayloadResolvers<ContextType>;
  CreateApiKeyPayload?: CreateApiKeyPayloadResolvers<ContextType>;
  CreateTaskPayload?: CreateTaskPayloadResolvers<ContextType>;
  CreateUserPayload?: CreateUserPayloadResolvers<ContextType>;
  DateTime?: GraphQLScalarType;
  DisableUserPayload?: DisableUserPayloadResolvers<ContextType>;
  EmailAddress?: GraphQLScalarType;
  IpBlock?: IpBlockResolvers<ContextType>;
  IpBlockConnection?: IpBlockConnectionResolvers<ContextType>;
  IpBlockEdge?: IpBlockEdgeResolvers<ContextType>;
  JSONObject?: GraphQLScalarType;
  LimitStatus?: LimitStatusResolvers<ContextType>;
  LoginPayload?: LoginPayloadResolvers<ContextType>;
  LogoutPayload?: LogoutPayloadResolvers<ContextType>;
  Me?: MeResolvers<ContextType>;
  Mutation?: MutationResolvers<ContextType>;
  PageInfo?: PageInfoResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  RateLimit?: RateLimitResolvers<ContextType>;
  RefreshAccessTokenPayload?: RefreshAccessTokenPayloadResolvers<ContextType>;
  RejectedTelemetry?: RejectedTelemetryResolvers<ContextType>;
  RevokeAllUserSessionsPayload?: RevokeAllUserSessionsPayloadResolvers<ContextType>;
  RevokeApiKeyPayload?: RevokeApiKeyPayloadResolvers<ContextType>;
  RevokeSessionPayload?: RevokeSessionPayloadResolvers<ContextType>;
  RotateApiKeyPayload?: RotateApiKeyPayloadResolvers<ContextType>;
  SafeInt?: GraphQLScalarType;
  Scope?: GraphQLScalarType;
  Session?: SessionResolvers<ContextType>;
  SessionConnection?: SessionConnectionResolvers<ContextType>;
  SessionEdge?: SessionEdgeResolvers<ContextType>;
  SetUserRolesPayload?: SetUserRolesPayloadResolvers<ContextType>;
  SetUserTierPayload?: SetUserTierPayloadResolvers<ContextType>;
  SubmitTelemetryBatchPayload?: SubmitTelemetryBatchPayloadResolvers<ContextType>;
  SubmitTelemetryPayload?: SubmitTelemetryPayloadResolvers<ContextType>;
  Task?: TaskResolvers<ContextType>;
  TaskConnection?: TaskConnectionResolvers<ContextType>;
  TaskEdge?: TaskEdgeResolvers<ContextType>;
  Telemetry?: TelemetryResolvers<ContextType>;
  TelemetryConnection?: TelemetryConnectionResolvers<ContextType>;
  TelemetryEdge?: TelemetryEdgeResolvers<ContextType>;
  UnblockIpPayload?: UnblockIpPayloadResolvers<ContextType>;
  UpdateTaskPayload?: UpdateTaskPayloadResolvers<ContextType>;
  User?: UserResolvers<ContextType>;
  UserConnection?: UserConnectionResolvers<ContextType>;
  UserEdge?: UserEdgeResolvers<ContextType>;
  UserReference?: UserReferenceResolvers<ContextType>;
};

export type DirectiveResolvers<ContextType = Context> = {
  audit?: AuditDirectiveResolver<any, any, ContextType>;
  auth?: AuthDirectiveResolver<any, any, ContextType>;
  cost?: CostDirectiveResolver<any, any, ContextType>;
  listSize?: ListSizeDirectiveResolver<any, any, ContextType>;
  public?: PublicDirectiveResolver<any, any, ContextType>;
  quota?: QuotaDirectiveResolver<any, any, ContextType>;
  rateLimit?: RateLimitDirectiveResolver<any, any, ContextType>;
};
