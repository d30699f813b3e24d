import { DependencyUnavailableError } from '../errors.ts';

/** Sends one statement; answers its rows as objects, or as arrays of columns where `asArrays`. */
export type Run = (text: string, params: unknown[], asArrays: boolean) => Promise<unknown>;

/** One session with an engine. It lives once: after the server or `destroy` ended it, `run` never reaches an engine. */
export type Connection = {
  run: Run;
  isUsable(): boolean;
  destroy(): Promise<void>;
};

export type Pool = {
  /**
   * Lends `work` a connection that nobody else uses meanwhile. Waiting for it counts towards `limitMs`; when the time
   * is up the caller gets DependencyUnavailableError and a connection in use is destroyed, which rolls back.
   */
  use<T>(work: (connection: Connection) => Promise<T>, limitMs?: number): Promise<T>;
  /** Refuses new work and resolves when the work in progress has ended and every connection is closed. */
  close(): Promise<void>;
};

/**
 * A pool of at most `size` connections, opened on demand. postgres.js has its own, which we cannot use: when a
 * connection dies under a transaction it runs the rest of it autocommitted on another one, or ends the process with an
 * uncaught error; and it has no deadline.
 */
export function createPool(connect: () => Connection, size: number, deadlineMs: number): Pool {
  const idle: Connection[] = [];
  const waiting: Array<(connection?: Connection) => boolean> = [];
  const destroying = new Set<Promise<void>>();
  let live = 0;
  let closed: PromiseWithResolvers<void> | undefined;

  function use<T>(work: (connection: Connection) => Promise<T>, limitMs = deadlineMs): Promise<T> {
    if (closed) {
      return Promise.reject(unavailable('The database was closed.'));
    }
    return new Promise<T>((resolve, reject) => {
      let lent: Connection | undefined;
      let isExpired = false;
      const timer = setTimeout(() => {
        isExpired = true;
        reject(unavailable(lent ? `No answer in ${limitMs} ms.` : `No free connection in ${limitMs} ms.`));
        if (lent) {
          discard(lent);
        }
      }, limitMs);
      const end = (connection: Connection) => {
        if (!isExpired) {
          clearTimeout(timer);
          release(connection);
        }
      };
      const start = (free?: Connection): boolean => {
        const connection = isExpired ? undefined : (free ?? take());
        if (!connection) {
          return false;
        }
        lent = connection;
        work(connection).then(
          (value) => {
            end(connection);
            resolve(value);
          },
          (error) => {
            end(connection);
            reject(error);
          },
        );
        return true;
      };
      if (!start()) {
        waiting.push(start);
      }
    });
  }

  function take(): Connection | undefined {
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (connection.isUsable()) {
        return connection;
      }
      live--;
    }
    if (live < size) {
      live++;
      return connect();
    }
    return undefined;
  }

  function release(connection: Connection): void {
    if (closed || !connection.isUsable()) {
      discard(connection);
      return;
    }
    while (waiting.length > 0) {
      if (waiting.shift()?.(connection)) {
        return;
      }
    }
    idle.push(connection);
  }

  function discard(connection: Connection): void {
    live--;
    const destroyed = connection
      .destroy()
      .catch(() => undefined) // It is thrown away, whatever it says to that.
      .finally(() => destroying.delete(destroyed));
    destroying.add(destroyed);
    while (waiting.length > 0 && live < size) {
      waiting.shift()?.();
    }
    if (closed && live === 0) {
      closed.resolve();
    }
  }

  async function close(): Promise<void> {
    closed = closed ?? Promise.withResolvers<void>();
    for (const connection of idle.splice(0)) {
      discard(connection);
    }
    if (live === 0) {
      closed.resolve();
    }
    await closed.promise;
    await Promise.all(destroying);
  }

  return { use, close };
}

function unavailable(reason: string): DependencyUnavailableError {
  return new DependencyUnavailableError('database', { cause: new Error(reason) });
}
