import type { Basis } from './credentialEpochs.ts';
import type { CredentialKind, Role, Scope, Tier } from './roles.ts';

/** Who a request comes from, with the rights of its credential at this moment. */
export type Principal = {
  kind: CredentialKind;
  /** The user, or the owner of the key. */
  userId: string;
  roles: readonly Role[];
  scopes: ReadonlySet<Scope>;
  tier: Tier;
  /** The agent that an agent's key speaks for. */
  agentId: string | null;
  apiKeyId: string | null;
  /** The hash of the API key's secret, which a rotation may have replaced meanwhile. */
  keyHash: string | null;
  sessionId: string | null;
  /** When a person gave the password, in milliseconds; null for an API key. */
  authenticatedAt: number | null;
  /** What the rights were read with. */
  basis: Basis;
  /** Set where the key may send these documents alone: their SHA-256, in hex. */
  documents?: ReadonlySet<string>;
  /** Set where the secret of the key was replaced: when it stops working. */
  secretEndsAt?: Date;
};

/** `null` is the anonymous caller: no credential was sent. */
export type Caller = Principal | null;

/** The id that ownership is compared with: the agent for an agent's key, else the user. */
export function ownIdOf(caller: Caller): string | null {
  return caller && (caller.agentId ?? caller.userId);
}

/** Whether the caller is an ADMIN. */
export function isAdmin(caller: Caller): boolean {
  return caller?.roles.includes('ADMIN') ?? false;
}
