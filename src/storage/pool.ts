import { AsyncResource } from 'node:async_hooks';
import { DependencyUnavailableError } from '../errors.ts';
import { remainingMs } from '../operationDeadline.ts';

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
   * Lends `work` a connection that nobody else uses meanwhile. Waiting for it counts towards `limitMs`, and no more than
   * the operation of the caller has left; when the time is up the caller gets DependencyUnavailableError and a connection in use is destroyed, which rolls back.
   */
  use<T>(work: (connection: Connection) => Promise<T>, limitMs?: number): Promise<T>;
  /** Refuses new work and resolves when the work in progress has ended and every connection is closed. */
  close(): Promise<void>;
  /** How long the oldest of the calls that wait for a connection has waited; 0 where none does. */
  waitMs(): number;
};

type Waiting = { since: number; isExpired(): boolean; start(connection?: Connection): boolean };

/**
 * A pool of at most `size` connections, opened on demand. postgres.js has its own, which we cannot use: when a
 * connection dies under a transaction it runs the rest of it autocommitted on another one, or ends the process with an
 * uncaught error; and it has no deadline.
 */
export function createPool(connect: () => Connection, size: number, deadlineMs: number): Pool {
  const idle: Connection[] = [];
  const waiting: Waiting[] = [];
  const destroying = new Set<Promise<void>>();
  let live = 0;
  let closed: PromiseWithResolvers<void> | undefined;

  function use<T>(work: (connection: Connection) => Promise<T>, ownLimitMs = deadlineMs): Promise<T> {
    if (closed) {
      return Promise.reject(unavailable('The database was closed.'));
    }
    const limitMs = Math.ceil(Math.min(ownLimitMs, remainingMs()));
    if (limitMs === 0) {
      return Promise.reject(unavailable('The operation has no time left.'));
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
        // Whoever gives the connection back is another operation, with another deadline.
        waiting.push({ since: performance.now(), isExpired: () => isExpired, start: AsyncResource.bind(start) });
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
      if (waiting.shift()?.start(connection)) {
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
      waiting.shift()?.start();
    }
    if (closed && live === 0) {
      closed.resolve();
    }
  }

  function waitMs(): number {
    while (waiting[0]?.isExpired()) {
      waiting.shift();
    }
    return waiting[0] ? performance.now() - waiting[0].since : 0;
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

  return { use, close, waitMs };
}

function unavailable(reason: string): DependencyUnavailableError {
  return new DependencyUnavailableError('database', { cause: new Error(reason) });
}
