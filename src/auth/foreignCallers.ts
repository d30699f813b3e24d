import type { Db } from '../storage/db.ts';
import type { Raise } from './credentialEpochs.ts';
import { acceptClaims, type ForeignUser, type ForeignUserChange, findUser } from './foreignIdentities.ts';
import type { ForeignClaims, ForeignTokens } from './oidc.ts';
import type { Principal } from './principal.ts';
import { restrictRole } from './restrictRole.ts';
import { scopesOfRoles } from './roles.ts';
import type { VerdictCache } from './verdictCache.ts';

/** Where a request comes from: what the audit log says of it. */
export type Origin = { ip: string; userAgent: string | null; requestId: string };

/** Callers with an access token of the foreign issuer. */
export type ForeignCallers = {
  issuer: string;
  /**
   * Who the token stands for: what it says, and never more than its user has now. Null where it is no good, or its user
   * disabled. Rejects where a store fails, or the issuer is needed and does not answer.
   */
  authenticate(token: string, origin: Origin): Promise<Principal | null>;
};

export type ForeignCallersOptions = {
  db: Db;
  tokens: ForeignTokens;
  /** By the subject. */
  cache: VerdictCache<ForeignUser>;
  /** Writes the audit row of a change, in its transaction. */
  record: (tx: Db, change: ForeignUserChange, origin: Origin) => Promise<void>;
  /** For raises that are committed. */
  announce: (raises: readonly Raise[]) => void;
};

/** The subjects of these tokens, each with a user of its own. */
export function createForeignCallers({ db, tokens, cache, record, announce }: ForeignCallersOptions): ForeignCallers {
  const { issuer } = tokens;
  const accepted = new WeakMap<ForeignClaims, Promise<void>>();

  function accept(claims: ForeignClaims, origin: Origin): Promise<void> {
    const accepting = acceptClaims(db, issuer, claims, (tx, change) => record(tx, change, origin)).then(announceSome);
    accepted.set(claims, accepting);
    accepting.catch(() => accepted.delete(claims));
    return accepting;
  }

  function announceSome(raises: readonly Raise[]): void {
    if (raises.length > 0) announce(raises);
  }

  return {
    issuer,
    async authenticate(token, origin) {
      const claims = await tokens.verify(token);
      if (!claims) return null;
      // Once for a token, however many requests come with it at the same time.
      await (accepted.get(claims) ?? accept(claims, origin));
      const user = await cache.find(claims.subject, () => findUser(db, issuer, claims.subject));
      return user && principalOf(claims, user);
    },
  };
}

const principals = new WeakMap<ForeignClaims, { user: ForeignUser; principal: Principal | null }>();

/** One principal for a token as long as the copy of its user is the same: what is decided of it is decided once. */
function principalOf(claims: ForeignClaims, user: ForeignUser): Principal | null {
  const known = principals.get(claims);
  if (known?.user === user) return known.principal;
  const principal = createPrincipal(claims, user);
  principals.set(claims, { user, principal });
  return principal;
}

function createPrincipal(claims: ForeignClaims, user: ForeignUser): Principal | null {
  const { userId, tier, withdrawnAt, basis } = user;
  const restricted = claims.roles.map((role) => restrictRole(role, user.roles)).filter((role) => role !== null);
  if (restricted.length === 0 || (withdrawnAt !== null && claims.issuedAt.getTime() <= withdrawnAt)) return null;
  const roles = [...new Set(restricted)];
  const allowed = scopesOfRoles(roles);
  return {
    kind: 'ACCESS_TOKEN',
    userId,
    roles,
    scopes: claims.scopes ? new Set([...claims.scopes].filter((scope) => allowed.has(scope))) : allowed,
    tier,
    agentId: null,
    apiKeyId: null,
    keyHash: null,
    sessionId: null,
    authenticatedAt: claims.authenticatedAt,
    basis,
  };
}
