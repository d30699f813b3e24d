import { hashPassword } from '../auth/password.ts';
import { parseInput } from '../graphql/input.ts';
import type { Db } from '../storage/db.ts';
import { bootstrapInput } from './input.ts';
import * as users from './repository.ts';

/**
 * Creates the first ADMIN where there is no user at all, and answers whether it did. Run it under the lock of the
 * migrations, so that of several processes that start together one does it. Rejects with InputError where the settings
 * are not what createUser would take.
 */
export async function bootstrapAdmin(db: Db, settings: { email: string; password: string }): Promise<boolean> {
  if (await users.hasAny(db)) return false;
  const { email, password } = parseInput(bootstrapInput, settings, 'bootstrapAdmin');
  const admin = {
    email,
    passwordHash: await hashPassword(password),
    roles: ['ADMIN' as const],
    tier: 'STANDARD' as const,
  };
  return (await users.create(db, admin)) !== null;
}
