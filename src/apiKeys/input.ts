import { z } from 'zod';
import type { Principal } from '../auth/principal.ts';
import { roles, type Scope, scopes, tiers } from '../auth/roles.ts';
import { futureInstant, parseInput, text } from '../graphql/input.ts';
import { isDocumentHash } from '../graphql/trustedDocuments.ts';
import type { CreateApiKeyInput } from '../graphql/types.generated.ts';
import { isCidr } from './allowedIps.ts';
import { type Bounds, boundProblems, grantProblems } from './grants.ts';
import type { ApiKeyOwner, NewApiKey } from './repository.ts';

const maxAllowedIps = 50;
const maxDocuments = 1_000;
const maxOverlapSeconds = 604_800;

const fields = z.object({
  name: text(1, 200),
  scopes: z
    .array(z.custom<Scope>(isScope, { error: 'must be a known scope', abort: false }))
    .min(1, 'must hold at least one scope')
    .refine((list) => new Set(list).size === list.length, 'must hold no scope twice'),
  role: z.enum(roles).nullish(),
  tier: z.enum(tiers).nullish(),
  agentId: z.string().nullish(),
  allowedIps: z.array(z.string()).superRefine(checkAllowedIps).nullish(),
  documents: z.array(z.string()).superRefine(checkDocuments).nullish(),
  expiresAt: futureInstant.nullish(),
});

const rotation = z.object({
  overlapSeconds: z
    .number()
    .min(0, 'must be 0 or more')
    .max(maxOverlapSeconds, `must be at most ${maxOverlapSeconds}`)
    .nullish(),
});

const revocation = z.object({ reason: text(1, 500).nullish() });

/**
 * What a key is made of, but for its secret; BAD_USER_INPUT with every problem, of the values and of the rights. A scope
 * that no field asks for is refused: it would wait in the key for whatever it comes to mean.
 */
export function parseNewApiKey(
  input: CreateApiKeyInput,
  caller: Principal,
  owner: ApiKeyOwner,
  maker: Bounds | null,
  usedScopes: ReadonlySet<Scope>,
): Omit<NewApiKey, 'secretHash' | 'start'> {
  const schema = fields.superRefine((values, issue) => {
    const { role, agentId } = withDefaults(values);
    if ((role === 'AGENT') !== (agentId !== null)) {
      issue.addIssue({ code: 'custom', path: ['agentId'], message: 'goes together with the role AGENT' });
    }
    const grant = withDefaults(values);
    if (grant.scopes.some((scope) => isScope(scope) && !usedScopes.has(scope)))
      issue.addIssue({ code: 'custom', path: ['scopes'], message: 'must hold only scopes that some field asks for' });
    for (const { field, message } of [...grantProblems(grant, caller, owner), ...boundProblems(grant, maker)]) {
      issue.addIssue({ code: 'custom', path: [field], message });
    }
  });
  return { ...withDefaults(parseInput(schema, input, 'input')), ownerId: owner.id };
}

/** How long the old secret still works; BAD_USER_INPUT unless 0 to 604,800 seconds. */
export function parseOverlapSeconds(overlapSeconds: number | null | undefined): number {
  return parseInput(rotation, { overlapSeconds }).overlapSeconds ?? 0;
}

/** BAD_USER_INPUT unless the reason is absent or 1 to 500 characters. */
export function assertReason(reason: string | null | undefined): void {
  parseInput(revocation, { reason });
}

function withDefaults({ role, tier, agentId, allowedIps, documents, expiresAt, ...required }: z.infer<typeof fields>) {
  return {
    ...required,
    role: role ?? (agentId == null ? 'VIEWER' : 'AGENT'),
    tier: tier ?? 'FREE',
    agentId: agentId ?? null,
    allowedIps: allowedIps ?? [],
    documents: documents ?? null,
    expiresAt: expiresAt ?? null,
  };
}

function isScope(value: unknown): boolean {
  return scopes.some((scope) => scope === value);
}

/** Too long a list is one problem and not thousands. */
function checkAllowedIps(list: string[], issue: z.RefinementCtx): void {
  if (list.length > maxAllowedIps) {
    issue.addIssue({ code: 'custom', message: `must hold at most ${maxAllowedIps} ranges` });
    return;
  }
  list.forEach((range, index) => {
    if (!isCidr(range)) {
      issue.addIssue({ code: 'custom', path: [index], message: 'must be a CIDR range such as 203.0.113.0/24' });
    }
  });
}

/** An empty list would be a key that may send nothing, or, misread, anything. */
function checkDocuments(list: string[], issue: z.RefinementCtx): void {
  if (list.length < 1 || list.length > maxDocuments) {
    issue.addIssue({ code: 'custom', message: `must hold 1 to ${maxDocuments} documents` });
    return;
  }
  list.forEach((hash, index) => {
    if (!isDocumentHash(hash))
      issue.addIssue({
        code: 'custom',
        path: [index],
        message: 'must be a SHA-256 of 64 hex digits, in small letters',
      });
  });
  if (new Set(list).size < list.length) issue.addIssue({ code: 'custom', message: 'must hold no document twice' });
}
