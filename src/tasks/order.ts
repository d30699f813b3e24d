import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { TaskOrder } from '../graphql/types.generated.ts';
import { idText, instantMs } from './input.ts';
import type { TaskView } from './repository.ts';
import { taskPriorities, tasks } from './table.ts';

/** Where a task stands in a list: the order of the list, the priority's place, an instant in ms, the id. */
export type TaskKey = [order: TaskOrder, priority: number, instant: number | null, id: string];

const deadline = sql`coalesce(${tasks.deadline}, 'infinity'::timestamptz)`;
const after = { instant: sql.placeholder('afterInstant'), id: sql.placeholder('afterId') };
const isOlder = sql`(${tasks.createdAt}, ${tasks.id}) < (${after.instant}, ${after.id})`;
const isNewer = sql`(${tasks.createdAt}, ${tasks.id}) > (${after.instant}, ${after.id})`;

/**
 * For each order the terms to sort by, as its index has them, and the conditions of a page after a key. PRIORITY_DESC
 * needs two: directions are mixed there, so that no one comparison of rows, which an index could answer, says "after".
 */
export const taskOrders: Record<TaskOrder, { by: SQL[]; pagesAfter: [SQL] | [SQL, SQL] }> = {
  CREATED_AT_DESC: { by: [sql`${tasks.createdAt} desc`, sql`${tasks.id} desc`], pagesAfter: [isOlder] },
  CREATED_AT_ASC: { by: [sql`${tasks.createdAt}`, sql`${tasks.id}`], pagesAfter: [isNewer] },
  PRIORITY_DESC: {
    by: [sql`${tasks.priority} desc nulls last`, sql`${tasks.createdAt}`, sql`${tasks.id}`],
    pagesAfter: [
      sql`${tasks.priority} = ${sql.placeholder('afterPriority')} and ${isNewer}`,
      sql`${tasks.priority} < ${sql.placeholder('afterPriority')}`,
    ],
  },
  DEADLINE_ASC: {
    by: [deadline, sql`${tasks.id}`],
    pagesAfter: [sql`(${deadline}, ${tasks.id}) > (${after.instant}, ${after.id})`],
  },
};

const keySchemas: Record<TaskOrder, z.ZodType<TaskKey>> = {
  CREATED_AT_DESC: keySchema('CREATED_AT_DESC', instantMs),
  CREATED_AT_ASC: keySchema('CREATED_AT_ASC', instantMs),
  PRIORITY_DESC: keySchema('PRIORITY_DESC', instantMs),
  DEADLINE_ASC: keySchema('DEADLINE_ASC', instantMs.nullable()),
};

/** The keys of a list in this order: a cursor of another order is none of them. */
export function keySchemaOf(order: TaskOrder): z.ZodType<TaskKey> {
  return keySchemas[order];
}

/** The key of a task in this order. */
export function keyOf(order: TaskOrder): (task: TaskView) => TaskKey {
  return ({ priority, createdAt, deadline, id }) => {
    const instant = order === 'DEADLINE_ASC' ? deadline : createdAt;
    return [order, taskPriorities.indexOf(priority), instant?.getTime() ?? null, id];
  };
}

/** The values of the placeholders in `pagesAfter`. */
export function placeholdersOf([, afterPriority, instant, afterId]: TaskKey) {
  return { afterPriority, afterInstant: instant === null ? 'infinity' : new Date(instant).toISOString(), afterId };
}

function keySchema<Instant extends number | null>(order: TaskOrder, instant: z.ZodType<Instant>): z.ZodType<TaskKey> {
  const priority = z
    .int()
    .min(0)
    .max(taskPriorities.length - 1);
  return z.tuple([z.literal(order), priority, instant, idText]);
}
