import { type AgentLoader, createAgentLoader } from './agents/loader.ts';
import type { Db } from './storage/db.ts';
import { type AgentTasksLoader, createAgentTasksLoader } from './tasks/loader.ts';
import { createTelemetryLoader, type TelemetryLoader } from './telemetry/loader.ts';

/** The batched reads of one request, or of one transaction; each loader is made when it is first used. */
export class Loaders {
  readonly #db: Db;
  #agents: AgentLoader | undefined;
  #agentTasks: AgentTasksLoader | undefined;
  #latestTelemetry: TelemetryLoader | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  get agents(): AgentLoader {
    this.#agents ??= createAgentLoader(this.#db);
    return this.#agents;
  }

  get agentTasks(): AgentTasksLoader {
    this.#agentTasks ??= createAgentTasksLoader(this.#db);
    return this.#agentTasks;
  }

  get latestTelemetry(): TelemetryLoader {
    this.#latestTelemetry ??= createTelemetryLoader(this.#db);
    return this.#latestTelemetry;
  }

  /** Forgets what was read, so that the next read asks the database. */
  clearAll(): void {
    this.#agents?.clearAll();
    this.#agentTasks?.clearAll();
    this.#latestTelemetry?.clearAll();
  }
}
