import DataLoader from 'dataloader';
import { and, sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import type { Page } from '../graphql/connection.ts';
import type { Db } from '../storage/db.ts';
import { createStatementCache } from '../storage/statementCache.ts';
import { placeholdersOf, type TaskKey, taskOrders } from './order.ts';
import { type TaskView, taskColumns, toView } from './repository.ts';
import { tasks } from './table.ts';

/** A page of the tasks of an agent, the newest first. */
export type AgentTasksPage = { agentId: string; page: Page<TaskKey> };

/** The tasks of a page; one more than the page holds where more follow. */
export type AgentTasksLoader = DataLoader<AgentTasksPage, TaskView[], string>;

/** A loader that reads the same page of all the agents of a tick in one statement. */
export function createAgentTasksLoader(db: Db): AgentTasksLoader {
  return new DataLoader<AgentTasksPage, TaskView[], string>(
    async (wanted) => {
      const found = new Map<string, TaskView[]>();
      for (const [pageText, group] of Map.groupBy(wanted, ({ page }) => JSON.stringify(page))) {
        const agentIds = group.map(({ agentId }) => agentId);
        const { page } = group[0] as AgentTasksPage; // A group is never empty.
        for (const [agentId, views] of await findByAgents(db, agentIds, page)) found.set(agentId + pageText, views);
      }
      return wanted.map((one) => found.get(keyOf(one)) ?? []);
    },
    { cacheKeyFn: keyOf },
  );
}

function keyOf({ agentId, page }: AgentTasksPage): string {
  return agentId + JSON.stringify(page);
}

const statements = createStatementCache<ReturnType<typeof prepare>>(2);

async function findByAgents(db: Db, agentIds: string[], page: Page<TaskKey>): Promise<Map<string | null, TaskView[]>> {
  const isAfter = page.after !== null;
  const rows = await statements(db, String(isAfter), () => prepare(db, isAfter)).execute({
    agentIds: makePgArray(agentIds),
    ...(page.after && placeholdersOf(page.after)),
    limit: page.size + 1,
  });
  return Map.groupBy(rows.map(toView), ({ assignedTo }) => assignedTo);
}

function prepare(db: Db, isAfter: boolean) {
  const { by, pagesAfter } = taskOrders.CREATED_AT_DESC;
  const pageOfAgent = db
    .select(taskColumns)
    .from(tasks)
    .where(and(sql`${tasks.assignedTo} = agent_id`, isAfter ? pagesAfter[0] : undefined))
    .orderBy(...by)
    .limit(sql.placeholder('limit'))
    .as('tasks');
  return db
    .select(taskColumns)
    .from(sql`unnest(${sql.placeholder('agentIds')}::text[]) as agent(agent_id)`)
    .crossJoinLateral(pageOfAgent)
    .prepare('find_tasks_by_agents');
}
