import { describe, expect, test } from 'vitest';
import { parsePage, toConnection } from '../../src/graphql/connection.ts';
import { keyOf, keySchemaOf, taskOrders } from '../../src/tasks/order.ts';
import type { TaskView } from '../../src/tasks/repository.ts';

const orders = Object.keys(taskOrders) as (keyof typeof taskOrders)[];

const task: TaskView = {
  id: 'task_1',
  name: 'Count',
  type: 'ANALYSIS',
  priority: 'HIGH',
  status: 'PENDING',
  assignedTo: null,
  description: null,
  parameters: null,
  result: null,
  error: null,
  deadline: null,
  attempts: 0,
  maxAttempts: 5,
  createdBy: { id: 'user_1' },
  createdAt: new Date(1_700_000_000_123),
  updatedAt: new Date(1_700_000_000_123),
  startedAt: null,
  finishedAt: null,
};

describe.each(orders)('a cursor of %s', (order) => {
  const after = cursorOf(order);

  test('leads back to the key of its task', () => {
    expect(parsePage({ after }, keySchemaOf(order)).after).toEqual(keyOf(order)(task));
  });

  test.each(orders.filter((other) => other !== order))('is refused in %s', (other) => {
    expect(() => parsePage({ after }, keySchemaOf(other))).toThrow('after: is not a cursor of this list');
  });
});

test('a task without a deadline stands where its cursor says so', () => {
  expect(keyOf('DEADLINE_ASC')(task)[2]).toBeNull();
  expect(keyOf('DEADLINE_ASC')({ ...task, deadline: new Date(5) })[2]).toBe(5);
});

test.each([
  ['a priority that does not exist', ['CREATED_AT_DESC', 4, 0, 'task_1']],
  ['no instant', ['CREATED_AT_DESC', 0, null, 'task_1']],
  ['an instant that Postgres cannot read', ['CREATED_AT_DESC', 0, -62_200_000_000_000, 'task_1']],
  ['an id that Postgres cannot read', ['CREATED_AT_DESC', 0, 0, 'task_\0']],
  ['a number for an id', ['CREATED_AT_DESC', 0, 0, 1]],
])('a forged cursor with %s is refused', (_what, key) => {
  const after = Buffer.from(JSON.stringify(key)).toString('base64url');
  expect(() => parsePage({ after }, keySchemaOf('CREATED_AT_DESC'))).toThrow('after: is not a cursor of this list');
});

function cursorOf(order: (typeof orders)[number]): string | null {
  return toConnection([task], { size: 1, after: null }, keyOf(order)).pageInfo.endCursor;
}
