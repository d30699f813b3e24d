import { z } from 'zod';
import { futureInstant, instant, jsonObject, text } from '../graphql/input.ts';
import { sanitizeDescription } from './description.ts';
import { taskPriorities } from './table.ts';

const maxAttempts = { default: 5, max: 25 };
const statuses = ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
const types = ['ANALYSIS', 'COORDINATION', 'MONITORING'] as const;

/** An instant as a cursor holds it: milliseconds since 1970. */
export const instantMs = z.int().refine((ms) => instant.safeParse(new Date(ms)).success);

/** What may be an id: a text that Postgres can look for. */
export const idText = text(1, 100);

const name = text(1, 200);
const description = text(0, 10_000).transform((html) => sanitizeDescription(html) || null);
const deadline = futureInstant;

const createFields = {
  name,
  type: z.enum(types),
  priority: z
    .enum(taskPriorities)
    .nullish()
    .transform((value) => value ?? 'MEDIUM'),
  assignedTo: absentAsNull(z.string()),
  description: absentAsNull(description),
  parameters: absentAsNull(jsonObject),
  maxAttempts: z
    .int()
    .min(1, `must be 1 to ${maxAttempts.max}`)
    .max(maxAttempts.max, `must be 1 to ${maxAttempts.max}`)
    .nullish()
    .transform((value) => value ?? maxAttempts.default),
  idempotencyKey: absentAsNull(text(1, 200)),
};

/** CreateTaskInput with its defaults; what is absent is null. */
export const createTaskInput = z.object({ ...createFields, deadline: absentAsNull(deadline) });
export type CreateTask = z.infer<typeof createTaskInput>;

/** The same for a call that is repeated after its deadline. */
export const repeatedTaskInput = z.object({ ...createFields, deadline: absentAsNull(instant) });

/** UpdateTaskInput: what is absent stays, what is null is removed. */
const updateTaskInput = z
  .object({
    name: name.optional(),
    priority: z.enum(taskPriorities).optional(),
    description: description.nullable().optional(),
    parameters: jsonObject.nullable().optional(),
    deadline: deadline.nullable().optional(),
  })
  .refine((input) => Object.values(input).some((value) => value !== undefined), 'must change at least one field');
export type UpdateTask = z.infer<typeof updateTaskInput>;

/** The arguments of updateTask. */
export const updateTaskArguments = z.object({ id: idText, input: updateTaskInput });

/** The arguments of cancelTask. */
export const cancelTaskArguments = z.object({ id: idText, reason: text(1, 500).nullish() });

/** TaskFilter; null is no condition. */
export const taskFilter = z.object({
  status: z
    .array(z.enum(statuses))
    .min(1, 'must hold 1 to 5 statuses')
    .max(statuses.length, 'must hold 1 to 5 statuses')
    .nullish(),
  type: z.enum(types).nullish(),
  priority: z.enum(taskPriorities).nullish(),
  assignedTo: z.string().nullish(),
  createdBy: idText.nullish(),
  createdAfter: instant.nullish(),
  createdBefore: instant.nullish(),
});
export type TaskFilter = z.infer<typeof taskFilter>;

function absentAsNull<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? null);
}
