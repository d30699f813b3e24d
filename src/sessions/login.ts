import { canonicalEmail } from '../auth/canonicalEmail.ts';
import { verifyPassword } from '../auth/password.ts';
import { scopesOfRoles } from '../auth/roles.ts';
import type { Context } from '../context.ts';
import { UnauthenticatedError } from '../errors.ts';
import * as accounts from './accounts.ts';
import * as sessions from './repository.ts';
import { formatSessionCookie, hashSecret, newSessionSecret } from './secret.ts';

/**
 * Begins a session for the user of this address and password: its cookie once it is committed, and an access token. An
 * unknown address, a wrong password and a disabled user are one error, after one password hash each.
 */
export async function login(ctx: Context, credentials: { email: string; password: string }) {
  const account = await accounts.findByEmail(ctx.db, canonicalEmail(credentials.email));
  const isRight = await verifyPassword(account?.passwordHash ?? null, credentials.password);
  const user = account && isRight ? await accounts.holdUser(ctx.db, account) : null;
  if (!user) throw new UnauthenticatedError('The e-mail address or the password is wrong.');

  const secret = newSessionSecret();
  const session = await sessions.create(ctx.db, {
    userId: user.id,
    secretHash: hashSecret(secret),
    ip: ctx.ip,
    userAgent: ctx.userAgent,
  });
  ctx.audit.actAs({ userId: user.id, sessionId: session.id, apiKeyId: null, agentId: null });
  ctx.audit.target('session', session.id);

  const { token, expiresAt } = await ctx.services.accessTokens.issue({
    ...{ userId: user.id, sessionId: session.id, roles: user.roles, scopes: scopesOfRoles(user.roles) },
    authenticatedAt: session.createdAt,
  });
  ctx.afterCommit(() => ctx.setSessionCookie(formatSessionCookie(session.id, secret)));
  return { accessToken: token, accessTokenExpiresAt: expiresAt, session, user };
}
