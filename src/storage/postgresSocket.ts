import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The addresses that postgres.js read from the URL: a path, or hosts with their ports. */
export type PostgresAddress = { path: string | false; host: string[]; port: number[] };

/**
 * Makes the sockets of one connection, each host of the address tried once. Left alone, postgres.js tries for ever,
 * hundreds of times a second, where a server or a proxy accepts and hangs up; and it never closes a socket to a server
 * that is frozen.
 */
export function createPostgresSocket() {
  let current: Socket | undefined;
  let tried = 0;
  const closing = new AbortController();

  async function open({ path, host, port }: PostgresAddress): Promise<Socket> {
    let failure: unknown = new Error('The server hung up.');
    while (tried < host.length) {
      const address = { host: host[tried], port: Number(port[tried]) };
      tried++;
      try {
        current = path ? connect(path) : connect(address);
        await once(current, 'connect', closing);
        // postgres.js reads the name to check a certificate against from the socket.
        return Object.assign(current, address);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  function close(): void {
    closing.abort();
    current?.destroy();
  }

  return { open, close };
}
