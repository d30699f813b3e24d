import { everybody, shareSubjects } from '../auth/credentialEpochs.ts';
import { verifyPassword } from '../auth/password.ts';
import { scopesOfRoles } from '../auth/roles.ts';
import type { Context } from '../context.ts';
import { UnauthenticatedError } from '../errors.ts';
import * as accounts from './accounts.ts';
import * as sessions from './repository.ts';
import { formatSessionCookie, hashSecret, newSessionSecret } from './secret.ts';

type Credentials = { email: string; password: string };

/**
 * Begins a session for the user of this address, in its canonical form, and password: its cookie once it is committed,
 * and an access token. An unknown address, a wrong password and a disabled user are one error, after one password hash
 * each and before any transaction.
 */
export async function prepareLogin(ctx: Context, { email, password }: Credentials) {
  const account = await accounts.findByEmail(ctx.db, email);
  const isRight = await verifyPassword(account?.passwordHash ?? null, password);
  if (!account || !isRight || account.disabledAt) {
    ctx.notes.failedAuthentications += 1;
    throw wrongCredentials();
  }
  return (scope: Context) => beginSession(scope, account);
}

async function beginSession(ctx: Context, account: accounts.Account) {
  const user = await accounts.holdUser(ctx.db, account);
  if (!user) throw wrongCredentials();

  // Otherwise the session could begin before everything is revoked and be committed after it.
  await shareSubjects(ctx.db, [everybody, user.id]);
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

function wrongCredentials(): UnauthenticatedError {
  return new UnauthenticatedError('The e-mail address or the password is wrong.');
}
