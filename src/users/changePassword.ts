import { hashPassword, verifyPassword } from '../auth/password.ts';
import { UnauthenticatedError } from '../errors.ts';
import type { RequestNotes } from '../requestNotes.ts';
import type { Db } from '../storage/db.ts';
import type { UserView } from './repository.ts';
import * as users from './repository.ts';

/**
 * Checks the current password of an enabled user and hashes the new one; what it answers replaces the one by the other.
 * UNAUTHENTICATED, here or there, where the current password is another.
 */
export async function prepareChangePassword(
  { db, notes }: { db: Db; notes: RequestNotes },
  userId: string,
  passwords: { currentPassword: string; newPassword: string },
): Promise<(tx: Db) => Promise<UserView>> {
  const from = await users.findPasswordHash(db, userId);
  const isRight = await verifyPassword(from, passwords.currentPassword);
  if (from === null || !isRight) {
    notes.failedAuthentications += 1;
    throw wrongPassword();
  }
  const to = await hashPassword(passwords.newPassword);
  return async (tx) => {
    // Somebody else may have changed it meanwhile: then the password that was checked is not the current one.
    const user = await users.replacePasswordHash(tx, userId, { from, to });
    if (!user) throw wrongPassword();
    return user;
  };
}

function wrongPassword(): UnauthenticatedError {
  return new UnauthenticatedError('The current password is wrong.');
}
