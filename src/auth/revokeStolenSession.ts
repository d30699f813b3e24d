import * as auditEvents from '../audit/repository.ts';
import type { Context } from '../context.ts';
import * as sessions from '../sessions/repository.ts';
import { raiseEpochs } from './credentialEpochs.ts';

/**
 * Ends a session, with all its secrets and access tokens, because one that was replaced long ago has come back: in one
 * transaction with its audit row. One that is revoked already is left as it is.
 */
export async function revokeStolenSession(
  { db, services, log }: Pick<Context, 'db' | 'services' | 'log'>,
  { id, userId }: { id: string; userId: string },
  request: Pick<Context, 'requestId' | 'ip' | 'userAgent'>,
): Promise<void> {
  const raises = await db.transaction(async (tx) => {
    if (!(await sessions.revokeOnce(tx, id))) return null;
    await auditEvents.append(tx, [
      {
        action: 'session.theft',
        outcome: 'SUCCEEDED',
        severity: 'CRITICAL',
        actorKind: 'SYSTEM',
        targets: [
          { type: 'session', id },
          { type: 'user', id: userId },
        ],
        ...request,
      },
    ]);
    return raiseEpochs(tx, [id]);
  });
  if (!raises) return;
  services.announceRaises(raises);
  log.warn('A session ended: one of its replaced secrets was used.', {
    requestId: request.requestId,
    ip: request.ip,
    sessionId: id,
    userId,
  });
}
