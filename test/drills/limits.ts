import { runClients } from './limits/clients.ts';
import { countParallel } from './limits/exact.ts';
import { killInTheMiddle } from './limits/killed.ts';
import { goWithoutRedis } from './limits/withoutRedis.ts';
import { startWorld, type World } from './limits/world.ts';

/**
 * Attacks the limits of two processes on one Postgres and one Redis: bursts, clients that obey and clients that do not,
 * a process that is killed while it holds reservations, and a Redis that is frozen and killed. Exit code 1 where one of
 * the promises does not hold. DRILL_SECONDS shortens the part with the clients.
 */
const seconds = Number(process.env.DRILL_SECONDS ?? 300);

const parts: [name: string, run: (world: World) => Promise<boolean>][] = [
  ['exactly the limit passes', countParallel],
  [`clients for ${seconds} s`, (world) => runClients(world, seconds)],
  ['kill -9 between reserving and settling', killInTheMiddle],
  ['without Redis', goWithoutRedis],
];

const world = await startWorld();
try {
  for (const [name, run] of parts.filter(([name]) => name.includes(process.argv[2] ?? ''))) {
    console.info(`\n${name}`);
    const holds = await run(world);
    console.info(`${name}: ${holds ? 'as it must be' : 'NOT AS IT MUST BE'}`);
    if (!holds) process.exitCode = 1;
  }
} finally {
  await world.stop();
}
