import { expect, test } from 'vitest';
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
