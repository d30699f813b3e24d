import type { Context } from '../context.ts';
import type { Db } from '../storage/db.ts';
import { hasCode } from '../storage/failures.ts';
import type { Basis } from './credentialEpochs.ts';
import { requireCaller } from './requireCaller.ts';

/** What require_credential_epochs fails a statement with. */
const movedCode = 'NX001';

/**
 * Runs a change that is one statement and no transaction; the statement has to call require_credential_epochs with the
 * basis. Where an epoch of the caller was raised meanwhile, it runs in a transaction that looks what has changed, and
 * without a basis. UNAUTHENTICATED, and nothing changed, where the caller has lost its rights.
 */
export async function changeAtOnce<T>(ctx: Context, run: (db: Db, basis: Basis | null) => Promise<T>): Promise<T> {
  const { basis } = requireCaller(ctx.caller);
  try {
    return await run(ctx.db, basis);
  } catch (error) {
    if (!hasCode(error, movedCode)) throw error;
  }
  return ctx.db.transaction(async (tx) => {
    const result = await run(tx, null);
    await ctx.recheckCaller(tx);
    return result;
  });
}
