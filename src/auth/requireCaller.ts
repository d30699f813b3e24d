import { UnauthenticatedError } from '../errors.ts';
import type { Caller, Principal } from './principal.ts';

/** The caller of a field that `@auth` guards, which is never anonymous; fails closed where it is. */
export function requireCaller(caller: Caller): Principal {
  if (!caller) throw new UnauthenticatedError();
  return caller;
}
