import { z } from 'zod';
import { canonicalEmail } from '../auth/canonicalEmail.ts';
import { maxPasswordLength } from '../auth/password.ts';
import { roles, tiers } from '../auth/roles.ts';
import { text } from '../graphql/input.ts';
import { isCommonPassword } from './commonPassword.ts';

/** RFC 5321, 4.5.3.1.3: a path has 256 octets, its angle brackets included. */
const maxEmailLength = 254;
const minPasswordLength = 12;
const maxRoles = 3;

const email = z
  .string()
  .transform(canonicalEmail)
  .pipe(
    z
      .string()
      .max(maxEmailLength, `must be at most ${maxEmailLength} characters`)
      .regex(z.regexes.html5Email, 'must be an e-mail address'),
  );

const newPassword = text(minPasswordLength, maxPasswordLength).refine(
  (value) => !isCommonPassword(value),
  'must not be a common password',
);

const userRoles = z
  .array(z.enum(roles))
  .refine(
    (held) =>
      held.length >= 1 && held.length <= maxRoles && new Set(held).size === held.length && !held.includes('AGENT'),
    'must be 1 to 3 different ones of ADMIN, OPERATOR and VIEWER',
  );

/** CreateUserInput; answers the address in its canonical form. */
export const createUserInput = z.object({
  email,
  password: newPassword,
  roles: userRoles,
  tier: z
    .enum(tiers)
    .nullish()
    .transform((tier) => tier ?? 'STANDARD'),
});

/** The settings of the first ADMIN. */
export const bootstrapInput = createUserInput.pick({ email: true, password: true });

/** The roles among the arguments of setUserRoles. */
export const setUserRolesArguments = z.object({ roles: userRoles });

/** The arguments of changePassword. */
export const changePasswordArguments = z
  .object({ currentPassword: z.string(), newPassword })
  .refine((passwords) => passwords.newPassword !== passwords.currentPassword, {
    path: ['newPassword'],
    message: 'must differ from the current password',
  });
