import type { Context } from '../context.ts';
import { raiseEpochs } from './credentialEpochs.ts';

/**
 * For an audited mutation that changes what these users, sessions or API keys may do: waits for the writes under their
 * old rights that are under way, and from the commit on nothing that was read of them before is believed.
 */
export async function invalidate(ctx: Context, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  const raises = await raiseEpochs(ctx.db, subjects);
  ctx.afterCommit(() => ctx.services.announceRaises(raises));
}
