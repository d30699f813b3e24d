import DataLoader from 'dataloader';
import type { Db } from '../storage/db.ts';
import * as agents from './repository.ts';

/** An agent by its id; null where there is none. */
export type AgentLoader = DataLoader<string, agents.AgentRow | null>;

/** A loader that reads all the agents of a tick in one statement. */
export function createAgentLoader(db: Db): AgentLoader {
  return new DataLoader(async (ids) => {
    const found = new Map((await agents.findByIds(db, ids)).map((agent) => [agent.id, agent]));
    return ids.map((id) => found.get(id) ?? null);
  });
}
