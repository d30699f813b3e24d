import { fastify } from 'fastify';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';
import { metricsRoute } from '../../src/http/metricsRoute.ts';
import { startApp } from '../support/app.ts';
import { eventsOf, startServer, type TestServer } from './harness.ts';

const token = 'a-token-of-metrics';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function ask(headers: Record<string, string> = {}, path = '/metrics') {
  const response = await fetch(`${server?.url}${path}`, { headers: { connection: 'close', ...headers } });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe('with METRICS_TOKEN', () => {
  test('they are for whoever has it', async () => {
    server = await startServer({ METRICS_TOKEN: token });
    for (const authorization of [`Bearer ${token}`, `bearer  ${token}`])
      expect(await ask({ authorization })).toMatchObject({ status: 200, text: 'nexus_tests 1\n' });
  });

  test('everybody else is 401, on loopback too, and learns which scheme it is', async () => {
    server = await startServer({ METRICS_TOKEN: token });
    for (const authorization of [
      '',
      token,
      `Basic ${token}`,
      'Bearer',
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Bearer ${token.toUpperCase()}`,
      `Bearer ${token} ${token}`,
    ]) {
      const { status, text, headers } = await ask({ authorization });
      expect([authorization, status, headers.get('www-authenticate')]).toEqual([authorization, 401, 'Bearer']);
      expect(JSON.parse(text).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    }
    expect((await ask()).status).toBe(401);
    expect((await ask({}, `/metrics?token=${token}`)).status).toBe(401);
    const events = eventsOf(await server.stop());
    server = undefined;
    expect(events.every(({ codes }) => codes?.[0] === 'UNAUTHENTICATED')).toBe(true);
    expect(JSON.stringify(events)).not.toContain(token);
  });
});

describe('without METRICS_TOKEN', () => {
  test('they are for loopback, and a credential changes nothing', async () => {
    server = await startServer();
    expect((await ask()).status).toBe(200);
    expect((await ask({ authorization: `Bearer ${token}` })).status).toBe(200);
  });

  test.each(['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP', 'Via'])(
    'a request that came over a proxy, as %s says, is 404',
    async (name) => {
      server = await startServer({ TRUST_PROXY: '127.0.0.0/8' });
      for (const value of ['127.0.0.1', '192.0.2.1', '']) {
        const { status, text } = await ask({ [name]: value });
        expect([value, status]).toEqual([value, 404]);
        expect(text).not.toContain('nexus_');
      }
    },
  );

  test.each([
    ['127.0.0.1', 200],
    ['127.8.9.10', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['192.0.2.1', 404],
    ['::ffff:192.0.2.1', 404],
    ['::', 404],
    ['0.0.0.0', 404],
    ['fe80::1%lo', 404],
    ['2001:db8::1', 404],
  ])('a request from %j is %i', async (remoteAddress, status) => {
    const app = fastify({ trustProxy: true });
    onTestFinished(() => app.close());
    metricsRoute(app, { metrics: { contentType: 'text/plain', text: async () => '' }, token: undefined });
    expect((await app.inject({ url: '/metrics', remoteAddress })).statusCode).toBe(status);
  });
});

test('figures are read when they are asked for, and each app has its own', async () => {
  const [one, another] = [createMetrics(), createMetrics()];
  onTestFinished(() => {
    one.close();
    another.close();
  });
  let waiting = 3;
  one.gauge('nexus_waiting', 'Who waits.', () => waiting);
  const count = one.counter('nexus_done_total', 'What was done.', ['kind']);
  count({ kind: 'a' });
  count({ kind: 'a' }, 2);
  count({ kind: 'b' });
  expect(await one.text()).toContain('# TYPE nexus_waiting gauge\nnexus_waiting 3\n');
  waiting = 0;
  const text = await one.text();
  expect(text).toContain('nexus_waiting 0\n');
  expect(text).toContain('nexus_done_total{kind="a"} 3\nnexus_done_total{kind="b"} 1\n');
  expect(text).toMatch(/^nexus_event_loop_delay_seconds \d+(\.\d+)?(e-\d+)?$/m);
  expect(await another.text()).not.toContain('nexus_waiting');
  expect(() => one.gauge('nexus_waiting', 'Again.', () => 0)).toThrow();
});

test('an event loop that is held up is told late by as much, once', async () => {
  const metrics = createMetrics();
  onTestFinished(() => metrics.close());
  const delay = async () => Number(/^nexus_event_loop_delay_seconds (.+)$/m.exec(await metrics.text())?.[1]);
  const turn = () => new Promise((resolve) => setTimeout(resolve, 50));
  await turn();
  await delay();
  await turn(); // The histogram counts from its second timer on.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  await turn();
  expect(await delay()).toBeGreaterThan(0.2);
  await turn();
  expect(await delay()).toBeLessThan(0.2);
});

test('an app tells how its parts are, and no default figures of the process', async () => {
  const app = await startApp();
  onTestFinished(() => app.stop());
  const response = await fetch(`${app.url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const figures = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(figures.map((line) => line.split(' ')[0]).sort()).toEqual([
    'nexus_database_pool_wait_seconds',
    'nexus_event_loop_delay_seconds',
    'nexus_limits_degraded',
  ]);
  expect(figures).toContain('nexus_database_pool_wait_seconds 0');
  expect(figures).toContain('nexus_limits_degraded 0');
});
