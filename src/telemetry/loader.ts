import DataLoader from 'dataloader';
import type { Db } from '../storage/db.ts';
import * as telemetry from './repository.ts';

/** The newest reading of an agent, by the agent's id; null where it never sent any. */
export type TelemetryLoader = DataLoader<string, telemetry.TelemetryRow | null>;

/** A loader that reads the newest readings of all the agents of a tick in one statement. */
export function createTelemetryLoader(db: Db): TelemetryLoader {
  return new DataLoader(async (agentIds) => {
    const latest = await telemetry.findLatest(db, agentIds);
    const readings = new Map(latest.map((reading) => [reading.agentId, reading]));
    return agentIds.map((agentId) => readings.get(agentId) ?? null);
  });
}
