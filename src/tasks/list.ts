import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import { makePgArray, unionAll } from 'drizzle-orm/pg-core';
import type { Page } from '../graphql/connection.ts';
import type { TaskOrder } from '../graphql/types.generated.ts';
import type { Db } from '../storage/db.ts';
import { createStatementCache } from '../storage/statementCache.ts';
import type { TaskFilter } from './input.ts';
import { placeholdersOf, type TaskKey, taskOrders } from './order.ts';
import { type TaskView, taskColumns, toView } from './repository.ts';
import { taskPriorities, tasks } from './table.ts';

/** Of the thousands of combinations of conditions and order, clients use a few. */
const maxShapes = 100;

/** The conditions that a list can have, each with the placeholder of its name. */
const conditions = {
  // One status is a condition of its own, because the index then has the rest of the order.
  status: eq(tasks.status, sql.placeholder('status')),
  statuses: sql`${tasks.status} = any(${sql.placeholder('statuses')}::text[])`,
  type: eq(tasks.type, sql.placeholder('type')),
  priority: eq(tasks.priority, sql.placeholder('priority')),
  assignedTo: eq(tasks.assignedTo, sql.placeholder('assignedTo')),
  createdBy: eq(tasks.createdBy, sql.placeholder('createdBy')),
  createdAfter: gte(tasks.createdAt, sql.placeholder('createdAfter')),
  createdBefore: lt(tasks.createdAt, sql.placeholder('createdBefore')),
  agentId: eq(tasks.assignedTo, sql.placeholder('agentId')),
};
type ConditionName = keyof typeof conditions;

const statements = createStatementCache<ReturnType<typeof prepare>>(maxShapes);

/**
 * The tasks that meet the filter, in this order; one more than the page holds where more follow. `agentId` is the only
 * agent whose tasks the caller sees.
 */
export async function list(
  db: Db,
  { status, priority, createdAfter, createdBefore, ...filter }: TaskFilter,
  order: TaskOrder,
  page: Page<TaskKey>,
  agentId: string | null,
): Promise<TaskView[]> {
  const values: Partial<Record<ConditionName, unknown>> = {
    ...filter,
    ...(status?.length === 1 ? { status: status[0] } : { statuses: status && makePgArray(status) }),
    priority: priority && taskPriorities.indexOf(priority),
    createdAfter: createdAfter?.toISOString(),
    createdBefore: createdBefore?.toISOString(),
    agentId,
  };
  const names = (Object.keys(conditions) as ConditionName[]).filter((name) => values[name] != null);
  const isAfter = page.after !== null;
  const statement = statements(db, `${order} ${isAfter} ${names}`, () => prepare(db, names, order, isAfter));
  const rows = await statement.execute({
    ...values,
    ...(page.after && placeholdersOf(page.after)),
    limit: page.size + 1,
  });
  return rows.map(toView);
}

function prepare(db: Db, names: ConditionName[], order: TaskOrder, isAfter: boolean) {
  const { by, pagesAfter } = taskOrders[order];
  const limit = sql.placeholder('limit');
  const pageOf = (after?: SQL) =>
    db
      .select(taskColumns)
      .from(tasks)
      .where(and(...names.map((name) => conditions[name]), after))
      .orderBy(...by)
      .limit(limit);
  if (!isAfter) return pageOf().prepare('list_tasks');
  const [first, second] = pagesAfter;
  if (!second) return pageOf(first).prepare('list_tasks');
  return unionAll(pageOf(first), pageOf(second))
    .orderBy(...by)
    .limit(limit)
    .prepare('list_tasks');
}
