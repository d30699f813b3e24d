import { type Cidr, loopback, overlaps, parseCidr, requireCidr } from '../network/cidr.ts';
import type { Channel } from '../storage/channel.ts';
import type { Database } from '../storage/db.ts';
import { type BlockChange, createBlockSet } from './blockSet.ts';
import { readChanges, readHorizon } from './repository.ts';

/** Where processes tell each other that blocks have changed. */
export const ipBlockChannel = 'nexus:ip-blocks';

const pollEveryMs = 800;
const retryAfterMs = 200;

/** The blocks of all processes, as this process knows them. */
export type IpBlocks = {
  /** How long requests from the address are still refused; 0 where they are not. Asks nobody. */
  remainingMs(ip: string): number;
  /** Whether some address of the range must never be refused: of this machine, and of the proxies. */
  isProtected(range: Cidr): boolean;
  /** For changes that are committed: true here at once, and told to the other processes. */
  announce(changes: readonly BlockChange[]): void;
  close(): Promise<void>;
};

export type IpBlocksOptions = {
  database: Database;
  /** To the other processes; null: the poll alone. */
  channel: Channel | null;
  /** The ranges of the proxies: whoever blocked one of them would block everybody. */
  trustProxy: readonly string[];
  /** Hears of each failure. */
  onError: (error: unknown) => void;
};

/**
 * Rejects where the blocks cannot be read now. Later, a change that another process has committed is known here within
 * milliseconds by way of Redis, which says no more than that there is one, and within a second by the poll; while
 * neither works, what is known stays. An embedded database has no other process.
 */
export async function openIpBlocks({ database, channel, trustProxy, onError }: IpBlocksOptions): Promise<IpBlocks> {
  const blocks = createBlockSet();
  const protectedRanges = [...loopback, ...trustProxy.map(requireCidr)];
  const isProtected = (range: Cidr) => protectedRanges.some((each) => overlaps(each, range));

  let horizon: string | null = null;
  async function poll(): Promise<void> {
    const next = await readHorizon(database.control);
    blocks.apply(await readChanges(database.control, horizon));
    horizon = next;
  }
  await poll();
  const polling = database.kind === 'postgres' ? pollAgainAndAgain(poll, onError) : null;
  channel?.subscribe(() => polling?.hurry());
  let published: Promise<unknown> = Promise.resolve();
  return {
    remainingMs(ip) {
      const left = blocks.remainingMs(ip);
      if (left === 0) return 0;
      const address = parseCidr(ip);
      return address && isProtected(address) ? 0 : left;
    },
    isProtected,
    announce(changes) {
      blocks.apply(changes);
      published = Promise.all([published, channel?.publish('changed').catch(onError)]);
    },
    async close() {
      channel?.close();
      await polling?.close();
      await published;
    },
  };
}

/** Runs `poll` every 800 ms, one at a time, after a failure sooner; `hurry` asks for one that begins from now on. */
function pollAgainAndAgain(poll: () => Promise<void>, onError: (error: unknown) => void) {
  let isClosed = false;
  let isHurried = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;

  const schedule = (delayMs: number) => {
    if (!isClosed) timer = setTimeout(run, delayMs);
  };
  const run = () => {
    isHurried = false;
    const begunAt = performance.now();
    const nextAfter = (everyMs: number) => {
      running = null;
      schedule(Math.max(0, everyMs - (performance.now() - begunAt)));
    };
    running = poll().then(
      () => nextAfter(isHurried ? 0 : pollEveryMs),
      (error) => {
        onError(error);
        nextAfter(retryAfterMs);
      },
    );
  };
  schedule(pollEveryMs);
  return {
    hurry() {
      isHurried = true;
      if (running || isClosed) return;
      clearTimeout(timer);
      run();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
