import { hashPassword, verifyPassword } from '../auth/password.ts';
import { UnauthenticatedError } from '../errors.ts';
import type { Db } from '../storage/db.ts';
import type { UserView } from './repository.ts';
import * as users from './repository.ts';

/** Replaces the password of an enabled user who knows the current one; UNAUTHENTICATED where it is another. */
export async function changePassword(
  db: Db,
  userId: string,
  passwords: { currentPassword: string; newPassword: string },
): Promise<UserView> {
  const from = await users.findPasswordHash(db, userId);
  const isRight = await verifyPassword(from, passwords.currentPassword);
  if (from === null || !isRight) throw wrongPassword();
  const to = await hashPassword(passwords.newPassword);
  // Somebody else may have changed it meanwhile: then the password that was checked is not the current one.
  const user = await users.replacePasswordHash(db, userId, { from, to });
  if (!user) throw wrongPassword();
  return user;
}

function wrongPassword(): UnauthenticatedError {
  return new UnauthenticatedError('The current password is wrong.');
}
