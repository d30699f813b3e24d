import { expect, test } from 'vitest';
import { remainingMs, withinDeadline } from '../../src/operationDeadline.ts';
import { isDependencyFailure } from '../../src/storage/failures.ts';
import { type Connection, createPool } from '../../src/storage/pool.ts';

const deadlineMs = 100;

/** Connections that only know whether they were destroyed. */
function createConnections() {
  const made: Connection[] = [];
  const connect = (): Connection => {
    let isUsable = true;
    const connection: Connection = {
      run: async () => [],
      isUsable: () => isUsable,
      async destroy() {
        isUsable = false;
      },
    };
    made.push(connection);
    return connection;
  };
  return { made, connect };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('work that gave up waiting does not cost the pool the connection that is destroyed after it', async () => {
  const { connect } = createConnections();
  const pool = createPool(connect, 1, deadlineMs);
  const long = pool.use(async (connection) => {
    await pause(3 * deadlineMs);
    await connection.destroy();
  }, 10 * deadlineMs);
  const waiting = [1, 2, 3].map(() => expect(pool.use(async () => 'late')).rejects.toSatisfy(isDependencyFailure));
  await Promise.all([long, ...waiting]);
  expect(await pool.use(async () => 'next')).toBe('next');
  await pool.close();
});

test('work past its deadline loses its connection, and those that wait get another', async () => {
  const { made, connect } = createConnections();
  const pool = createPool(connect, 1, deadlineMs);
  const stuck = pool.use(() => pause(3 * deadlineMs));
  const next = pool.use(async (connection) => made.indexOf(connection), 10 * deadlineMs);
  await expect(stuck).rejects.toSatisfy(isDependencyFailure);
  expect(await next).toBe(1);
  expect(made.map((connection) => connection.isUsable())).toEqual([false, true]);
  await pool.close();
  expect(made[1]?.isUsable()).toBe(false);
});

test('connections are lent to one at a time, in the order of asking', async () => {
  const { made, connect } = createConnections();
  const pool = createPool(connect, 2, 10_000);
  const busy = new Set<Connection>();
  const order: number[] = [];
  const work = (turn: number) =>
    pool.use(async (connection) => {
      expect(busy.has(connection)).toBe(false);
      busy.add(connection);
      order.push(turn);
      await pause(1);
      busy.delete(connection);
    });
  await Promise.all(Array.from({ length: 50 }, (_, turn) => work(turn)));
  expect(order).toEqual(Array.from({ length: 50 }, (_, turn) => turn));
  expect(made.length).toBe(2);
});

test('work waits no longer than its operation may, and leaves the queue', async () => {
  const { connect } = createConnections();
  const pool = createPool(connect, 1, 10_000);
  const { promise: isDone, resolve: finish } = Promise.withResolvers<void>();
  const long = pool.use(() => isDone);
  const waiting = withinDeadline(50, () => pool.use(async () => 'late'));
  await pause(20);
  expect(pool.waitMs()).toBeGreaterThan(10);
  await expect(waiting).rejects.toSatisfy(isDependencyFailure);
  expect(pool.waitMs()).toBe(0);
  finish();
  await long;
  await pool.close();
});

test('work in progress loses its connection when the time of its operation is up, and later work is refused', async () => {
  const { made, connect } = createConnections();
  const pool = createPool(connect, 1, 10_000);
  await withinDeadline(50, async () => {
    await expect(pool.use(() => pause(200))).rejects.toSatisfy(isDependencyFailure);
    await expect(pool.use(async () => 'more')).rejects.toSatisfy(isDependencyFailure);
  });
  expect(made.map((connection) => connection.isUsable())).toEqual([false]);
  await pool.close();
});

test('work that has waited keeps the deadline of its own operation, not of the one before it', async () => {
  const { connect } = createConnections();
  const pool = createPool(connect, 1, 10_000);
  const first = withinDeadline(5_000, () => pool.use(() => pause(20)));
  const second = withinDeadline(60_000, () => pool.use(async () => remainingMs()));
  expect(await second).toBeGreaterThan(10_000);
  await first;
  await pool.close();
});

test('what an operation has left behind has no deadline', async () => {
  let later: Promise<number> | undefined;
  await withinDeadline(10, async () => {
    later = pause(50).then(() => remainingMs());
  });
  expect(await later).toBe(Number.POSITIVE_INFINITY);
});
