import { describe, expect, test } from 'vitest';
import type { Bounds } from '../../src/apiKeys/grants.ts';
import { parseNewApiKey, parseOverlapSeconds } from '../../src/apiKeys/input.ts';
import type { ApiKeyOwner } from '../../src/apiKeys/repository.ts';
import type { Principal } from '../../src/auth/principal.ts';
import { type Role, type Scope, scopes, scopesOfRoles, type Tier } from '../../src/auth/roles.ts';
import { InputError } from '../../src/errors.ts';
import type { CreateApiKeyInput } from '../../src/graphql/types.generated.ts';

function caller(role: Role, scopes: Iterable<Scope> = scopesOfRoles([role])): Principal {
  return {
    kind: 'SESSION',
    userId: 'user_1',
    roles: [role],
    scopes: new Set(scopes),
    tier: 'STANDARD',
    agentId: null,
    apiKeyId: null,
    keyHash: null,
    sessionId: 'sess_1',
    authenticatedAt: null,
    basis: { subjects: ['global', 'user_1', 'sess_1'], epochs: [0, 0, 0] },
  };
}

const owner = (role: Role, tier: Tier = 'STANDARD'): ApiKeyOwner => ({ id: 'user_1', roles: [role], tier });
const input = (changes: Partial<CreateApiKeyInput> = {}): CreateApiKeyInput => ({
  name: 'a key',
  scopes: ['tasks:read'],
  ...changes,
});

const hash = (digit: string) => digit.repeat(64);

const used: ReadonlySet<Scope> = new Set(scopes.filter((scope) => scope !== 'incidents:write'));

/** The fields with problems. */
function problemsOf(
  changes: Partial<CreateApiKeyInput>,
  by: Principal,
  of: ApiKeyOwner,
  maker: Bounds | null = null,
): string[] {
  try {
    parseNewApiKey(input(changes), by, of, maker, used);
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return (error.extensions.problems as { field: string }[]).map(({ field }) => field);
  }
}

describe('a new key', () => {
  test('is a VIEWER of the smallest tier from anywhere for ever, where nothing else is said', () => {
    const rest = { tier: null, role: null, agentId: null, allowedIps: null, documents: null, expiresAt: null };
    const expected = {
      ...{ name: 'a key', scopes: ['tasks:read'], ownerId: 'user_1' },
      ...{ role: 'VIEWER', tier: 'FREE', agentId: null, allowedIps: [], documents: null, expiresAt: null },
    };
    expect(parseNewApiKey(input(), caller('VIEWER'), owner('VIEWER'), null, used)).toEqual(expected);
    expect(parseNewApiKey(input(rest), caller('VIEWER'), owner('VIEWER'), null, used)).toEqual(expected);
  });

  test('has no scope that no field asks for', () => {
    expect(problemsOf({ role: 'ADMIN', scopes: ['incidents:write'] }, caller('ADMIN'), owner('ADMIN'))).toEqual([
      'input.scopes',
    ]);
  });

  test('with an agentId is an AGENT', () => {
    const key = parseNewApiKey(input({ agentId: 'agent-1' }), caller('OPERATOR'), owner('OPERATOR'), null, used);
    expect(key).toMatchObject({ role: 'AGENT', agentId: 'agent-1' });
  });

  test.each<[Partial<CreateApiKeyInput>, string[]]>([
    [{ name: '' }, ['input.name']],
    [{ name: 'x'.repeat(201) }, ['input.name']],
    [{ name: 'a\0b' }, ['input.name']],
    [{ scopes: [] }, ['input.scopes']],
    [{ scopes: ['tasks:read', 'tasks:read'] }, ['input.scopes']],
    [{ scopes: ['tasks:eat' as Scope] }, ['input.scopes.0', 'input.scopes', 'input.scopes']],
    [{ role: 'AGENT', agentId: null }, ['input.agentId']],
    [{ role: 'VIEWER', agentId: 'agent-1' }, ['input.agentId']],
    [{ allowedIps: ['10.0.0.0/8', '10.0.0.0'] }, ['input.allowedIps.1']],
    [{ allowedIps: Array.from({ length: 51 }, () => 'x') }, ['input.allowedIps']],
    [{ documents: [] }, ['input.documents']],
    [{ documents: Array.from({ length: 1_001 }, (_, n) => n.toString(16).padStart(64, '0')) }, ['input.documents']],
    [{ documents: [hash('a'), 'A'.repeat(64), `${hash('b')} `] }, ['input.documents.1', 'input.documents.2']],
    [{ documents: [hash('a'), hash('b'), hash('a')] }, ['input.documents']],
    [{ expiresAt: new Date(Date.now() - 1) }, ['input.expiresAt']],
  ])('of %j is refused at %j', (changes, fields) => {
    expect(problemsOf(changes, caller('ADMIN'), owner('ADMIN'))).toEqual(fields);
  });

  test('has all its problems told at once, those of its rights too', () => {
    const changes: Partial<CreateApiKeyInput> = {
      name: '',
      scopes: ['users:write', 'users:write'],
      role: 'ADMIN',
      tier: 'ENTERPRISE',
      agentId: 'agent-1',
      allowedIps: ['everywhere'],
      expiresAt: new Date(0),
    };
    expect(new Set(problemsOf(changes, caller('VIEWER'), owner('VIEWER')))).toEqual(
      new Set(
        ['name', 'scopes', 'role', 'tier', 'agentId', 'allowedIps.0', 'expiresAt'].map((name) => `input.${name}`),
      ),
    );
  });
});

describe('a key never has more than its maker and its owner', () => {
  test.each<[string, Partial<CreateApiKeyInput>, Principal, ApiKeyOwner, string[]]>([
    ['an OPERATOR key for a VIEWER', { role: 'OPERATOR' }, caller('ADMIN'), owner('VIEWER'), ['input.role']],
    ['an OPERATOR key by a VIEWER credential', { role: 'OPERATOR' }, caller('VIEWER'), owner('ADMIN'), ['input.role']],
    ['an AGENT key for a VIEWER', { agentId: 'agent-1' }, caller('ADMIN'), owner('VIEWER'), ['input.role']],
    ['an AGENT key by an OPERATOR', { agentId: 'agent-1' }, caller('OPERATOR'), owner('OPERATOR'), []],
    ['a scope above the role', { scopes: ['tasks:write'] }, caller('ADMIN'), owner('ADMIN'), ['input.scopes']],
    [
      'a scope that an agent never has',
      { agentId: 'agent-1', scopes: ['apiKeys:write'] },
      caller('ADMIN'),
      owner('ADMIN'),
      ['input.scopes'],
    ],
    ['a scope that the maker lacks', {}, caller('ADMIN', ['apiKeys:write']), owner('ADMIN'), ['input.scopes']],
    ['a tier above the owner’s', { tier: 'PREMIUM' }, caller('OPERATOR'), owner('OPERATOR'), ['input.tier']],
    ['the tier of the owner', { tier: 'STANDARD' }, caller('OPERATOR'), owner('OPERATOR'), []],
    ['a tier above the owner’s by an ADMIN', { tier: 'ENTERPRISE' }, caller('ADMIN'), owner('VIEWER'), []],
  ])('%s', (_, changes, by, of, fields) => {
    expect(problemsOf(changes, by, of)).toEqual(fields);
  });
});

test('an overlap is 0 to 604,800 seconds, and 0 where absent', () => {
  expect([0, 604_800, null, undefined].map(parseOverlapSeconds)).toEqual([0, 604_800, 0, 0]);
  for (const wrong of [-1, 604_801]) expect(() => parseOverlapSeconds(wrong)).toThrow(/^overlapSeconds: /);
});

describe('a key that makes a key', () => {
  const end = new Date(Date.now() + 60_000);
  const maker: Bounds = {
    tier: 'FREE',
    allowedIps: ['192.0.2.0/24'],
    documents: [hash('a'), hash('b')],
    expiresAt: end,
  };
  const by = caller('VIEWER');

  test('hands on no larger tier, no later end and no other addresses than its own, told all at once', () => {
    const reaching = {
      documents: [hash('a'), hash('c')],
      tier: 'STANDARD' as const,
      allowedIps: ['0.0.0.0/0'],
      expiresAt: new Date(end.getTime() + 1),
    };
    expect(problemsOf(reaching, by, owner('VIEWER'), maker).sort()).toEqual([
      'input.allowedIps',
      'input.documents',
      'input.expiresAt',
      'input.tier',
    ]);
  });

  test('hands on neither eternity nor every address or document by leaving them out', () => {
    expect(problemsOf({}, by, owner('VIEWER'), maker).sort()).toEqual([
      'input.allowedIps',
      'input.documents',
      'input.expiresAt',
    ]);
  });

  test('hands on what it has', () => {
    const same = { allowedIps: ['192.0.2.0/24'], documents: [hash('b')], expiresAt: end };
    expect(problemsOf(same, by, owner('VIEWER'), maker)).toEqual([]);
  });
});
