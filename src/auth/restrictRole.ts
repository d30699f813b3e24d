import { includesRole, mayGrantRole, type Role, roles } from './roles.ts';

/**
 * What is left of a credential's role where its owner has only the held roles now: the highest role that it includes and
 * that they may give; null where there is none.
 */
export function restrictRole(role: Role, held: readonly Role[]): Role | null {
  return roles.find((one) => includesRole([role], one) && mayGrantRole(held, one)) ?? null;
}
