import { type GraphQLSchema, isObjectType } from 'graphql';
import type { AuthRule, FieldPolicy, PolicyTable, RateLimitRule } from './table.ts';

const heading = `# Who may do what: one line for each field, generated from the SDL by \`npm run access\`.
# field | who | credentials | scopes | limits | audit
`;

const counted: Record<RateLimitRule['count'], string> = {
  ALL: '',
  FAILED: ' counting UNAUTHENTICATED',
};

/** The policy as text to review: a change of permissions is a diff of this file. */
export function renderAccessLock(schema: GraphQLSchema, policy: PolicyTable): string {
  const coordinates = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) =>
      isObjectType(type) ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
    );
  const lines = coordinates.sort().map((coordinate) => lineOf(coordinate, policy.get(coordinate)));
  return `${heading}${lines.join('\n')}\n`;
}

function lineOf(coordinate: string, policy: FieldPolicy | undefined): string {
  if (!policy) return `${coordinate} | whoever reached the object | - | - | - | -`;
  const { auth, rateLimits, audit } = policy;
  const columns = [
    coordinate,
    policy.isPublic ? 'anybody' : both(auth.map(whoOf)) || 'whoever reached the object',
    both(auth.map(({ credentials }) => credentials.join(' or '))) || (policy.isPublic ? '-' : 'any'),
    both(auth.map(({ scopes }) => scopes.map((set) => set.join(' and ')).join(' or '))) || '-',
    rateLimits.map(limitOf).join(', ') || '-',
    audit ? `${audit.action} ${audit.severity} ${audit.level}${audit.redact.map((path) => ` -${path}`).join('')}` : '-',
  ];
  return columns.join(' | ');
}

function whoOf({ roles, owner, maxAgeSeconds }: AuthRule): string {
  const who = [...roles, ...owner.map(({ text }) => `owner(${text})`)].join(' or ') || 'any caller';
  return maxAgeSeconds === null ? who : `${who}, a person logged in for at most ${maxAgeSeconds} s`;
}

function limitOf({ max, window, per, identityArgs, ownAccount, count, mode, fallback }: RateLimitRule): string {
  const identity = identityArgs.map((path) => ` and ${path.join('.')}`).join('');
  const apart = ownAccount ? ` or own account(${ownAccount.join('.')})` : '';
  const shadow = mode === 'SHADOW' ? ' in shadow' : '';
  const refused = fallback === 'REFUSE' ? ' never alone' : '';
  return `${max} in ${window} per ${per}${identity}${apart}${counted[count]}${shadow}${refused}`;
}

function both(parts: readonly string[]): string {
  return [...new Set(parts.filter((part) => part !== ''))].join(' AND ');
}
