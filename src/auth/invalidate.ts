import type { Context } from '../context.ts';
import { holdSubjects, raiseEpochs } from './credentialEpochs.ts';

/**
 * For an audited mutation that changes what these users, sessions or API keys may do, before it changes them: waits for
 * the writes under their old rights that are under way, and from the commit on nothing that was read of them before is
 * believed. UNAUTHENTICATED where they are the caller's own rights and somebody else has taken them meanwhile.
 *
 * Who locks the row of a user or a session does so before this, who changes an API key after it: otherwise two changes
 * could wait for each other.
 */
export async function invalidate(ctx: Context, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  await recheckOwn(ctx, subjects);
  const raises = await raiseEpochs(ctx.db, subjects);
  ctx.afterCommit(() => ctx.services.announceRaises(raises));
}

/** Later it would be too late: the raise hides those of others, and the change may give back what they have taken. */
async function recheckOwn({ db, caller, recheckCaller }: Context, subjects: readonly string[]): Promise<void> {
  if (!caller?.basis.subjects.some((subject) => subjects.includes(subject))) return;
  await holdSubjects(db, subjects);
  await recheckCaller(db);
}
