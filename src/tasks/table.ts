import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, smallint, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';
import { users } from '../users/table.ts';

export type TaskType = 'ANALYSIS' | 'COORDINATION' | 'MONITORING';
export type TaskStatus = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** The priorities; a row holds the place in this list, so that SQL sorts by urgency. */
export const taskPriorities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
export type TaskPriority = (typeof taskPriorities)[number];

/** Pieces of work. */
export const tasks = pgTable(
  'tasks',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    type: text('type').$type<TaskType>().notNull(),
    priority: smallint('priority').notNull(),
    status: text('status').$type<TaskStatus>().notNull().default('PENDING'),
    assignedTo: text('assigned_to'),
    description: text('description'),
    parameters: jsonb('parameters').$type<Record<string, unknown>>(),
    result: jsonb('result').$type<Record<string, unknown>>(),
    error: text('error'),
    deadline: timestamp('deadline', { withTimezone: true, precision: 3 }),
    attempts: integer('attempts').notNull().default(0),
    maxAttempts: integer('max_attempts').notNull(),
    createdBy: text('created_by')
      .notNull()
      .references(() => users.id),
    idempotencyKey: text('idempotency_key'),
    inputHash: text('input_hash'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    startedAt: timestamp('started_at', { withTimezone: true, precision: 3 }),
    finishedAt: timestamp('finished_at', { withTimezone: true, precision: 3 }),
  },
  (table) => [
    // Serves Query.tasks in both orders of time.
    index('tasks_created_at_index').on(table.createdAt, table.id),
    // Serves Query.tasks filtered by status, and later the claims of agents.
    index('tasks_status_created_at_index').on(table.status, table.createdAt, table.id),
    // Serves Query.tasks by urgency.
    index('tasks_priority_index').on(table.priority.desc(), table.createdAt, table.id),
    // Serves Query.tasks by deadline.
    index('tasks_deadline_index').on(sql`coalesce(${table.deadline}, 'infinity'::timestamptz)`, table.id),
    // Serves Agent.tasks and an agent's own list.
    index('tasks_assigned_to_created_at_index').on(table.assignedTo, table.createdAt, table.id),
    // One task for each idempotency key of a user.
    uniqueIndex('tasks_idempotency_key_unique')
      .on(table.createdBy, table.idempotencyKey)
      .where(sql`${table.idempotencyKey} is not null`),
  ],
);
