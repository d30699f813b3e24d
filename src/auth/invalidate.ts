import type { Context } from '../context.ts';
import { UnauthenticatedError } from '../errors.ts';
import { haveEpochsMoved, holdSubjects, raiseEpochs } from './credentialEpochs.ts';

/**
 * For an audited mutation that changes what these users, sessions or API keys may do: waits for the writes under their
 * old rights that are under way, and from the commit on nothing that was read of them before is believed. UNAUTHENTICATED
 * where the caller changes its own rights and somebody else has changed them since they were read.
 */
export async function invalidate(ctx: Context, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  await refuseHiddenRaise(ctx, subjects);
  const raises = await raiseEpochs(ctx.db, subjects);
  ctx.afterCommit(() => ctx.services.announceRaises(raises));
}

/** A raise of the caller's own subjects would hide from recheckCaller that others have raised them before. */
async function refuseHiddenRaise({ db, caller }: Context, subjects: readonly string[]): Promise<void> {
  if (!caller?.basis.subjects.some((subject) => subjects.includes(subject))) return;
  await holdSubjects(db, subjects);
  if (await haveEpochsMoved(db, caller.basis)) throw new UnauthenticatedError();
}
