import type { Connection, Run } from './pool.ts';

/** A transaction in progress: its statements run one after another, never outside it. */
export type Transaction = {
  run: Run;
  /** Runs `work` so that its failure undoes only what it did. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
};

/**
 * Runs `work` in a transaction on `connection`: committed when it resolves, rolled back when it rejects. A statement
 * that failed fails the transaction even where `work` caught it, because Postgres answers such a COMMIT with a silent
 * ROLLBACK. A statement sent after the end is refused: the connection is somebody else's by then.
 */
export async function transact<T>(connection: Connection, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let isEnded = false;
  let failure: { error: unknown } | undefined;
  let savepoints = 0;
  let last: Promise<unknown> = Promise.resolve();

  // One after another: at the end each is known to have succeeded, and none waits in a driver whose connection dies.
  const run: Run = (text, params, asArrays) => {
    const answer = last.then(() => {
      if (isEnded) {
        throw new Error('The transaction has ended: a statement was not awaited inside it.');
      }
      return connection.run(text, params, asArrays);
    });
    last = answer.catch((error) => {
      failure ??= { error };
    });
    return answer;
  };

  async function savepoint<S>(inner: () => Promise<S>): Promise<S> {
    savepoints++;
    const name = `savepoint_${savepoints}`;
    const before = failure;
    await run(`savepoint ${name}`, [], false);
    try {
      const value = await inner();
      await settle(before);
      await run(`release savepoint ${name}`, [], false);
      return value;
    } catch (error) {
      await run(`rollback to savepoint ${name}`, [], false);
      failure = before;
      throw error;
    }
  }

  async function settle(before: typeof failure): Promise<void> {
    await last;
    if (failure !== before) {
      throw failure?.error;
    }
  }

  await connection.run('begin', [], false);
  try {
    const value = await work({ run, savepoint });
    await settle(undefined);
    isEnded = true;
    await connection.run('commit', [], false);
    return value;
  } catch (error) {
    await last;
    isEnded = true;
    // A connection that cannot roll back is thrown away, and the server rolls back when it is gone.
    await connection.run('rollback', [], false).catch(() => connection.destroy());
    throw error;
  }
}
