import { requireCaller } from '../auth/requireCaller.ts';
import type { Context } from '../context.ts';
import { NotFoundError, UnauthenticatedError } from '../errors.ts';
import { parsePage, toConnection } from '../graphql/connection.ts';
import { isStorable, parseInput, parseTogether } from '../graphql/input.ts';
import type { CreateTaskInput, Resolvers } from '../graphql/types.generated.ts';
import {
  cancelTaskArguments,
  createTaskInput,
  idText,
  repeatedTaskInput,
  taskFilter,
  updateTaskArguments,
} from './input.ts';
import { list } from './list.ts';
import { keyOf, keySchemaOf } from './order.ts';
import * as tasks from './repository.ts';

export const tasksResolvers = {
  Query: {
    task: async (_parent, args, ctx) => {
      const task = await tasks.findById(ctx.db, parseInput(idText, args.id, 'id'), requireCaller(ctx.caller).agentId);
      if (!task) throw new NotFoundError('task');
      return task;
    },
    tasks: async (_parent, args, ctx) => {
      const order = args.orderBy ?? 'CREATED_AT_DESC';
      const [filter, page] = parseTogether(
        () => parseInput(taskFilter, args.filter ?? {}, 'filter'),
        () => parsePage(args, keySchemaOf(order)),
      );
      return toConnection(
        await list(ctx.db, filter, order, page, requireCaller(ctx.caller).agentId),
        page,
        keyOf(order),
      );
    },
  },
  Mutation: {
    createTask: async (_parent, args, ctx) => {
      if (!ctx.caller) throw new UnauthenticatedError();
      const { userId } = ctx.caller;
      const isLateRepeat = await isRepeatAfterDeadline(args.input, userId, ctx);
      const input = parseInput(isLateRepeat ? repeatedTaskInput : createTaskInput, args.input, 'input');
      const task = await tasks.create(ctx.db, input, userId);
      ctx.audit.target('task', task.id);
      return { task };
    },
    updateTask: async (_parent, args, ctx) => {
      const { id, input } = parseInput(updateTaskArguments, args);
      const task = await tasks.update(ctx.db, id, input);
      ctx.audit.target('task', task.id);
      return { task };
    },
    assignTask: async (_parent, args, ctx) => {
      const task = await tasks.assign(ctx.db, parseInput(idText, args.id, 'id'), args.agentId);
      ctx.audit.target('task', task.id);
      return { task };
    },
    cancelTask: async (_parent, args, ctx) => {
      // The audit row keeps the reason, with the other arguments.
      const { id } = parseInput(cancelTaskArguments, args);
      const task = await tasks.cancel(ctx.db, id);
      ctx.audit.target('task', task.id);
      return { task };
    },
  },
  Task: {
    agent: ({ assignedTo }, _args, ctx) => (assignedTo === null ? null : ctx.loaders.agents.load(assignedTo)),
  },
  Agent: {
    tasks: async ({ id }, args, ctx) => {
      const page = parsePage(args, keySchemaOf('CREATED_AT_DESC'));
      const found = await ctx.loaders.agentTasks.load({ agentId: id, page });
      return toConnection(found, page, keyOf('CREATED_AT_DESC'));
    },
  },
} satisfies Resolvers;

/** The same key answers the same task for ever, so that a deadline which has passed since is then no problem. */
async function isRepeatAfterDeadline(input: CreateTaskInput, userId: string, ctx: Context): Promise<boolean> {
  const { deadline, idempotencyKey } = input;
  if (!deadline || deadline.getTime() > Date.now() || !idempotencyKey || !isStorable(idempotencyKey)) return false;
  return tasks.hasIdempotencyKey(ctx.db, userId, idempotencyKey);
}
