import { once } from 'node:events';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { startServer } from './harness.ts';

const keptRequest = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n';

test('a request that came while the closing server was busy is answered', async () => {
  const server = await startServer();
  const socket = createConnection(server.port, '127.0.0.1').setEncoding('utf8');
  socket.write(keptRequest);
  await once(socket, 'data');

  const closed = server.close();
  socket.write(keptRequest);
  const end = performance.now() + 500;
  while (performance.now() < end);
  const [answer] = await once(socket, 'data');

  expect(answer).toMatch(/^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is);
  await closed;
  await server.stop();
});
