import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on 127.0.0.1 that plays the ways in which a server goes away. */
export interface StallingProxy {
  /** The given URL, by way of the proxy. */
  url: string;
  /** How many connections were made so far. */
  connections(): number;
  /** From now on accepts everything and passes nothing on, as a frozen server does. */
  stall(): void;
  /** Ends every connection; new ones are accepted and ended at once, as by a proxy without a server. */
  hangUp(): void;
  /** Passes on again, what came meanwhile included. */
  resume(): void;
  close(): Promise<void>;
}

/** Starts a proxy to the server of `target`, whose scheme has `defaultPort`, on a free port where none is given. */
export async function startStallingProxy(target: string, defaultPort: number, ownPort = 0): Promise<StallingProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  let isStalled = false;
  let isHangingUp = false;
  let connections = 0;

  const server = createServer((client) => {
    connections++;
    client.on('error', () => client.destroy());
    if (isHangingUp) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(port || defaultPort), hostname);
    upstream.on('error', () => upstream.destroy());
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('data', (data) => to.write(data));
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
      if (isStalled) from.pause();
    }
  });
  server.listen(ownPort, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);

  const each = (act: (socket: Socket) => void) => {
    for (const pair of pairs) pair.forEach(act);
  };
  return {
    url: url.href,
    connections: () => connections,
    stall() {
      isStalled = true;
      each((socket) => socket.pause());
    },
    hangUp() {
      isHangingUp = true;
      each((socket) => socket.destroy());
    },
    resume() {
      isStalled = false;
      isHangingUp = false;
      each((socket) => socket.resume());
    },
    async close() {
      each((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
