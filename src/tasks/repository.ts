import { and, eq, getTableColumns, inArray, type SQL, sql } from 'drizzle-orm';
import { agents } from '../agents/table.ts';
import { ConflictError, IdempotencyConflictError, NotFoundError } from '../errors.ts';
import type { Db } from '../storage/db.ts';
import { newId } from '../storage/id.ts';
import { createStatementCache } from '../storage/statementCache.ts';
import type { CreateTask, UpdateTask } from './input.ts';
import { hashInput } from './inputHash.ts';
import { type TaskPriority, type TaskStatus, taskPriorities, tasks } from './table.ts';

const { idempotencyKey: _key, inputHash: _hash, ...columns } = getTableColumns(tasks);

/** The columns that a TaskView is made of. */
export const taskColumns = columns;

type StoredTask = Omit<typeof tasks.$inferSelect, 'idempotencyKey' | 'inputHash'>;

/** A task as the API shows it. */
export type TaskView = Omit<StoredTask, 'priority' | 'createdBy'> & {
  priority: TaskPriority;
  createdBy: { id: string };
};

const unfinished: TaskStatus[] = ['PENDING', 'RUNNING'];
/** The database's clock, as for the defaults of the table. */
const now = sql`now()`;

/** The view of a row. */
export function toView({ priority, createdBy, ...task }: StoredTask): TaskView {
  // Only places in the list are ever stored.
  return { ...task, priority: taskPriorities[priority] as TaskPriority, createdBy: { id: createdBy } };
}

const findByIdStatements = createStatementCache<ReturnType<typeof prepareFindById>>(1);

/** The task; null where there is none, or none of `agentId`, the only agent whose tasks the caller sees. */
export async function findById(db: Db, id: string, agentId: string | null): Promise<TaskView | null> {
  const [task] = await findByIdStatements(db, '', () => prepareFindById(db)).execute({ id, agentId });
  return task ? toView(task) : null;
}

function prepareFindById(db: Db) {
  const agentId = sql`${sql.placeholder('agentId')}::text`;
  return db
    .select(taskColumns)
    .from(tasks)
    .where(and(eq(tasks.id, sql.placeholder('id')), sql`(${agentId} is null or ${tasks.assignedTo} = ${agentId})`))
    .prepare('find_task_by_id');
}

/**
 * Creates the task for the user, or answers the one that this user made with the same idempotency key and input. The
 * key with another input is IDEMPOTENCY_CONFLICT. A call with the same key in progress is waited for.
 */
export async function create(db: Db, input: CreateTask, createdBy: string): Promise<TaskView> {
  if (input.assignedTo !== null) await ensureAgent(db, input.assignedTo);
  const inputHash = hashInput(input);
  const [created] = await db
    .insert(tasks)
    .values({
      ...input,
      id: newId('task'),
      priority: taskPriorities.indexOf(input.priority),
      createdBy,
      inputHash: input.idempotencyKey === null ? null : inputHash,
    })
    .onConflictDoNothing({
      target: [tasks.createdBy, tasks.idempotencyKey],
      where: sql`${tasks.idempotencyKey} is not null`,
    })
    .returning(taskColumns);
  return created ? toView(created) : await findRepeated(db, createdBy, input.idempotencyKey ?? '', inputHash);
}

/** The insert waited for the other call's commit, so that this statement's snapshot has its task (READ COMMITTED). */
async function findRepeated(db: Db, createdBy: string, idempotencyKey: string, inputHash: string): Promise<TaskView> {
  const [task] = await db
    .select({ ...taskColumns, inputHash: tasks.inputHash })
    .from(tasks)
    .where(and(eq(tasks.createdBy, createdBy), eq(tasks.idempotencyKey, idempotencyKey)));
  if (!task) throw new Error('The task of an idempotency key is gone: tasks are never deleted.');
  const { inputHash: firstHash, ...row } = task;
  if (firstHash !== inputHash) throw new IdempotencyConflictError();
  return toView(row);
}

/** Whether the user has made a task with this idempotency key. */
export async function hasIdempotencyKey(db: Db, createdBy: string, idempotencyKey: string): Promise<boolean> {
  const found = await db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(eq(tasks.createdBy, createdBy), eq(tasks.idempotencyKey, idempotencyKey)));
  return found.length > 0;
}

/** Changes a task that is not finished; a finished one is CONFLICT. */
export function update(db: Db, id: string, { priority, ...fields }: UpdateTask): Promise<TaskView> {
  const changes = { ...fields, priority: priority && taskPriorities.indexOf(priority) };
  return change(db, id, unfinished, changes, 'A finished task does not change.');
}

/** Gives a pending task to the agent, known or not; a task that is not pending is CONFLICT. */
export async function assign(db: Db, id: string, agentId: string): Promise<TaskView> {
  await ensureAgent(db, agentId);
  return change(db, id, ['PENDING'], { assignedTo: agentId }, 'Only a pending task is assigned.');
}

/** Cancels a task that is not finished; a finished one is CONFLICT. */
export function cancel(db: Db, id: string): Promise<TaskView> {
  return change(db, id, unfinished, { status: 'CANCELLED', finishedAt: now }, 'A finished task is not cancelled.');
}

type Changes = { [Column in keyof typeof tasks.$inferInsert]?: (typeof tasks.$inferInsert)[Column] | SQL };

/** One UPDATE with the state in its condition, so that of two changes that exclude each other one is CONFLICT. */
async function change(db: Db, id: string, from: TaskStatus[], changes: Changes, conflict: string): Promise<TaskView> {
  const [changed] = await db
    .update(tasks)
    .set({ ...changes, updatedAt: now })
    .where(and(eq(tasks.id, id), inArray(tasks.status, from)))
    .returning(taskColumns);
  if (changed) return toView(changed);
  throw (await findById(db, id, null)) ? new ConflictError(conflict) : new NotFoundError('task');
}

async function ensureAgent(db: Db, id: string): Promise<void> {
  await db.insert(agents).values({ id }).onConflictDoNothing();
}
