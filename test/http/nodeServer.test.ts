import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createNodeServer } from '../../src/http/nodeServer.ts';
import { eventsOf, post, raw, startServer } from './harness.ts';

const keptRequest = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n';

test('headers have 10 s, a body 15 s, looked at every second, and silence ends a connection', () => {
  const server = createNodeServer(undefined, () => undefined);
  expect(server).toMatchObject({
    headersTimeout: 10_000,
    requestTimeout: 15_000,
    timeout: 30_000,
    keepAliveTimeout: 65_000,
  });
  server.close();
});

test('what is under way when the server closes is answered, on connections that then end', async () => {
  const server = await startServer();
  const slow = post(server.url, { query: '{ slow(ms: 400) }' }, { connection: 'keep-alive' });
  await sleep(100);
  const closed = server.close();
  const response = await slow;
  expect(await response.json()).toEqual({ data: { slow: 'done' } });
  expect(response.headers.get('connection')).toBe('close');
  await closed;
  await expect(fetch(server.url)).rejects.toThrow();
  expect(eventsOf(await server.stop())).toHaveLength(1);
});

test('a closing server listens no more, and says that it is not ready on the connections it still has', async () => {
  const server = await startServer();
  const answer = raw(server.port, [keptRequest, '', '', 'GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n'], 50);
  await sleep(100);
  const closed = server.close();
  await expect(fetch(server.url)).rejects.toThrow();
  expect(await answer).toMatch(/HTTP\/1.1 200 .*HTTP\/1.1 503 .*connection: close.*"unavailable"/s);
  await closed;
  await server.stop();
});

test('idle connections do not hold a closing server up', async () => {
  const server = await startServer();
  const socket = createConnection(server.port, '127.0.0.1');
  socket.resume();
  socket.write(keptRequest);
  await sleep(50);
  const startedAt = performance.now();
  await Promise.all([server.close(), once(socket, 'close')]);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  await server.stop();
});

test('what does not end is cut after 10 s', async () => {
  const server = await startServer();
  const slow = post(server.url, { query: '{ slow(ms: 14000) }' });
  await sleep(100);
  const startedAt = performance.now();
  await Promise.all([server.close(), expect(slow).rejects.toThrow()]);
  expect(performance.now() - startedAt).toBeGreaterThan(9_000);
  expect(performance.now() - startedAt).toBeLessThan(12_000);
  await server.stop();
});
