import { randomBytes } from 'node:crypto';
import { and, arrayContained, arrayContains, eq, isNull, not, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../storage/db.ts';
import { newId } from '../storage/id.ts';
import { users } from '../users/table.ts';
import { type Basis, epochOf, epochOfEverybody, everybody, type Raise, raiseEpochs } from './credentialEpochs.ts';
import type { ForeignClaims } from './oidc.ts';
import { hashPassword } from './password.ts';
import type { Role, Tier } from './roles.ts';
import { foreignIdentities } from './table.ts';

/** Any number will do that nothing else in the database seeds its advisory locks with. */
const identityLockSeed = 7_305_219_844;
/** A name that is nobody's address, ever (RFC 2606). */
const madeUpDomain = 'oidc.invalid';

/** The user whom a subject stands for, with what the user may do now. */
export type ForeignUser = {
  userId: string;
  roles: Role[];
  tier: Tier;
  /** Credentials of before are worth nothing, in milliseconds; null: none were withdrawn from everybody. */
  withdrawnAt: number | null;
  basis: Basis;
};

/** What Nexus itself does to a user on the word of the issuer. */
export type ForeignUserChange = {
  action: 'user.provision' | 'user.setRoles';
  userId: string;
  detail: Record<string, unknown>;
};

/** Writes the audit row of a change, in its transaction. */
export type RecordChange = (tx: Db, change: ForeignUserChange) => Promise<void>;

/** The enabled user whom the subject stands for; null where there is none, or a disabled one. */
export async function findUser(db: Db, issuer: string, subject: string): Promise<ForeignUser | null> {
  const [row] = await db
    .select({
      userId: users.id,
      roles: users.roles,
      tier: users.tier,
      withdrawnAt: sql<number | null>`(
        select floor(extract(epoch from raised_at) * 1000)::float8 from credential_epochs where subject = ${everybody}
      )`,
      globalEpoch: epochOfEverybody,
      userEpoch: epochOf(users.id),
    })
    .from(foreignIdentities)
    .innerJoin(users, eq(users.id, foreignIdentities.userId))
    .where(and(isIdentity(issuer, subject), isNull(users.disabledAt)));
  if (!row) return null;
  const { globalEpoch, userEpoch, ...user } = row;
  return {
    ...user,
    basis: { subjects: [everybody, user.userId, user.userId], epochs: [globalEpoch, userEpoch, userEpoch] },
  };
}

/**
 * Takes the issuer at its word: makes the user of a subject that is new, and gives a known one the roles of the token
 * where no newer one is known. Answers what was raised, to be announced. Tokens of one subject at the same time, in
 * however many processes, are taken one after the other.
 */
export async function acceptClaims(
  db: Db,
  issuer: string,
  claims: ForeignClaims,
  record: RecordChange,
): Promise<Raise[]> {
  const known = await findIdentity(db, issuer, claims.subject);
  if (known && !isNews(known, claims)) return [];
  // Of random bytes that nobody keeps. It takes its time, which is not the transaction's.
  const passwordHash = known ? '' : await hashPassword(randomBytes(32).toString('base64url'));
  return db.transaction(async (tx) => {
    await lockIdentity(tx, issuer, claims.subject);
    const identity = await findIdentity(tx, issuer, claims.subject);
    if (identity) return isNews(identity, claims) ? giveRoles(tx, identity, issuer, claims, record) : [];
    await provision(tx, issuer, claims, passwordHash, record);
    return [];
  });
}

type Identity = { userId: string; roles: Role[]; rolesAt: Date; disabledAt: Date | null };

async function findIdentity(db: Db, issuer: string, subject: string): Promise<Identity | null> {
  const [identity] = await db
    .select({
      userId: users.id,
      roles: users.roles,
      rolesAt: foreignIdentities.rolesAt,
      disabledAt: users.disabledAt,
    })
    .from(foreignIdentities)
    .innerJoin(users, eq(users.id, foreignIdentities.userId))
    .where(isIdentity(issuer, subject));
  return identity ?? null;
}

function isNews({ rolesAt, disabledAt }: Identity, { issuedAt }: ForeignClaims): boolean {
  return disabledAt === null && issuedAt > rolesAt;
}

async function lockIdentity(tx: Db, issuer: string, subject: string): Promise<void> {
  await tx.execute(sql`
    select pg_advisory_xact_lock(hashtextextended(${JSON.stringify([issuer, subject])}, ${identityLockSeed}::bigint))`);
}

async function provision(
  tx: Db,
  issuer: string,
  claims: ForeignClaims,
  passwordHash: string,
  record: RecordChange,
): Promise<void> {
  const { subject, roles, email, issuedAt } = claims;
  const user = { id: newId('user'), passwordHash, roles: [...roles], tier: 'STANDARD' as const };
  // Whoever has the address already is another user: it is never taken over, whatever the issuer says.
  const isMade = email !== null && (await insertUser(tx, { ...user, email }));
  if (!isMade) await insertUser(tx, { ...user, email: `${randomBytes(16).toString('hex')}@${madeUpDomain}` });
  await tx.insert(foreignIdentities).values({ issuer, subject, userId: user.id, rolesAt: issuedAt });
  await record(tx, { action: 'user.provision', userId: user.id, detail: { issuer, subject, roles } });
}

async function insertUser(tx: Db, user: typeof users.$inferInsert): Promise<boolean> {
  const inserted = await tx
    .insert(users)
    .values(user)
    .onConflictDoNothing({ target: users.email })
    .returning({ id: users.id });
  return inserted.length > 0;
}

async function giveRoles(
  tx: Db,
  { userId }: Identity,
  issuer: string,
  { subject, roles, issuedAt }: ForeignClaims,
  record: RecordChange,
): Promise<Raise[]> {
  await tx.update(foreignIdentities).set({ rolesAt: issuedAt }).where(isIdentity(issuer, subject));
  const changed = await tx
    .update(users)
    .set({ roles: [...roles] })
    .where(and(eq(users.id, userId), isNull(users.disabledAt), not(hasExactly(roles))))
    .returning({ id: users.id });
  if (changed.length === 0) return [];
  await record(tx, { action: 'user.setRoles', userId, detail: { issuer, subject, roles } });
  return raiseEpochs(tx, [userId]);
}

function isIdentity(issuer: string, subject: string): SQL | undefined {
  return and(eq(foreignIdentities.issuer, issuer), eq(foreignIdentities.subject, subject));
}

function hasExactly(roles: readonly Role[]): SQL {
  return sql`(${arrayContains(users.roles, [...roles])} and ${arrayContained(users.roles, [...roles])})`;
}
