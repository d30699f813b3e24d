import { setTimeout } from 'node:timers/promises';
import { post } from '../post.ts';
import { type Client, limits, type World } from './world.ts';

const asked = 20;
const backWithinMs = 60_000;

/** A process is killed while its operations wait for the database: what they had reserved is there again in a minute. */
export async function killInTheMiddle({ urls, sql, start, createClient }: World): Promise<boolean> {
  const client = await createClient('PREMIUM');
  const doomed = await start();
  const before = await remainingOf(urls[0], client);
  const during = await sql.begin(async (tx) => {
    await tx`lock table tasks in access exclusive mode`;
    const waiting = Array.from({ length: asked }, () =>
      post(doomed.url, client.person, '{ tasks(first: 90) { edges { node { id agent { id } } } } }').catch(() => null),
    );
    await setTimeout(1_000);
    const left = await remainingOf(urls[0], client);
    await doomed.end('SIGKILL');
    await Promise.all(waiting);
    return left;
  });
  const killedAt = performance.now();
  let after = during;
  while (after < before && performance.now() - killedAt < backWithinMs) {
    await setTimeout(250);
    after = await remainingOf(urls[1], client);
  }
  const seconds = (performance.now() - killedAt) / 1_000;
  console.table([{ limit: limits.PREMIUM, before, whileTheyRan: during, after, secondsUntilBack: seconds.toFixed(1) }]);
  return before === limits.PREMIUM && during < before && after === before;
}

async function remainingOf(url: string, client: Client): Promise<number> {
  const { code, data } = await post(url, client.person, '{ rateLimit { limits { name remaining } } }');
  if (code !== 'OK') throw new Error(`rateLimit was refused: ${code}`);
  return data.rateLimit.limits.find(({ name }: { name: string }) => name === 'hour').remaining;
}
