import { sessionIdleSeconds, sessionLifetimeSeconds } from './table.ts';

/** When a session ends if it is not used any more, in milliseconds: 24 hours after it began, 2 after its last use. */
export function endOf({ createdAt, lastSeenAt }: { createdAt: number; lastSeenAt: number }): number {
  return Math.min(createdAt + sessionLifetimeSeconds * 1000, lastSeenAt + sessionIdleSeconds * 1000);
}
